//! Calls that somebody tells of after they were made: `edgequake_obs.record`, the results of a batch.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::asked;
use super::caller::Caller;
use super::patched::{origin_of, said_in};
use super::spans;
use crate::call::given::Given;
use crate::call::{Asked, Ending, OpenCall, Start};
use crate::headers::ResponseFacts;
use crate::ids;
use crate::surface::Surface;

/// More names of operations than any program has.
const MOST_NAMES: usize = 256;

/// A name that lives as long as the process; records hold it without a copy of their own.
fn lasting(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    if names.len() >= MOST_NAMES {
        return "other";
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(kept);
    kept
}

/// Records a call that is over. Gives its id.
///
/// `body` is the provider's answer, `usage` its usage object alone, as JSON; `uid` makes telling of it twice one record.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "as many as the Python function has")]
#[pyo3(signature = (*, origin, origin_version, provider, operation, model, response_model, response_id, server_address,
    params, caller, uid, start_ns, duration_ns, usage, body, cost_usd, batch, http_status, error_type, error_message))]
pub(crate) fn record_told(
    py: Python<'_>,
    origin: &str,
    origin_version: Option<&str>,
    provider: &str,
    operation: &str,
    model: Option<&str>,
    response_model: Option<String>,
    response_id: Option<String>,
    server_address: Option<&str>,
    params: Option<&Bound<'_, PyDict>>,
    caller: Option<&Bound<'_, PyAny>>,
    uid: Option<[u8; 16]>,
    start_ns: Option<i64>,
    duration_ns: i64,
    usage: Option<String>,
    body: Option<&Bound<'_, PyBytes>>,
    cost_usd: Option<&str>,
    batch: bool,
    http_status: Option<u16>,
    error_type: Option<&str>,
    error_message: Option<&str>,
) -> PyResult<String> {
    let surface = Surface::find(operation);
    let cost = cost_usd
        .map(pricing::Usd::parse)
        .transpose()
        .map_err(|error| PyValueError::new_err(format!("cost_usd must be an amount in USD: {error}")))?;
    let mut given = Given {
        uid,
        start_ns,
        duration_ns,
        operation: surface.is_none().then(|| lasting(operation)),
        cost,
        batch,
    };
    let surface = surface.unwrap_or(Surface::Provider);
    let caller = Caller::read(caller)?;
    let mut start = Start {
        origin: origin_of(origin),
        origin_version: origin_version.map(Arc::from),
        surface,
        provider: Arc::from(provider),
        request_model: model.map(Arc::from),
        server_address: server_address.map(Arc::from),
        server_port: None,
        streaming: false,
        scope: caller.scope,
        parent: caller.parent,
        api_key_id: None,
        secrets: Vec::new(),
        asked: match params {
            Some(params) => asked::read_body(params, surface, false)?,
            None => Asked::default(),
        },
        live: None,
        listener: None,
        mocked: false,
    };
    start.live = spans::begin(
        py,
        &start,
        given.operation.unwrap_or_else(|| surface.operation()),
        given.start_ns,
    );
    given.start_ns = given.start_ns.or_else(|| Some(start.live?.start_ns));
    let call = OpenCall::told(start, given);
    let failed = error_type.is_some() || http_status.is_some_and(|status| status >= 400);
    let answer = body.map(|body| body.as_bytes());
    call.with_state(|state| {
        let response = http_status.map_or_else(ResponseFacts::default, ResponseFacts::new);
        state.answered_with(response, answer.filter(|_| !failed).map(Bytes::copy_from_slice));
        state.told.usage = usage;
        state.told.model = response_model;
        state.told.response_id = response_id;
    });
    call.finish(if failed {
        let (error_type, message) = said_in(
            http_status,
            answer,
            error_type.unwrap_or("error"),
            error_message.unwrap_or_default(),
        );
        Ending::Failed {
            error_type,
            message,
            status: http_status,
        }
    } else {
        Ending::Completed
    });
    spans::end_those_over(py);
    Ok(ids::uuid_text(&call.uid))
}
