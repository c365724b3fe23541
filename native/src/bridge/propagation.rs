//! Telling a provider which trace a request belongs to, where the program asks for it: `EDGEQUAKE_OBS_PROPAGATE`.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use pyo3::intern;
use pyo3::prelude::*;

use super::spans;
use crate::call::OpenCall;
use crate::core::core;

/// The headers that the request is to have beside its own; none where nobody asked for that.
pub(super) fn carried(py: Python<'_>, call: &OpenCall) -> Vec<(String, String)> {
    if !core().propagates() {
        return Vec::new();
    }
    if let Some(live) = call.live.filter(|live| live.has_span) {
        let carried = spans::module(py)
            .and_then(|module| module.call_method1(intern!(py, "carried"), (live.ticket,)))
            .and_then(|carried| carried.extract());
        return carried.unwrap_or_else(|error| {
            spans::contain(py, &error);
            Vec::new()
        });
    }
    let parent_sampled = call.with_state(|state| state.parent_sampled()).flatten();
    let sampled = core()
        .otlp()
        .and_then(|otlp| otlp.samples(&call.trace_id, parent_sampled));
    sampled.map_or_else(Vec::new, |sampled| {
        let (trace, span) = (u128::from_be_bytes(call.trace_id), u64::from_be_bytes(call.span_id));
        let value = format!("00-{trace:032x}-{span:016x}-{:02x}", u8::from(sampled));
        vec![("traceparent".to_owned(), value)]
    })
}

/// The same into a request of our own; what the program itself has set stays.
pub(super) fn add(py: Python<'_>, call: &OpenCall, headers: &mut HeaderMap) {
    for (name, value) in carried(py, call) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.entry(name).or_insert(value);
        }
    }
}
