//! litellm's `mock_response`: an answer, a stream or a failure that no provider gives. Nothing is sent or recorded.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::call::{Ending, OpenCall, Start};
use crate::client::{Answer, Reply};
use crate::failure::{Failure, FailureKind};
use crate::providers::openai;
use crate::stream::Stream;

#[derive(Debug)]
pub(crate) enum Mock {
    Answer(Bytes),
    Stream(Vec<Bytes>),
    Failure(Failure),
}

/// What a call's own arguments say that its answer shall be; None for a call that is to be made.
///
/// # Errors
/// What Python raises where the mocked answer has no form in JSON.
pub(super) fn read(start: &Start, params: &Bound<'_, PyDict>) -> PyResult<Option<Mock>> {
    let given = |name: &str| -> PyResult<bool> { Ok(params.get_item(name)?.is_some_and(|value| !value.is_none())) };
    if !given("mock_response")? && !given("mock_timeout")? {
        return Ok(None);
    }
    let mocked = params.py().import("edgequake_obs.mocks")?.call_method1(
        "mocked",
        (
            start.surface.name(),
            start.request_model.as_deref().unwrap_or_default(),
            start.streaming,
            params,
        ),
    )?;
    type Failed = (String, Option<u16>, Option<String>, String);
    let (bodies, failed): (Vec<Vec<u8>>, Option<Failed>) = mocked.extract()?;
    if let Some((kind, status, code, message)) = failed {
        let kind = match kind.as_str() {
            "timeout" => FailureKind::Timeout,
            "invalid_response" => FailureKind::InvalidResponse,
            _ => FailureKind::Status,
        };
        return Ok(Some(Mock::Failure(Failure {
            status,
            code,
            ..Failure::new(kind, message)
        })));
    }
    let mut bodies = bodies.into_iter().map(Bytes::from);
    Ok(Some(if start.streaming {
        Mock::Stream(bodies.collect())
    } else {
        Mock::Answer(bodies.next().unwrap_or_default())
    }))
}

/// The call's reply, as if a provider had given it.
pub(super) fn reply(mock: Mock, call: Arc<OpenCall>) -> Result<Reply, Failure> {
    match mock {
        Mock::Failure(failure) => Err(call.fail(failure)),
        Mock::Answer(body) => {
            if let Ok((facts, _)) = openai::read_answer(&body) {
                call.with_state(|state| state.facts = facts);
            }
            call.hear_answer(&body, &HeaderMap::new());
            call.finish(Ending::Completed);
            Ok(Reply::Answer(Answer {
                body,
                headers: HeaderMap::new(),
                call,
            }))
        }
        Mock::Stream(chunks) => {
            for chunk in &chunks {
                call.with_state(|state| {
                    openai::read_event(&mut state.facts, chunk);
                    state.events_arrived(1, Instant::now());
                });
                call.hear_chunk(chunk);
            }
            Ok(Reply::Stream(Stream::whole(call, chunks), HeaderMap::new()))
        }
    }
}
