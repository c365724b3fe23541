//! A call's content as an event of its own: a log record with a name, in the context of the call's span.

use super::Semconv;
use super::attributes::{Part, attributes};
use super::protobuf as pb;
use super::value::attribute;
use crate::record::CallRecord;

/// The event's name in the GenAI conventions.
pub const DETAILS: &str = "gen_ai.client.inference.operation.details";

/// `SEVERITY_NUMBER_INFO`.
const INFO: u64 = 9;
const SAMPLED: u32 = 1;

/// The `LogRecord` message; None of a call that has no content for events.
pub(super) fn encode(record: &CallRecord, semconv: Semconv, sampled: bool) -> Option<Vec<u8>> {
    if !is_told(record) {
        return None;
    }
    let ended_ns = (record.start_ns + record.duration_ns).cast_unsigned();
    let mut out = Vec::with_capacity(2_048);
    pb::fixed64(&mut out, 1, ended_ns);
    pb::integer(&mut out, 2, INFO);
    attributes(record, semconv, Part::Event, |name, value| {
        attribute(&mut out, 6, name, &value);
    });
    pb::fixed32(&mut out, 8, if sampled { SAMPLED } else { 0 });
    pb::bytes(&mut out, 9, &record.trace_id);
    pb::bytes(&mut out, 10, &record.span_id);
    pb::fixed64(&mut out, 11, ended_ns);
    pb::text(&mut out, 12, DETAILS);
    Some(out)
}

/// Whether a call is told of in an event.
#[must_use]
pub fn is_told(record: &CallRecord) -> bool {
    record.content_on_events && record.content.is_some()
}
