//! From the arguments of `completion` and its kin to a request, and to what the record says of it.

use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::arguments::{Arguments, Control};
use super::asked;
use super::caller::Caller;
use super::forms::Form;
use super::outgoing::Parts;
use super::trust;
use crate::call::{Asked, Start};
use crate::client::Request;
use crate::endpoint::{self, Endpoint};
use crate::failure::{Failure, FailureKind};
use crate::fingerprint;
pub(crate) use crate::providers::Operation;
use crate::providers::Vendor;
use crate::providers::chat_by_responses;
use crate::providers::vendors;
use crate::redact;
use crate::surface::Surface;

/// A call as its arguments describe it: what is to be sent, unless they are wrong, and what is to be recorded either way.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub start: Start,
    pub request: Result<Request, Failure>,
    /// Callbacks that listen to this call only are among its arguments.
    pub has_own_callbacks: bool,
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
    let mut arguments = match Arguments::read(params, globals) {
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
    let aliased = alias_of(model, globals)?;
    let model = aliased.as_ref().unwrap_or(model);
    let named = model.cast::<PyString>().ok().map(|model| model.to_cow()).transpose()?;
    let mut target = target(named.as_deref(), &arguments.control);
    let mut by_responses = false;
    if operation == Operation::Chat
        && let Ok((vendor, model)) = &mut target
        && let Some(bare) = chat_by_responses::bare_model(vendor.id, model)
    {
        (*model, by_responses) = (bare, true);
    }
    let (vendor, model_name) = match &target {
        Ok((vendor, model)) => (Some(*vendor), model.as_str()),
        Err(_) => (None, named.as_deref().unwrap_or_default()),
    };
    let control = &arguments.control;
    let key = control
        .api_key
        .clone()
        .map_or_else(
            || vendor.map_or(Ok(None), |vendor| key_in_globals(vendor, globals)),
            |key| Ok(Some(key)),
        )?
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
    let surface = operation.surface();
    let mut asked = asked::read(&arguments.body, arguments.metadata.as_ref())?;
    asked::read_input(&mut asked, surface, streaming, input);
    asked.price = arguments.price.take();
    let field = if surface == Surface::Responses {
        "input"
    } else {
        "messages"
    };
    let others = arguments
        .body
        .iter()
        .filter(|(name, _)| matches!(name.as_str(), "instructions" | "tools"));
    let said = [(field, input)]
        .into_iter()
        .chain(others.map(|(name, value)| (name.as_str(), value)));
    asked.content = asked::content(surface, said);
    let start = Start {
        origin: "native",
        origin_version: Some(Arc::from(env!("CARGO_PKG_VERSION"))),
        surface,
        provider: Arc::from(vendor.map_or("unknown", |vendor| vendor.id)),
        request_model: (!model_name.is_empty()).then(|| Arc::from(model_name)),
        server_address: endpoint.as_ref().map(|e| Arc::from(e.host.as_str())),
        server_port: endpoint.as_ref().map(Endpoint::port_or_default),
        streaming,
        scope: caller.scope,
        parent: caller.parent,
        api_key_id: key.as_deref().and_then(fingerprint::of),
        secrets,
        asked,
        mocked: false,
        live: None,
        listener: None,
    };
    let tls = match &endpoint {
        Some(endpoint) if endpoint.https => trust::settings_of(&control.tls, globals),
        _ => Ok(None),
    };
    let request = match (target, tls) {
        (Err(failure), _) => Err(failure),
        (_, Err(error)) if is_about_the_value(&error, model.py()) => Err(invalid(error.value(model.py()).to_string())),
        (_, Err(error)) => return Err(error),
        (Ok((vendor, _)), _) if lacks(vendor, operation) => Err(invalid(format!(
            "{} of provider '{}' is not supported yet: ask another provider",
            operation.name(),
            vendor.id
        ))),
        (Ok((vendor, model)), Ok(tls)) => {
            let parts = Parts {
                operation,
                vendor,
                model: &model,
                key: key.as_deref(),
                endpoint,
                input,
                by_responses,
                tls,
            };
            parts.request(&arguments)?
        }
    };
    Ok(Prepared {
        start,
        request,
        has_own_callbacks: arguments.control.has_own_callbacks,
    })
}

/// Whether a provider has no such endpoint, or has it in words of its own that are not built.
fn lacks(vendor: &Vendor, operation: Operation) -> bool {
    match operation {
        Operation::Chat | Operation::Embeddings | Operation::Responses => false,
        Operation::ImageGeneration if vendor.dialect.is_some_and(|dialect| dialect.words(operation)) => false,
        Operation::Speech if matches!(vendor.id, "mistral" | "xai") => true,
        _ => Form::of(vendor.id) == Form::Own,
    }
}

/// litellm's `model_alias_map`: the model that a name of the program's own stands for.
fn alias_of<'py>(model: &Bound<'py, PyAny>, globals: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(aliases) = globals.get_item(intern!(model.py(), "model_alias_map"))? else {
        return Ok(None);
    };
    match aliases.cast::<PyDict>() {
        Ok(aliases) if !aliases.is_empty() && model.is_instance_of::<PyString>() => aliases.get_item(model),
        _ => Ok(None),
    }
}

/// The key that the program gave for one provider: `openai_key`, `groq_key`, ...
fn key_in_globals(vendor: &Vendor, globals: &Bound<'_, PyDict>) -> PyResult<Option<String>> {
    let name = match vendor.id {
        "together_ai" => "togetherai_api_key".to_owned(),
        id => format!("{id}_key"),
    };
    let given = globals.get_item(name)?;
    Ok(given
        .and_then(|key| key.extract().ok())
        .filter(|key: &String| !key.is_empty()))
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
        surface: operation.surface(),
        provider: Arc::from("unknown"),
        request_model: model,
        server_address: None,
        server_port: None,
        streaming,
        scope: caller.scope,
        parent: caller.parent,
        api_key_id: None,
        secrets: Vec::new(),
        asked: Asked::default(),
        mocked: false,
        live: None,
        listener: None,
    };
    Prepared {
        start,
        request: Err(invalid(message)),
        has_own_callbacks: false,
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Failure {
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
        None => Ok((vendors::by_model(model).unwrap_or(&vendors::OPENAI), model.to_owned())),
    }
}

pub(super) fn first_set(variables: &[&str]) -> Option<String> {
    variables
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

pub(super) fn base_of(vendor: &Vendor) -> Option<String> {
    first_set(vendor.base_variables).or_else(|| (!vendor.base_url.is_empty()).then(|| vendor.base_url.to_owned()))
}

pub(super) fn is_about_the_value(error: &PyErr, py: Python<'_>) -> bool {
    use pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
    error.is_instance_of::<PyTypeError>(py)
        || error.is_instance_of::<PyValueError>(py)
        || error.is_instance_of::<PyRecursionError>(py)
}
