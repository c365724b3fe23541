//! What a record adds to the metrics: the table of instruments, used by both ways.
//!
//! Instruments, units and buckets: OpenTelemetry's GenAI conventions, 1.41 and 1.42.

use super::Semconv;
use super::attributes::{cache_write, cost, cost_source, error_type, seconds};
use super::provider::provider_name;
use super::value::Value;
use crate::record::{CallRecord, Outcome};

/// Bucket bounds of durations, in seconds.
const SECONDS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const TOKENS: &[f64] = &[
    1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0,
    67108864.0,
];
/// The conventions' draft names none for money: from a thousandth of a cent, in powers of ten and half of that.
const DOLLARS: &[f64] = &[
    0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    /// 1.41, and what today's dashboards read.
    Old,
    Latest,
    /// Of no version: the conventions' drafts and ours.
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Histogram(&'static [f64]),
    /// Adds up, and never falls.
    Counter,
}

#[derive(Debug)]
pub struct Instrument {
    pub name: &'static str,
    pub unit: &'static str,
    pub description: &'static str,
    pub kind: Kind,
    /// Whole numbers.
    pub is_integer: bool,
    since: Since,
}

const fn histogram(
    since: Since,
    name: &'static str,
    unit: &'static str,
    bounds: &'static [f64],
    description: &'static str,
) -> Instrument {
    Instrument {
        name,
        unit,
        description,
        kind: Kind::Histogram(bounds),
        is_integer: matches!(unit.as_bytes(), b"{token}"),
        since,
    }
}

const fn tokens(name: &'static str, description: &'static str) -> Instrument {
    Instrument {
        name,
        unit: "{token}",
        description,
        kind: Kind::Counter,
        is_integer: true,
        since: Since::Latest,
    }
}

/// Every instrument; a measurement names its own by its place here.
pub const INSTRUMENTS: &[Instrument] = &[
    histogram(
        Since::Old,
        "gen_ai.client.operation.duration",
        "s",
        SECONDS,
        "Duration of the call",
    ),
    histogram(
        Since::Latest,
        "gen_ai.client.inference.duration",
        "s",
        SECONDS,
        "Duration of the call",
    ),
    histogram(
        Since::Old,
        "gen_ai.client.token.usage",
        "{token}",
        TOKENS,
        "Tokens of a call",
    ),
    histogram(
        Since::Old,
        "gen_ai.client.operation.time_to_first_chunk",
        "s",
        SECONDS,
        "Time until the first chunk of a stream",
    ),
    histogram(
        Since::Latest,
        "gen_ai.client.inference.time_to_first_chunk",
        "s",
        SECONDS,
        "Time until the first chunk of a stream",
    ),
    histogram(
        Since::Old,
        "gen_ai.client.operation.time_per_output_chunk",
        "s",
        SECONDS,
        "Mean time between two chunks of a stream",
    ),
    histogram(
        Since::Latest,
        "gen_ai.client.inference.time_per_output_chunk",
        "s",
        SECONDS,
        "Mean time between two chunks of a stream",
    ),
    tokens(
        "gen_ai.client.inference.usage.input_tokens",
        "Tokens in, cached ones included",
    ),
    tokens(
        "gen_ai.client.inference.usage.output_tokens",
        "Tokens out, reasoning included",
    ),
    tokens(
        "gen_ai.client.inference.usage.cache_read.input_tokens",
        "Tokens read from a cache",
    ),
    tokens(
        "gen_ai.client.inference.usage.cache_write.input_tokens",
        "Tokens written to a cache",
    ),
    tokens(
        "gen_ai.client.inference.usage.reasoning.output_tokens",
        "Tokens of reasoning",
    ),
    histogram(
        Since::Latest,
        "gen_ai.client.inference.operation.input_tokens",
        "{token}",
        TOKENS,
        "Tokens in of a call",
    ),
    histogram(
        Since::Latest,
        "gen_ai.client.inference.operation.output_tokens",
        "{token}",
        TOKENS,
        "Tokens out of a call",
    ),
    histogram(
        Since::Latest,
        "gen_ai.client.embeddings.duration",
        "s",
        SECONDS,
        "Duration of the call",
    ),
    histogram(
        Since::Latest,
        "gen_ai.client.embeddings.operation.input_tokens",
        "{token}",
        TOKENS,
        "Tokens in of a call",
    ),
    histogram(
        Since::Any,
        "gen_ai.client.operation.cost",
        "{cost}",
        DOLLARS,
        "What a call cost",
    ),
    Instrument {
        name: "edgequake.cost",
        unit: "USD",
        description: "What the calls cost",
        kind: Kind::Counter,
        is_integer: false,
        since: Since::Any,
    },
];

/// One value for one instrument.
#[derive(Debug)]
pub struct Measurement {
    /// Its place in [`INSTRUMENTS`].
    pub instrument: usize,
    pub value: f64,
    /// Beside the attributes that all measurements of a call have.
    pub extra: Vec<(&'static str, Value<'static>)>,
    pub with_error_type: bool,
}

/// The attributes that all measurements of a call have in common.
pub fn common_attributes<'a>(record: &'a CallRecord, mut take: impl FnMut(&'static str, Value<'a>)) {
    take("gen_ai.operation.name", Value::text(record.operation));
    take("gen_ai.provider.name", Value::text(provider_name(&record.provider)));
    if let Some(model) = &record.request_model {
        take("gen_ai.request.model", Value::text(model));
    }
    if let Some(model) = &record.response_model {
        take("gen_ai.response.model", Value::text(model));
    }
    if let Some(address) = &record.server_address {
        take("server.address", Value::text(address));
        if let Some(port) = record.server_port {
            take("server.port", Value::Integer(i64::from(port)));
        }
    }
}

/// `error.type`, for those measurements that carry it.
#[must_use]
pub fn error_attribute(record: &CallRecord) -> Option<(&'static str, Value<'_>)> {
    error_type(record).map(|error_type| ("error.type", Value::text(error_type)))
}

/// Hands everything that a record adds to `take`.
pub fn measurements(record: &CallRecord, semconv: Semconv, mut take: impl FnMut(Measurement)) {
    let is_embedding = record.operation == "embeddings";
    let is_inference = matches!(record.operation, "chat" | "text_completion" | "generate_content");
    let mut add = |name: &str, value: f64, with_error_type: bool, extra: Vec<(&'static str, Value<'static>)>| {
        let Some(instrument) = INSTRUMENTS.iter().position(|instrument| instrument.name == name) else {
            return;
        };
        let wanted = match INSTRUMENTS[instrument].since {
            // The newest conventions have no instruments for operations that are neither inference nor embeddings.
            Since::Old => semconv.old() || !(is_inference || is_embedding),
            Since::Latest => semconv.latest(),
            Since::Any => true,
        };
        if wanted {
            take(Measurement {
                instrument,
                value,
                extra,
                with_error_type,
            });
        }
    };
    let duration = seconds(record.duration_ns);
    add("gen_ai.client.operation.duration", duration, true, Vec::new());
    if is_inference {
        add("gen_ai.client.inference.duration", duration, true, Vec::new());
    } else if is_embedding {
        add("gen_ai.client.embeddings.duration", duration, true, Vec::new());
    }
    let (input, output) = (record.tokens.input, record.tokens.output);
    for (count, token_type) in [(input, "input"), (output, "output")] {
        if let Some(count) = count {
            let token_type = vec![("gen_ai.token.type", Value::text(token_type))];
            add("gen_ai.client.token.usage", count as f64, false, token_type);
        }
    }
    if let Some(count) = input.filter(|_| is_embedding) {
        add(
            "gen_ai.client.embeddings.operation.input_tokens",
            count as f64,
            true,
            Vec::new(),
        );
    }
    if is_inference {
        if let Some(first) = record.time_to_first_chunk_ns {
            add(
                "gen_ai.client.operation.time_to_first_chunk",
                seconds(first),
                false,
                Vec::new(),
            );
            add(
                "gen_ai.client.inference.time_to_first_chunk",
                seconds(first),
                false,
                Vec::new(),
            );
            if let Some(chunks) = record.chunks.filter(|chunks| *chunks > 1) {
                let between = seconds(record.duration_ns - first) / f64::from(chunks - 1);
                add(
                    "gen_ai.client.operation.time_per_output_chunk",
                    between,
                    false,
                    Vec::new(),
                );
                add(
                    "gen_ai.client.inference.time_per_output_chunk",
                    between,
                    false,
                    Vec::new(),
                );
            }
        }
        for (name, count) in [
            ("gen_ai.client.inference.operation.input_tokens", input),
            ("gen_ai.client.inference.operation.output_tokens", output),
        ] {
            if let Some(count) = count {
                add(name, count as f64, true, Vec::new());
            }
        }
        for (name, counts) in usage_by_modality(record) {
            for (modality, count) in counts {
                let modality = vec![("gen_ai.token.modality", Value::text(modality))];
                add(name, count as f64, false, modality);
            }
        }
    }
    if let (Some(cost), Some(source)) = (cost(record), cost_source(record)) {
        let of = vec![
            ("gen_ai.usage.cost.currency", Value::text("USD")),
            ("gen_ai.usage.cost.source", Value::text(source)),
        ];
        add("gen_ai.client.operation.cost", cost, false, of);
        // A correction can be negative, and a counter never falls.
        if cost >= 0.0 {
            add("edgequake.cost", cost, false, Vec::new());
        }
    }
}

type ByModality = Vec<(&'static str, u64)>;

/// The counters of tokens. A failed call that reported nothing counts 0, as the conventions ask.
fn usage_by_modality(record: &CallRecord) -> Vec<(&'static str, ByModality)> {
    let tokens = &record.tokens;
    let nothing = (record.outcome == Outcome::Error).then_some(0);
    let whole = |count: Option<u64>| count.map(|count| vec![("unknown", count)]).unwrap_or_default();
    vec![
        (
            "gen_ai.client.inference.usage.input_tokens",
            split(tokens.input.or(nothing), tokens.audio_input, tokens.image_input),
        ),
        (
            "gen_ai.client.inference.usage.output_tokens",
            split(tokens.output.or(nothing), tokens.audio_output, tokens.image_output),
        ),
        (
            "gen_ai.client.inference.usage.cache_read.input_tokens",
            whole(tokens.cache_read),
        ),
        (
            "gen_ai.client.inference.usage.cache_write.input_tokens",
            whole(cache_write(record)),
        ),
        (
            "gen_ai.client.inference.usage.reasoning.output_tokens",
            whole(tokens.reasoning),
        ),
    ]
}

/// Where a provider tells modalities apart, the rest is text; where it does not, nobody knows.
fn split(all: Option<u64>, audio: Option<u64>, image: Option<u64>) -> ByModality {
    let Some(all) = all else { return Vec::new() };
    if audio.is_none() && image.is_none() {
        return vec![("unknown", all)];
    }
    let rest = all
        .saturating_sub(audio.unwrap_or(0))
        .saturating_sub(image.unwrap_or(0));
    let parts = [("audio", audio), ("image", image), ("text", Some(rest))];
    parts
        .into_iter()
        .filter_map(|(modality, count)| Some((modality, count.filter(|count| *count > 0)?)))
        .collect()
}
