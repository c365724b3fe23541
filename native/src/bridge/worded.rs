//! A request to a provider that speaks another dialect than OpenAI's.

use bytes::Bytes;
use http::HeaderName;
use http::Method;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Map, Value};

use super::arguments::Arguments;
use super::outgoing::{Parts, add_extra, general_headers};
use super::request::invalid;
use crate::client::Request;
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::providers::dialect::{Asked, Worded};
use crate::providers::parameters::Wishes;
use crate::providers::responses::{self, ResponsesReading};
use crate::providers::{Dialect, Operation, Reading};
use crate::settings;
use crate::transport::Outgoing;

/// A header whose values add up instead of one replacing the other.
const BETAS: HeaderName = HeaderName::from_static("anthropic-beta");

pub(super) fn request(
    parts: &Parts<'_, '_>,
    arguments: &Arguments<'_>,
    endpoint: &Endpoint,
    dialect: &dyn Dialect,
) -> PyResult<Result<Request, Failure>> {
    if let Err(failure) = parts.complain_without_key() {
        return Ok(Err(failure));
    }
    let body = match parts.readable_body(arguments, &arguments.body, false)? {
        Ok(body) => body,
        Err(failure) => return Ok(Err(failure)),
    };
    // The last event of a response's stream has it.
    let is_a_response = parts.operation == Operation::Responses && parts.vendor.stream_usage;
    let wanted = is_a_response || arguments.wants_usage()?;
    let usage = StreamUsage {
        wanted,
        injected: arguments.control.stream
            && parts.vendor.stream_usage
            && settings::injects_stream_usage()
            && (wanted || !arguments.asks_for_usage()?),
    };
    let metadata_user = metadata_user(arguments)?;
    Ok(worded(parts, arguments, endpoint, dialect, &body, usage, metadata_user))
}

/// Who wants the usage of a stream.
#[derive(Clone, Copy)]
struct StreamUsage {
    wanted: bool,
    /// We want it, and the caller has nothing against it.
    injected: bool,
}

fn worded(
    parts: &Parts<'_, '_>,
    arguments: &Arguments<'_>,
    endpoint: &Endpoint,
    dialect: &dyn Dialect,
    body: &Bytes,
    usage: StreamUsage,
    metadata_user: Option<String>,
) -> Result<Request, Failure> {
    let control = &arguments.control;
    let mut body: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| invalid(format!("the request cannot be read: {error}")))?;
    for name in ["model", "stream", "stream_options"] {
        body.remove(name);
    }
    let mut operation = parts.operation;
    let mut echo = None;
    if operation == Operation::Responses {
        let (chat, said_again) = responses::as_chat(body)?;
        (operation, body, echo) = (Operation::Chat, chat, Some(said_again));
    }
    let Worded {
        uri,
        headers: own,
        body,
        reading,
    } = dialect.word(Asked {
        operation,
        wishes: Wishes {
            provider: parts.vendor.id,
            model: parts.model,
            drop_params: control.drop_params,
            allowed_params: &control.allowed_params,
            modify_params: control.modify_params,
        },
        streaming: control.stream,
        include_usage: usage.wanted,
        injects_usage: usage.injected,
        metadata_user,
        endpoint,
        key: parts.key,
        extra: &arguments.extra,
        body,
    })?;
    let reading = match echo {
        Some(echo) => Some(Box::new(ResponsesReading::new(reading, echo)) as Box<dyn Reading>),
        None => reading,
    };
    let uri = uri.ok_or_else(|| invalid("api_base and model do not make a valid URL"))?;
    let mut headers = general_headers(control);
    headers.extend(own.into_iter().map(|(name, value)| (Some(name), value)));
    let betas = headers.get(&BETAS).cloned();
    add_extra(control, &mut headers)?;
    if let (Some(ours), Some(theirs)) = (betas, headers.get(&BETAS))
        && let (Ok(ours), Ok(theirs)) = (ours.to_str(), theirs.to_str())
        && ours != theirs
        && let Ok(both) = http::HeaderValue::from_str(&format!("{theirs},{ours}"))
    {
        headers.insert(BETAS, both);
    }
    Ok(Request {
        outgoing: Outgoing {
            method: Method::POST,
            uri,
            headers,
            body: serde_json::to_vec(&body)
                .map(Bytes::from)
                .map_err(|error| invalid(format!("the request cannot be written: {error}")))?,
            tls: parts.tls.clone(),
        },
        timeouts: control.timeouts,
        max_retries: control.max_retries,
        streaming: control.stream,
        // Other dialects write no usage where it is not wanted.
        hide_usage: control.stream && !usage.wanted && reading.is_none(),
        closing_model: parts.closing_model(control),
        reading,
        is_one_of_several: false,
    })
}

/// litellm's `metadata={"user_id": ...}`.
fn metadata_user(arguments: &Arguments<'_>) -> PyResult<Option<String>> {
    let Some(metadata) = arguments
        .metadata
        .as_ref()
        .and_then(|value| value.cast::<PyDict>().ok())
    else {
        return Ok(None);
    };
    Ok(metadata.get_item("user_id")?.and_then(|user| user.extract().ok()))
}
