//! From the arguments of `completion` and its kin to a request, and to what the record says of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::arguments::{Arguments, Control};
use super::asked;
use super::caller::Caller;
use super::json_out;
use crate::call::{Asked, Start};
use crate::client::Request;
use crate::endpoint::{self, Endpoint};
use crate::failure::{Failure, FailureKind};
use crate::fingerprint;
use crate::providers::Vendor;
use crate::providers::vendors;
use crate::redact;
use crate::settings;
use crate::transport::Outgoing;

/// Bytes that a request with a short prompt needs.
const USUAL_BODY: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Chat,
    Embeddings,
}

impl Operation {
    fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Embeddings => "/embeddings",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embeddings => "embeddings",
        }
    }

    fn input_field(self) -> &'static str {
        match self {
            Self::Chat => "messages",
            Self::Embeddings => "input",
        }
    }
}

/// A call as its arguments describe it: what is to be sent, unless they are wrong, and what is to be recorded either way.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub start: Start,
    pub request: Result<Request, Failure>,
}

/// Reads the arguments. What is wrong with them is a failure of the call, with a record, not an error of this function.
///
/// # Errors
/// Only where Python itself fails (an exception in a property of an argument, an interrupted call).
pub(crate) fn prepare(
    operation: Operation,
    model: &Bound<'_, PyAny>,
    input: &Bound<'_, PyAny>,
    params: &Bound<'_, PyDict>,
    globals: &Bound<'_, PyDict>,
    caller: Option<&Bound<'_, PyAny>>,
) -> PyResult<Prepared> {
    let arguments = match Arguments::read(params, globals) {
        Ok(arguments) => arguments,
        Err(error) if is_about_the_value(&error, model.py()) => {
            let streaming = params
                .get_item("stream")?
                .is_some_and(|stream| stream.is_truthy().unwrap_or(false));
            let caller = Caller::read(caller)?;
            return Ok(refused(
                operation,
                model,
                streaming,
                caller,
                error.value(model.py()).to_string(),
            ));
        }
        Err(error) => return Err(error),
    };
    let named = model.cast::<PyString>().ok().map(|model| model.to_cow()).transpose()?;
    let target = target(named.as_deref(), &arguments.control);
    let (vendor, model_name) = match &target {
        Ok((vendor, model)) => (Some(*vendor), model.as_str()),
        Err(_) => (None, named.as_deref().unwrap_or_default()),
    };
    let control = &arguments.control;
    let key = control
        .api_key
        .clone()
        .or_else(|| vendor.and_then(|vendor| first_set(vendor.key_variables)));
    let base = control.api_base.clone().or_else(|| vendor.and_then(base_of));
    let endpoint = base.as_deref().and_then(endpoint::parse);
    let caller = Caller::read(caller)?;
    let streaming = control.stream;
    let mut secrets: Vec<String> = key.iter().cloned().collect();
    secrets.extend(endpoint.iter().flat_map(Endpoint::secrets));
    for (name, value) in &control.extra_headers {
        redact::note_header(name, value, &mut secrets);
    }
    let start = Start {
        origin: "native",
        origin_version: Some(Arc::from(env!("CARGO_PKG_VERSION"))),
        operation: operation.name(),
        provider: Arc::from(vendor.map_or("unknown", |vendor| vendor.id)),
        request_model: (!model_name.is_empty()).then(|| Arc::from(model_name)),
        server_address: endpoint.as_ref().map(|e| Arc::from(e.host.as_str())),
        streaming,
        scope: caller.scope,
        parent: caller.parent,
        api_key_id: key.as_deref().and_then(fingerprint::of),
        secrets,
        asked: asked::read(&arguments.body, arguments.metadata.as_ref(), streaming.then_some(input))?,
    };
    let request = match target {
        Err(failure) => Err(failure),
        Ok((vendor, model)) => {
            let parts = Parts {
                operation,
                vendor,
                model: &model,
                key: key.as_deref(),
                endpoint,
                input,
            };
            parts.request(&arguments)?
        }
    };
    Ok(Prepared { start, request })
}

/// A call whose arguments cannot even be read.
fn refused(
    operation: Operation,
    model: &Bound<'_, PyAny>,
    streaming: bool,
    caller: Caller,
    message: String,
) -> Prepared {
    let model = model
        .cast::<PyString>()
        .ok()
        .and_then(|model| model.to_cow().ok().map(|model| Arc::from(&*model)));
    let start = Start {
        origin: "native",
        origin_version: Some(Arc::from(env!("CARGO_PKG_VERSION"))),
        operation: operation.name(),
        provider: Arc::from("unknown"),
        request_model: model,
        server_address: None,
        streaming,
        scope: caller.scope,
        parent: caller.parent,
        api_key_id: None,
        secrets: Vec::new(),
        asked: Asked::default(),
    };
    Prepared {
        start,
        request: Err(invalid(message)),
    }
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure {
        status: Some(400),
        ..Failure::new(FailureKind::InvalidRequest, message)
    }
}

/// Which vendor a model's name and the arguments mean, and what that vendor calls the model.
fn target(model: Option<&str>, control: &Control) -> Result<(&'static Vendor, String), Failure> {
    let Some(model) = model.filter(|model| !model.is_empty()) else {
        return Err(invalid(
            "model must be the name of a model, such as 'gpt-4o-mini' or 'groq/llama-3.1-8b-instant'",
        ));
    };
    let known = || {
        vendors::VENDORS
            .iter()
            .map(|vendor| vendor.id)
            .collect::<Vec<_>>()
            .join(", ")
    };
    if let Some(id) = control.custom_llm_provider.as_deref() {
        let vendor = vendors::find(id).ok_or_else(|| {
            invalid(format!(
                "provider '{id}' is not supported yet; supported are: {}",
                known()
            ))
        })?;
        let stripped = model.strip_prefix(id).and_then(|rest| rest.strip_prefix('/'));
        return Ok((vendor, stripped.unwrap_or(model).to_owned()));
    }
    if let Some((prefix, rest)) = model.split_once('/') {
        if let Some(vendor) = vendors::find(prefix) {
            return Ok((vendor, rest.to_owned()));
        }
        if vendors::speaks_another_dialect(prefix) {
            return Err(invalid(format!(
                "provider '{prefix}' is not supported yet; supported are: {}",
                known()
            )));
        }
    }
    let by_host = control
        .api_base
        .as_deref()
        .and_then(endpoint::parse)
        .and_then(|e| vendors::at(&e.host, e.port));
    match by_host {
        Some(vendor) => Ok((vendor, model.to_owned())),
        None if model.contains('/') && control.api_base.is_none() => Err(invalid(format!(
            "cannot tell the provider of model '{model}': prefix it (one of {}) or give api_base",
            known()
        ))),
        None => Ok((&vendors::OPENAI, model.to_owned())),
    }
}

fn first_set(variables: &[&str]) -> Option<String> {
    variables
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

fn base_of(vendor: &Vendor) -> Option<String> {
    first_set(vendor.base_variables).or_else(|| (!vendor.base_url.is_empty()).then(|| vendor.base_url.to_owned()))
}

/// What the request is put together from.
struct Parts<'a, 'py> {
    operation: Operation,
    vendor: &'static Vendor,
    model: &'a str,
    key: Option<&'a str>,
    endpoint: Option<Endpoint>,
    input: &'a Bound<'py, PyAny>,
}

impl Parts<'_, '_> {
    fn request(self, arguments: &Arguments<'_>) -> PyResult<Result<Request, Failure>> {
        let control = &arguments.control;
        if let Some(name) = &control.not_yet {
            return Ok(Err(invalid(format!(
                "the argument '{name}' is not supported yet: leave it out"
            ))));
        }
        let Some(endpoint) = &self.endpoint else {
            let variables = self.vendor.base_variables.join(" or ");
            let given = control.api_base.as_deref().map_or_else(
                || {
                    format!(
                        "provider '{}' has no base URL: pass api_base or set {variables}",
                        self.vendor.id
                    )
                },
                |_| "api_base is not an http or https URL".to_owned(),
            );
            return Ok(Err(invalid(given)));
        };
        let outgoing_uri = if self.vendor.id == "azure" {
            endpoint.azure(self.operation.path(), self.model, control.api_version.as_deref())
        } else {
            endpoint.with_path(self.operation.path())
        };
        let Some(uri) = outgoing_uri else {
            return Ok(Err(invalid("api_base and model do not make a valid URL")));
        };
        let headers = match self.headers(control) {
            Ok(headers) => headers,
            Err(failure) => return Ok(Err(failure)),
        };
        let hide_usage = control.stream
            && self.vendor.stream_usage
            && settings::injects_stream_usage()
            && !arguments.asks_for_usage()?;
        let body = match self.body(arguments, hide_usage) {
            Ok(body) => body,
            // A value of the caller's that has no JSON form is a wrong request; a broken interpreter is not.
            Err(error) if is_about_the_value(&error, self.input.py()) => {
                return Ok(Err(invalid(format!(
                    "the request cannot be written as JSON: {}",
                    error.value(self.input.py())
                ))));
            }
            Err(error) => return Err(error),
        };
        Ok(Ok(Request {
            outgoing: Outgoing { uri, headers, body },
            timeout: Duration::try_from_secs_f64(control.timeout).unwrap_or(Duration::from_secs(600)),
            max_retries: control.max_retries,
            streaming: control.stream,
            hide_usage,
        }))
    }

    fn headers(&self, control: &Control) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            ACCEPT,
            HeaderValue::from_static(if control.stream {
                "text/event-stream"
            } else {
                "application/json"
            }),
        );
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("edgequake-obs/", env!("CARGO_PKG_VERSION"))),
        );
        match self.key {
            Some(key) => {
                let is_azure = self.vendor.id == "azure";
                let text = if is_azure {
                    key.to_owned()
                } else {
                    format!("Bearer {key}")
                };
                let mut value = HeaderValue::from_str(&text)
                    .map_err(|_| invalid("the API key holds characters that no header can carry"))?;
                value.set_sensitive(true);
                headers.insert(
                    if is_azure {
                        HeaderName::from_static("api-key")
                    } else {
                        AUTHORIZATION
                    },
                    value,
                );
            }
            None if self.needs_a_key() => {
                let variables = self.vendor.key_variables.join(" or ");
                return Err(Failure {
                    status: Some(401),
                    ..Failure::new(
                        FailureKind::InvalidRequest,
                        format!(
                            "no API key for provider '{}': pass api_key, set edgequake_obs.api_key, or set {variables}",
                            self.vendor.id
                        ),
                    )
                });
            }
            None => {}
        }
        if let Some(organization) = &control.organization {
            let value = HeaderValue::from_str(organization)
                .map_err(|_| invalid("organization holds characters that no header can carry"))?;
            headers.insert(HeaderName::from_static("openai-organization"), value);
        }
        for (name, value) in &control.extra_headers {
            let (Ok(header), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
            else {
                return Err(invalid(format!(
                    "the extra header '{name}' cannot be sent: its name or its value is not valid"
                )));
            };
            headers.insert(header, value);
        }
        Ok(headers)
    }

    /// Servers that people run themselves take requests without a key.
    fn needs_a_key(&self) -> bool {
        !self.vendor.hosts.is_empty()
    }

    fn body(&self, arguments: &Arguments<'_>, ask_for_usage: bool) -> PyResult<Bytes> {
        let mut out = Vec::with_capacity(USUAL_BODY);
        out.push(b'{');
        // `extra_body` may set these two as well, and then it wins.
        if !arguments.has("model") {
            out.extend_from_slice(b"\"model\":");
            json_out::write_str(self.model, &mut out)?;
            out.push(b',');
        }
        if !arguments.has(self.operation.input_field()) {
            json_out::write_str(self.operation.input_field(), &mut out)?;
            out.push(b':');
            json_out::write(self.input, &mut out)?;
            out.push(b',');
        }
        for (name, value) in &arguments.body {
            if ask_for_usage && name == "stream_options" {
                continue;
            }
            json_out::write_str(name, &mut out)?;
            out.push(b':');
            json_out::write(value, &mut out)?;
            out.push(b',');
        }
        if arguments.control.stream && !arguments.has("stream") {
            out.extend_from_slice(b"\"stream\":true,");
        }
        if ask_for_usage {
            out.extend_from_slice(b"\"stream_options\":");
            let options = arguments
                .body
                .iter()
                .find(|(name, _)| name == "stream_options")
                .map(|(_, value)| value);
            let merged = match options.and_then(|value| value.cast::<PyDict>().ok()) {
                Some(given) => given.copy()?,
                None => PyDict::new(self.input.py()),
            };
            merged.set_item("include_usage", true)?;
            json_out::write(merged.as_any(), &mut out)?;
            out.push(b',');
        }
        if out.last() == Some(&b',') {
            out.pop();
        }
        out.push(b'}');
        Ok(Bytes::from(out))
    }
}

fn is_about_the_value(error: &PyErr, py: Python<'_>) -> bool {
    use pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
    error.is_instance_of::<PyTypeError>(py)
        || error.is_instance_of::<PyValueError>(py)
        || error.is_instance_of::<PyRecursionError>(py)
}
