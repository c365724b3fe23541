//! What OpenTelemetry's environment variables ask for.
//!
//! Source: the specification's "OTLP Exporter Configuration" and "Environment Variable Specification".

use std::path::PathBuf;
use std::time::Duration;

use super::resource::{pairs, resource};
use super::sampler::Sampler;
use super::signal::Signal;

/// Where an endpoint is wanted and none is named, the specification's.
const DEFAULT_HTTP: &str = "http://localhost:4318";
const DEFAULT_GRPC: &str = "http://localhost:4317";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_DELAY: Duration = Duration::from_secs(5);
const DEFAULT_BATCH: usize = 512;
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http,
    Grpc,
}

/// Where a signal goes, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    pub signal: Signal,
    pub protocol: Protocol,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub timeout: Duration,
    pub gzip: bool,
    /// Certificates to trust instead of the system's.
    pub certificate: Option<PathBuf>,
    pub client_certificate: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temporality {
    Cumulative,
    Delta,
}

/// Which version of the conventions names what is emitted: `EDGEQUAKE_OBS_SEMCONV`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semconv {
    Latest,
    Old,
    Both,
}

impl Semconv {
    #[must_use]
    pub fn latest(self) -> bool {
        self != Self::Old
    }

    #[must_use]
    pub fn old(self) -> bool {
        self != Self::Latest
    }

    fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "latest" => Some(Self::Latest),
            "1.41" => Some(Self::Old),
            "both" => Some(Self::Both),
            _ => None,
        }
    }

    /// For spans, and for metrics: the old metrics' names feed today's dashboards.
    #[must_use]
    pub fn of(variable: &dyn Fn(&str) -> Option<String>) -> (Self, Self) {
        let named = variable("EDGEQUAKE_OBS_SEMCONV").and_then(|name| Self::named(&name));
        (named.unwrap_or(Self::Latest), named.unwrap_or(Self::Both))
    }
}

/// What an exporter needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpSettings {
    pub traces: Option<Destination>,
    pub metrics: Option<Destination>,
    pub logs: Option<Destination>,
    pub sampler: Sampler,
    pub resource: Vec<(String, String)>,
    pub queue_bytes: usize,
    /// So many spans at most in one request, and so many waiting where the program says so.
    pub batch: usize,
    pub most_waiting: Option<usize>,
    pub delay: Duration,
    pub interval: Duration,
    pub temporality: Temporality,
    /// Characters of an attribute's text, at most, on spans.
    pub longest_text: Option<usize>,
    pub spans_semconv: Semconv,
    pub metrics_semconv: Semconv,
    /// `OTEL_PROPAGATORS` has W3C's trace context among them.
    pub propagates_trace_context: bool,
    /// What was given and cannot be used, with what is done instead.
    pub problems: Vec<String>,
}

/// Who wants it, beside the environment.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// `configure(otel="http://...")`.
    pub url: Option<String>,
    /// `native` was asked for: without an endpoint the specification's default is meant.
    pub explicit: bool,
    /// What was said goes into events.
    pub events: bool,
    pub service_name: Option<String>,
    pub queue_bytes: usize,
}

impl OtlpSettings {
    /// What is to be exported; None: nothing.
    #[must_use]
    pub fn read(wish: &Wish, variable: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
            return None;
        }
        let mut problems = Vec::new();
        let traces = destination(Signal::Traces, wish, variable, &mut problems);
        let metrics = destination(Signal::Metrics, wish, variable, &mut problems);
        let logs = wish
            .events
            .then(|| destination(Signal::Logs, wish, variable, &mut problems));
        let logs = logs.flatten();
        if traces.is_none() && metrics.is_none() && logs.is_none() {
            return None;
        }
        let millis = |name: &str, default: Duration| {
            let given = variable(name).and_then(|value| value.trim().parse().ok());
            given.map_or(default, Duration::from_millis)
        };
        let count = |name: &str| -> Option<usize> {
            let given = variable(name).and_then(|value| value.trim().parse().ok());
            given.filter(|count| *count > 0)
        };
        let temporality = match variable("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE") {
            Some(value) if matches!(value.trim().to_ascii_lowercase().as_str(), "delta" | "lowmemory") => {
                Temporality::Delta
            }
            _ => Temporality::Cumulative,
        };
        let (spans_semconv, metrics_semconv) = Semconv::of(variable);
        Some(Self {
            traces,
            metrics,
            logs,
            sampler: Sampler::read(variable, &mut problems),
            resource: resource(wish, variable),
            queue_bytes: wish.queue_bytes,
            batch: count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE").unwrap_or(DEFAULT_BATCH),
            most_waiting: count("OTEL_BSP_MAX_QUEUE_SIZE"),
            delay: millis("OTEL_BSP_SCHEDULE_DELAY", DEFAULT_DELAY),
            interval: millis("OTEL_METRIC_EXPORT_INTERVAL", DEFAULT_INTERVAL).max(Duration::from_millis(1)),
            temporality,
            longest_text: count("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT")
                .or_else(|| count("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT")),
            spans_semconv,
            metrics_semconv,
            propagates_trace_context: variable("OTEL_PROPAGATORS").is_none_or(|names| {
                names
                    .split(',')
                    .any(|name| name.trim().eq_ignore_ascii_case("tracecontext"))
            }),
            problems,
        })
    }
}

fn destination(
    signal: Signal,
    wish: &Wish,
    variable: &dyn Fn(&str) -> Option<String>,
    problems: &mut Vec<String>,
) -> Option<Destination> {
    if let Some(exporters) = variable(&format!("OTEL_{}_EXPORTER", signal.variable()))
        && !exporters
            .split(',')
            .any(|name| name.trim().eq_ignore_ascii_case("otlp"))
    {
        return None;
    }
    let general = |name: &str| variable(&format!("OTEL_EXPORTER_OTLP_{name}"));
    let own = |name: &str| variable(&format!("OTEL_EXPORTER_OTLP_{}_{name}", signal.variable()));
    let either = |name: &str| own(name).or_else(|| general(name));
    let protocol = match either("PROTOCOL").as_deref().map(str::trim) {
        Some("grpc") => Protocol::Grpc,
        None | Some("http/protobuf") => Protocol::Http,
        Some(other) => {
            let problem = format!(
                "OTEL_EXPORTER_OTLP_PROTOCOL is '{other}', which is not supported: 'http/protobuf' is used ('grpc' is the other one)"
            );
            // Said once of what may be meant for both signals.
            if !problems.contains(&problem) {
                problems.push(problem);
            }
            Protocol::Http
        }
    };
    let default = match protocol {
        Protocol::Http => DEFAULT_HTTP,
        Protocol::Grpc => DEFAULT_GRPC,
    };
    // What the program says wins over the environment.
    let own_endpoint = own("ENDPOINT").filter(|_| wish.url.is_none());
    let base = wish
        .url
        .clone()
        .or_else(|| general("ENDPOINT"))
        .or_else(|| wish.explicit.then(|| default.to_owned()));
    let insecure = either("INSECURE").is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
    let url = match (protocol, own_endpoint, base) {
        (Protocol::Http, Some(own), _) => own.trim().to_owned(),
        (Protocol::Http, None, Some(base)) => format!("{}{}", base.trim().trim_end_matches('/'), signal.http_path()),
        (Protocol::Grpc, own, base) => {
            let base = own.or(base)?;
            let base = base.trim();
            let scheme = match (base.contains("://"), insecure) {
                (true, _) => "",
                (false, true) => "http://",
                (false, false) => "https://",
            };
            // A path in a gRPC endpoint means nothing.
            let authority_end = base.find("://").map_or(0, |at| at + 3);
            let end = base[authority_end..]
                .find('/')
                .map_or(base.len(), |at| authority_end + at);
            format!("{scheme}{}{}", &base[..end], signal.grpc_path())
        }
        (Protocol::Http, None, None) => return None,
    };
    let millis = |value: Option<String>| {
        value
            .and_then(|value| value.trim().parse().ok())
            .map(Duration::from_millis)
    };
    let timeout = millis(either("TIMEOUT")).unwrap_or(DEFAULT_TIMEOUT);
    // What did not arrive in time is kept and sent again, so it bounds a request, not the spans' time here.
    let longest = millis(variable(signal.timeout_variable())).filter(|longest| !longest.is_zero());
    let path = |name: &str| either(name).map(PathBuf::from);
    Some(Destination {
        signal,
        protocol,
        url,
        headers: either("HEADERS").map(|value| pairs(&value)).unwrap_or_default(),
        timeout: longest.map_or(timeout, |longest| timeout.min(longest)),
        gzip: either("COMPRESSION").is_some_and(|value| value.trim().eq_ignore_ascii_case("gzip")),
        certificate: path("CERTIFICATE"),
        client_certificate: path("CLIENT_CERTIFICATE"),
        client_key: path("CLIENT_KEY"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)], wish: &Wish) -> Option<OtlpSettings> {
        let all: Vec<(String, String)> = variables
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        OtlpSettings::read(wish, &|name| {
            all.iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
        })
    }

    fn urls(variables: &[(&str, &str)]) -> (Option<String>, Option<String>) {
        let Some(settings) = read(variables, &Wish::default()) else {
            return (None, None);
        };
        (settings.traces.map(|d| d.url), settings.metrics.map(|d| d.url))
    }

    #[test]
    fn endpoints() {
        let both = |traces: &str, metrics: &str| (Some(traces.to_owned()), Some(metrics.to_owned()));
        assert_eq!(urls(&[]), (None, None));
        assert_eq!(
            urls(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:4318/")]),
            both("http://h:4318/v1/traces", "http://h:4318/v1/metrics")
        );
        assert_eq!(
            urls(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://h/x")]),
            (Some("http://h/x".to_owned()), None)
        );
        let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        let (traces, _) = urls(&[grpc, ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:4317/ignored")]);
        assert_eq!(
            traces.as_deref(),
            Some("http://h:4317/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        );
        let (traces, _) = urls(&[grpc, ("OTEL_EXPORTER_OTLP_ENDPOINT", "h:4317")]);
        assert!(traces.is_some_and(|url| url.starts_with("https://h:4317/")));
    }

    #[test]
    fn timeouts() {
        let of = |variables: &[(&str, &str)]| {
            let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h");
            let settings = read(&[&[endpoint], variables].concat(), &Wish::default()).unwrap();
            let millis = |destination: Option<Destination>| destination.unwrap().timeout.as_millis();
            (millis(settings.traces), millis(settings.metrics))
        };
        assert_eq!(of(&[]), (10_000, 10_000));
        assert_eq!(of(&[("OTEL_EXPORTER_OTLP_TIMEOUT", "50")]), (50, 50));
        assert_eq!(of(&[("OTEL_BSP_EXPORT_TIMEOUT", "700")]), (700, 10_000));
        assert_eq!(of(&[("OTEL_METRIC_EXPORT_TIMEOUT", "700")]), (10_000, 700));
        assert_eq!(of(&[("OTEL_BSP_EXPORT_TIMEOUT", "60000")]), (10_000, 10_000));
    }

    #[test]
    fn a_protocol_that_is_none_of_ours() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h");
        let settings = read(
            &[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")],
            &Wish::default(),
        )
        .unwrap();
        assert_eq!(settings.traces.unwrap().protocol, Protocol::Http);
        assert_eq!(settings.problems.len(), 1);
        assert!(settings.problems[0].contains("'http/json'") && settings.problems[0].contains("'http/protobuf'"));
    }

    #[test]
    fn what_turns_it_off() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h");
        assert_eq!(urls(&[endpoint, ("OTEL_SDK_DISABLED", "true")]), (None, None));
        assert_eq!(urls(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]).0, None);
        assert!(urls(&[endpoint, ("OTEL_METRICS_EXPORTER", "console,otlp")]).1.is_some());
    }

    #[test]
    fn what_the_program_says_wins() {
        let wish = Wish {
            url: Some("http://mine".to_owned()),
            service_name: Some("shop".to_owned()),
            ..Wish::default()
        };
        let variables = [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://theirs/x"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,team=b%20c,broken"),
            ("OTEL_SERVICE_NAME", "b"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20eA==, x = y"),
        ];
        let settings = read(&variables, &wish).unwrap();
        let traces = settings.traces.unwrap();
        assert_eq!(traces.url, "http://mine/v1/traces");
        assert_eq!(traces.headers[0], ("authorization".to_owned(), "Basic eA==".to_owned()));
        assert_eq!(traces.headers[1], ("x".to_owned(), "y".to_owned()));
        let of = |name: &str| {
            settings
                .resource
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, v)| v.as_str())
        };
        assert_eq!((of("service.name"), of("team")), (Some("shop"), Some("b c")));
    }
}
