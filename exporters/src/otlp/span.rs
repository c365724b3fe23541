//! A record as an OTLP span.

use super::Semconv;
use super::attributes::{Part, attributes, span_name};
use super::protobuf as pb;
use super::value::{Value, attribute};
use crate::record::{Attempt, CallRecord, Outcome};

const KIND_CLIENT: u64 = 3;
const STATUS_ERROR: u64 = 2;
const SAMPLED: u32 = 1;
/// W3C flags of a span whose parent is in this process: "is remote" is known, and it is not.
const PARENT_IS_KNOWN_TO_BE_LOCAL: u32 = 0x100;

/// The `Span` message.
pub(super) fn encode(record: &CallRecord, semconv: Semconv, longest_text: Option<usize>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1_024);
    pb::bytes(&mut out, 1, &record.trace_id);
    pb::bytes(&mut out, 2, &record.span_id);
    if let Some(parent) = &record.parent_span_id {
        pb::bytes(&mut out, 4, parent);
    }
    pb::text(
        &mut out,
        5,
        &span_name(record.operation, record.request_model.as_deref()),
    );
    pb::integer(&mut out, 6, KIND_CLIENT);
    pb::fixed64(&mut out, 7, record.start_ns.cast_unsigned());
    pb::fixed64(&mut out, 8, (record.start_ns + record.duration_ns).cast_unsigned());
    attributes(record, semconv, Part::Span, |name, value| {
        attribute(&mut out, 9, name, &value.cut(longest_text));
    });
    for (at, attempt) in events(record) {
        pb::message(&mut out, 11, |out| {
            pb::fixed64(out, 1, attempt.start_ns.cast_unsigned());
            pb::text(out, 2, EVENT);
            attempt_attributes(at, attempt, |name, value| {
                attribute(out, 3, name, &value.cut(longest_text));
            });
        });
    }
    if record.outcome == Outcome::Error {
        pb::message(&mut out, 15, |out| {
            if let Some(message) = &record.error_message {
                pb::text(out, 2, message);
            }
            pb::integer(out, 3, STATUS_ERROR);
        });
    }
    pb::fixed32(&mut out, 16, SAMPLED | PARENT_IS_KNOWN_TO_BE_LOCAL);
    out
}

/// The name of a span's events.
pub const EVENT: &str = "edgequake.attempt";

/// The attempts that become events: where there was only one and it went well, the span says it all.
pub fn events(record: &CallRecord) -> impl Iterator<Item = (usize, &Attempt)> {
    let several = record.attempts.len() > 1;
    record
        .attempts
        .iter()
        .enumerate()
        .filter(move |(_, attempt)| several || attempt.error_type.is_some())
}

/// The attributes of an attempt's event.
pub fn attempt_attributes<'a>(at: usize, attempt: &'a Attempt, mut take: impl FnMut(&'static str, Value<'a>)) {
    take("edgequake.attempt.number", Value::count(at as u64 + 1));
    take(
        "edgequake.attempt.duration",
        Value::Double(super::attributes::seconds(attempt.duration_ns)),
    );
    if let Some(status) = attempt.http_status {
        take("http.response.status_code", Value::Integer(i64::from(status)));
    }
    if let Some(error_type) = &attempt.error_type {
        take("error.type", Value::text(error_type));
    }
    if let Some(model) = &attempt.model {
        take("gen_ai.request.model", Value::text(model));
    }
    if let Some(address) = &attempt.server_address {
        take("server.address", Value::text(address));
    }
}
