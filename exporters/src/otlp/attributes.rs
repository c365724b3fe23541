//! The one table that maps a record's fields to attributes, for spans of both ways: written here, or in the program's own
//! TracerProvider.
//!
//! Names and types: OpenTelemetry's GenAI conventions, schema 1.42.0; `edgequake.*` are ours.

use std::borrow::Cow;
use std::collections::BTreeMap;

use pricing::{BreakdownLine, CostStatus, Usd};
use serde_json::value::RawValue;

use super::Semconv;
use super::parameters::Parameters;
use super::provider::provider_name;
use super::value::Value;
use crate::record::CallRecord;

/// A record, and what is read out of it once for all attributes.
struct Facts<'a> {
    record: &'a CallRecord,
    params: Parameters,
    /// By its name in the record's content, as JSON text.
    content: BTreeMap<&'a str, &'a RawValue>,
    part: Part,
    details: Parameters,
}

struct Row {
    name: &'static str,
    /// Its name in 1.41, where that was another.
    old_name: Option<&'static str>,
    value: for<'a> fn(&'a Facts<'a>) -> Option<Value<'a>>,
}

const fn row(name: &'static str, value: for<'a> fn(&'a Facts<'a>) -> Option<Value<'a>>) -> Row {
    Row {
        name,
        old_name: None,
        value,
    }
}

/// What samplers see: given when a span is made.
const AT_START: &[Row] = &[
    row("gen_ai.operation.name", |f| Some(Value::text(f.record.operation))),
    row("gen_ai.provider.name", |f| {
        Some(Value::text(provider_name(&f.record.provider)))
    }),
    row("gen_ai.request.model", |f| {
        f.record.request_model.as_deref().map(Value::text)
    }),
    row("server.address", |f| {
        f.record.server_address.as_deref().map(Value::text)
    }),
    row("server.port", |f| {
        f.record
            .server_address
            .as_ref()
            .and(f.record.server_port)
            .map(|port| Value::Integer(i64::from(port)))
    }),
];

const AT_END: &[Row] = &[
    row("error.type", |f| error_type(f.record).map(Value::text)),
    // --- what was asked ---
    row("gen_ai.request.stream", |f| {
        f.record.streaming.then_some(Value::Boolean(true))
    }),
    row("gen_ai.request.max_tokens", |f| {
        f.params
            .integer(&["max_completion_tokens", "max_output_tokens", "max_tokens"])
    }),
    row("gen_ai.request.temperature", |f| f.params.double(&["temperature"])),
    row("gen_ai.request.top_p", |f| f.params.double(&["top_p"])),
    row("gen_ai.request.top_k", |f| f.params.integer(&["top_k"])),
    row("gen_ai.request.frequency_penalty", |f| {
        f.params.double(&["frequency_penalty"])
    }),
    row("gen_ai.request.presence_penalty", |f| {
        f.params.double(&["presence_penalty"])
    }),
    row("gen_ai.request.seed", |f| f.params.integer(&["seed"])),
    row("gen_ai.request.stop_sequences", |f| {
        f.params.texts(&["stop", "stop_sequences"])
    }),
    row("gen_ai.request.choice.count", |f| {
        f.params.integer(&["n"]).filter(|count| *count != Value::Integer(1))
    }),
    row("gen_ai.request.reasoning.level", |f| {
        f.params.text(&["reasoning_effort"]).map(Value::text)
    }),
    row("gen_ai.request.previous_response.id", |f| {
        f.params.text(&["previous_response_id"]).map(Value::text)
    }),
    row("gen_ai.request.encoding_formats", |f| {
        f.params.texts(&["encoding_format"])
    }),
    row("gen_ai.embeddings.dimension.count", |f| {
        f.params.integer(&["dimensions"])
    }),
    row("gen_ai.output.type", |f| output_type(f).map(Value::text)),
    row("gen_ai.conversation.id", |f| {
        let session = f.record.labels.as_ref().and_then(|labels| labels.session.as_deref());
        session.or_else(|| f.params.text(&["conversation"])).map(Value::text)
    }),
    // --- what came back ---
    row("gen_ai.response.id", |f| {
        f.record.response_id.as_deref().map(Value::text)
    }),
    row("gen_ai.response.model", |f| {
        f.record.response_model.as_deref().map(Value::text)
    }),
    row("gen_ai.response.finish_reasons", |f| {
        let reasons = &f.record.finish_reasons;
        (!reasons.is_empty()).then(|| Value::Texts(reasons.iter().map(|r| Cow::Borrowed(r.as_str())).collect()))
    }),
    row("gen_ai.response.time_to_first_chunk", |f| {
        f.record.time_to_first_chunk_ns.map(|ns| Value::Double(seconds(ns)))
    }),
    row("gen_ai.usage.input_tokens", |f| f.record.tokens.input.map(Value::count)),
    row("gen_ai.usage.output_tokens", |f| {
        f.record.tokens.output.map(Value::count)
    }),
    row("gen_ai.usage.cache_read.input_tokens", |f| {
        f.record.tokens.cache_read.map(Value::count)
    }),
    Row {
        name: "gen_ai.usage.cache_write.input_tokens",
        old_name: Some("gen_ai.usage.cache_creation.input_tokens"),
        value: |f| cache_write(f.record).map(Value::count),
    },
    row("gen_ai.usage.reasoning.output_tokens", |f| {
        f.record.tokens.reasoning.map(Value::count)
    }),
    row("gen_ai.usage.audio.input_tokens", |f| {
        f.record.tokens.audio_input.map(Value::count)
    }),
    row("gen_ai.usage.audio.output_tokens", |f| {
        f.record.tokens.audio_output.map(Value::count)
    }),
    row("gen_ai.usage.image.input_tokens", |f| {
        f.record.tokens.image_input.map(Value::count)
    }),
    row("gen_ai.usage.image.output_tokens", |f| {
        f.record.tokens.image_output.map(Value::count)
    }),
    row("openai.api.type", |f| {
        f.record.api_type.filter(|_| is_openai(f)).map(Value::text)
    }),
    row("openai.response.system_fingerprint", |f| {
        let fingerprint = f.details.text(&["system_fingerprint"]).filter(|text| !text.is_empty());
        fingerprint.filter(|_| is_openai(f)).map(Value::text)
    }),
    row("openai.request.service_tier", |f| {
        let tier = f.record.requested_service_tier.as_deref();
        tier.filter(|tier| is_openai(f) && *tier != "auto").map(Value::text)
    }),
    row("openai.response.service_tier", |f| {
        f.record
            .service_tier
            .as_deref()
            .filter(|_| is_openai(f))
            .map(Value::text)
    }),
    row("azure.resource_provider.namespace", |f| {
        (provider_name(&f.record.provider) == "azure.ai.inference").then(|| Value::text("Microsoft.CognitiveServices"))
    }),
    // --- money: an unknown price is no attribute. Never the scalar `gen_ai.usage.cost` beside these: backends that unfold
    // names into objects would have it collide with them.
    row("gen_ai.usage.cost.amount", |f| cost(f.record).map(Value::Double)),
    row("gen_ai.usage.cost.currency", |f| {
        cost(f.record).map(|_| Value::text("USD"))
    }),
    row("gen_ai.usage.cost.source", |f| cost_source(f.record).map(Value::text)),
    row("operation.cost", |f| cost(f.record).map(Value::Double)), // Logfire's and pydantic-ai's name for it
    row("edgequake.cost.input", |f| {
        part(f, &["text_in", "audio_in", "image_in", "video_in"])
    }),
    row("edgequake.cost.output", |f| {
        part(f, &["text_out", "audio_out", "image_out"])
    }),
    row("edgequake.cost.cache_read", |f| {
        part(f, &["cache_read", "audio_cached", "image_cached"])
    }),
    row("edgequake.cost.cache_write", |f| {
        part(f, &["cache_write_5m", "cache_write_1h"])
    }),
    row("edgequake.cost.reasoning", |f| part(f, &["reasoning"])),
    row("edgequake.cost.other", |f| part(f, &[])),
    row("edgequake.pricing.version", |f| {
        let priced = f.record.cost.as_ref().filter(|cost| cost.computed_usd.is_some());
        priced.map(|cost| Value::text(&cost.price_version))
    }),
    // --- content: spans cannot have attributes with a structure everywhere yet, so there it is JSON text ---
    row("gen_ai.input.messages", |f| said(f, "input")),
    row("gen_ai.output.messages", |f| said(f, "output")),
    row("gen_ai.system_instructions", |f| said(f, "system_instructions")),
    row("gen_ai.tool.definitions", |f| said(f, "tool_definitions")),
    // --- ours ---
    row("edgequake.call_uid", |f| {
        Some(Value::Text(Cow::Owned(uuid(&f.record.call_uid))))
    }),
    row("edgequake.stream.outcome", |f| {
        f.record.streaming.then(|| Value::text(f.record.outcome.as_str()))
    }),
    row("edgequake.usage.estimated_input_tokens", |f| {
        f.record.estimated_input_tokens.map(Value::count)
    }),
    row("edgequake.usage.estimated_output_tokens", |f| {
        f.record.estimated_output_tokens.map(Value::count)
    }),
    row("user.id", |f| {
        let of_context = f.record.labels.as_ref().and_then(|labels| labels.user.as_deref());
        f.record.user.as_deref().or(of_context).map(Value::text)
    }),
];

/// Buckets of the breakdown that a part of the cost has a name for; the rest are `other`.
const NAMED: &[&str] = &[
    "text_in",
    "audio_in",
    "image_in",
    "video_in",
    "text_out",
    "audio_out",
    "image_out",
    "cache_read",
    "audio_cached",
    "image_cached",
    "cache_write_5m",
    "cache_write_1h",
    "reasoning",
];

/// Whose attributes are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Span,
    /// A span has those already that samplers see.
    SpanSinceItsStart,
    Event,
}

/// Hands every attribute of the record's span, or of its event, to `take`.
pub fn attributes(record: &CallRecord, semconv: Semconv, part: Part, mut take: impl FnMut(&str, Value<'_>)) {
    let facts = Facts {
        record,
        params: Parameters::parse(record.request_params.as_deref()),
        content: content_of(record, part).unwrap_or_default(),
        part,
        details: Parameters::parse(record.provider_details.as_deref()),
    };
    let at_start = if part == Part::SpanSinceItsStart { &[] } else { AT_START };
    for row in at_start.iter().chain(AT_END) {
        let Some(value) = (row.value)(&facts) else { continue };
        if let Some(old_name) = row.old_name.filter(|_| semconv.old()) {
            take(old_name, value.clone());
        }
        if row.old_name.is_none() || semconv.latest() {
            take(row.name, value);
        }
    }
    let of_context = record.labels.as_ref().map_or(&[][..], |labels| &labels.tags);
    for (tag, value) in of_context.iter().chain(&record.tags) {
        take(&format!("edgequake.tag.{tag}"), Value::text(value));
    }
}

/// The span's name.
#[must_use]
pub fn span_name(operation: &str, request_model: Option<&str>) -> String {
    match request_model {
        Some(model) => format!("{operation} {model}"),
        None => operation.to_owned(),
    }
}

/// `error.type`: the provider's code, else the HTTP status, else what kind of failure it was; None of a call that did not fail.
pub(super) fn error_type(record: &CallRecord) -> Option<&str> {
    (record.outcome == crate::Outcome::Error).then(|| record.error_type.as_deref().unwrap_or("_OTHER"))
}

pub(super) fn cache_write(record: &CallRecord) -> Option<u64> {
    let (short, long) = (record.tokens.cache_write_5m, record.tokens.cache_write_1h);
    (short.is_some() || long.is_some()).then(|| short.unwrap_or(0).saturating_add(long.unwrap_or(0)))
}

/// What the call cost, in USD; None where that is not known.
pub(super) fn cost(record: &CallRecord) -> Option<f64> {
    record.cost.as_ref()?.usd.map(dollars)
}

/// `gen_ai.usage.cost.source`.
pub(super) fn cost_source(record: &CallRecord) -> Option<&'static str> {
    let cost = record.cost.as_ref().filter(|cost| cost.usd.is_some())?;
    Some(match cost.status {
        CostStatus::Reported => "provider",
        _ => "local",
    })
}

pub(super) fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e9
}

fn dollars(usd: Usd) -> f64 {
    usd.as_picos() as f64 / 1e12
}

/// The sum of the breakdown's lines of these buckets, `&[]` for those that have no name; only where the lines add up to what
/// was paid.
fn part<'a>(facts: &'a Facts<'a>, buckets: &[&str]) -> Option<Value<'a>> {
    let cost = facts.record.cost.as_ref()?;
    if cost.usd.is_none() || cost.usd != cost.computed_usd {
        return None;
    }
    let is_meant = |line: &&BreakdownLine| match buckets {
        [] => !NAMED.contains(&line.bucket),
        _ => buckets.contains(&line.bucket),
    };
    let mut lines = cost.breakdown.iter().filter(is_meant).peekable();
    lines.peek()?;
    let sum = lines.try_fold(Usd::ZERO, |sum, line| sum.checked_add(Usd::rounded(line.usd)?))?;
    Some(Value::Double(dollars(sum)))
}

fn content_of(record: &CallRecord, part: Part) -> Option<BTreeMap<&str, &RawValue>> {
    let is_meant = match part {
        Part::Span | Part::SpanSinceItsStart => record.content_on_spans,
        Part::Event => record.content_on_events,
    };
    serde_json::from_str(record.content.as_deref().filter(|_| is_meant)?).ok()
}

fn said<'a>(facts: &'a Facts<'a>, name: &str) -> Option<Value<'a>> {
    let json = facts.content.get(name)?.get();
    Some(match facts.part {
        Part::Span | Part::SpanSinceItsStart => Value::text(json),
        Part::Event => Value::Json(json),
    })
}

fn is_openai(facts: &Facts<'_>) -> bool {
    matches!(provider_name(&facts.record.provider), "openai" | "azure.ai.openai")
}

fn output_type<'a>(facts: &'a Facts<'a>) -> Option<&'a str> {
    match facts.record.operation {
        "image_generation" | "image_edit" => Some("image"),
        "speech" => Some("speech"),
        "chat" => match facts.params.text(&["response_format"])? {
            "json_object" | "json_schema" | "json" => Some("json"),
            "text" => Some("text"),
            _ => None,
        },
        _ => None,
    }
}

fn uuid(uid: &[u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(*uid));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
