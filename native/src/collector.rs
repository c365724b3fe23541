//! The way to an OpenTelemetry collector: HTTP/1.1 for OTLP's http/protobuf, HTTP/2 for gRPC, on the I/O thread.
//!
//! Apart from the providers' connections, since a collector has certificates, deadlines and limits of its own.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use exporters::otlp::{Answer, Destination, OtlpSettings, Problem, Protocol, Signal, Transport, Unanswered};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, TE, USER_AGENT};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

use crate::core::core;
use crate::transport::{Certificate, TlsSettings, Verify, chain, tls_config};

/// An answer says how many were rejected, and why; whoever sends more than this is no collector.
const LONGEST_ANSWER: usize = 64 << 10;
const IDLE_FOR: Duration = Duration::from_secs(60);

type Https = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

#[derive(Clone, Debug)]
struct Way {
    client: Https,
    uri: Uri,
    headers: HeaderMap,
    timeout: Duration,
    /// Secured, and without a certificate of its own.
    is_anonymous: bool,
}

/// The collector of each signal; None where its settings cannot be used.
#[derive(Debug)]
pub(crate) struct Collector {
    traces: Option<Way>,
    metrics: Option<Way>,
    logs: Option<Way>,
}

impl Collector {
    /// A destination that cannot be used becomes a problem of `settings`.
    pub(crate) fn new(settings: &mut OtlpSettings) -> Self {
        let problems = &mut settings.problems;
        let mut way = |destination: &mut Option<Destination>| {
            let made = Way::new(destination.as_ref()?);
            if let Err(problem) = &made {
                problems.push(problem.clone());
                *destination = None;
            }
            made.ok()
        };
        Self {
            traces: way(&mut settings.traces),
            metrics: way(&mut settings.metrics),
            logs: way(&mut settings.logs),
        }
    }
}

impl Transport for Collector {
    fn post(&self, signal: Signal, body: Vec<u8>, done: Box<dyn FnOnce(Result<Answer, Unanswered>) + Send>) {
        let way = match signal {
            Signal::Traces => &self.traces,
            Signal::Metrics => &self.metrics,
            Signal::Logs => &self.logs,
        };
        let failed = |reason: &str| Unanswered {
            problem: Problem::new(reason),
            unreachable: false,
        };
        let (Some(way), Some(io)) = (way.clone(), core().io_thread()) else {
            return done(Err(failed("the system refused to start the I/O thread")));
        };
        io.spawn(async move {
            let answered = tokio::time::timeout(way.timeout, way.post(Bytes::from(body))).await;
            done(
                answered.unwrap_or_else(|_| Err(failed(&format!("no answer within {} s", way.timeout.as_secs_f64())))),
            );
        });
    }
}

impl Way {
    fn new(destination: &Destination) -> Result<Self, String> {
        let url = &destination.url;
        let uri: Uri = url.parse().map_err(|_| no_url(destination))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(no_url(destination));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &destination.headers {
            let pair = (HeaderName::try_from(name), HeaderValue::try_from(value));
            let (Ok(name), Ok(mut value)) = pair else {
                // The value may be a key: it is not shown.
                return Err(format!(
                    "OTEL_EXPORTER_OTLP_HEADERS has a header '{name}' that HTTP does not allow"
                ));
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let agent = concat!("OTel-OTLP-Exporter-edgequake_obs/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        match destination.protocol {
            Protocol::Http => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
                if destination.gzip {
                    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                }
            }
            Protocol::Grpc => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
                headers.insert(TE, HeaderValue::from_static("trailers"));
                if destination.gzip {
                    headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
                }
            }
        }
        let is_secured = uri.scheme_str() == Some("https");
        Ok(Self {
            client: client(destination)?,
            uri,
            headers,
            timeout: destination.timeout,
            is_anonymous: is_secured && destination.client_certificate.is_none(),
        })
    }

    /// What to do depends on which side's certificate it is about.
    fn problem(&self, error: &legacy::Error) -> Problem {
        let plain = Problem::new(chain(error));
        let first: &(dyn Error + 'static) = error;
        let mut causes = std::iter::successors(Some(first), |error| cause(*error));
        let remedy = match causes.find_map(|error| error.downcast_ref()) {
            Some(rustls::Error::InvalidCertificate(_)) => {
                "Name the authority that signed the collector's certificate in OTEL_EXPORTER_OTLP_CERTIFICATE"
            }
            Some(rustls::Error::InvalidMessage(_)) => {
                "Where the collector speaks no TLS, use http:// in OTEL_EXPORTER_OTLP_ENDPOINT"
            }
            // Servers that miss a certificate hang up, and few of them say why.
            _ if self.is_anonymous && !error.is_connect() => {
                "If the collector wants a certificate, name one and its key in OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and \
                 OTEL_EXPORTER_OTLP_CLIENT_KEY"
            }
            _ if !error.is_connect() => {
                "Check whether OTEL_EXPORTER_OTLP_PROTOCOL (grpc or http/protobuf) is what OTEL_EXPORTER_OTLP_ENDPOINT \
                 speaks"
            }
            _ => plain.remedy,
        };
        Problem { remedy, ..plain }
    }

    async fn post(&self, body: Bytes) -> Result<Answer, Unanswered> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let response = self.client.request(request).await.map_err(|error| Unanswered {
            problem: self.problem(&error),
            unreachable: error.is_connect(),
        })?;
        let (parts, body) = response.into_parts();
        let mut answer = Answer {
            status: parts.status.as_u16(),
            grpc: grpc_status(&parts.headers), // of an answer that is nothing but trailers
            retry_after: text(&parts.headers, RETRY_AFTER.as_str()),
            body: Vec::new(),
        };
        // Taken or refused, the status has said it; what cannot be read of the rest says nothing.
        if let Ok(collected) = Limited::new(body, LONGEST_ANSWER).collect().await {
            if answer.grpc.is_none() {
                answer.grpc = collected.trailers().and_then(grpc_status);
            }
            answer.body = collected.to_bytes().to_vec();
        }
        Ok(answer)
    }
}

/// An I/O error passes over what it holds when it is asked for its source.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(held) => Some(held),
        None => error.source(),
    }
}

fn no_url(destination: &Destination) -> String {
    format!(
        "'{}' is no URL to send {} to: OTEL_EXPORTER_OTLP_ENDPOINT begins with http:// or https://",
        destination.url,
        destination.signal.noun()
    )
}

fn grpc_status(headers: &HeaderMap) -> Option<(u32, String)> {
    let status = text(headers, "grpc-status")?.parse().ok()?;
    Some((status, text(headers, "grpc-message").unwrap_or_default()))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn client(destination: &Destination) -> Result<Https, String> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(destination.timeout));
    let is_grpc = destination.protocol == Protocol::Grpc;
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(tls(destination)?)
        .https_or_http();
    let connector = if is_grpc {
        builder.enable_http2().wrap_connector(tcp)
    } else {
        builder.enable_http1().wrap_connector(tcp)
    };
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_FOR)
        .http2_only(is_grpc)
        .build(connector))
}

fn tls(destination: &Destination) -> Result<ClientConfig, String> {
    if !destination.url.starts_with("https") {
        // Reading the system's certificates takes milliseconds, which nobody pays for who does not need them.
        return Ok(ClientConfig::builder()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth());
    }
    let trusted = destination.certificate.clone();
    let own = destination.client_certificate.clone();
    let settings = TlsSettings {
        verify: Some(trusted.map_or(Verify::System, Verify::Authorities)),
        certificate: own.map(|chain| Certificate {
            chain,
            key: destination.client_key.clone(),
        }),
    };
    let config = tls_config(&settings).map_err(|problem| format!("{problem} (for OTLP)"))?;
    Ok(Arc::unwrap_or_clone(config))
}
