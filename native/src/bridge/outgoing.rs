//! A request as it is sent: URL, headers, body.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use super::arguments::{Arguments, Control};
use super::checked::{self, Fields};
use super::endpoints;
use super::json_out;
use super::request::{Operation, invalid, is_about_the_value};
use super::source::own_model;
use super::worded;
use crate::client::Request;
use crate::endpoint::{self, Endpoint};
use crate::failure::{Failure, FailureKind};
use crate::providers::chat_by_responses::{self, ChatByResponses};
use crate::providers::openai::messages;
use crate::providers::openai::parameters::knows_developers;
use crate::providers::{Dialect, Vendor, compatible, responses};
use crate::settings;
use crate::transport::{Outgoing, TlsSettings};

/// Bytes that a request with a short prompt needs.
const USUAL_BODY: usize = 1024;

/// What the request is put together from.
pub(super) struct Parts<'a, 'py> {
    pub operation: Operation,
    pub vendor: &'static Vendor,
    pub model: &'a str,
    pub key: Option<&'a str>,
    pub endpoint: Option<Endpoint>,
    pub input: &'a Bound<'py, PyAny>,
    /// A chat that the model's name wants asked as a response.
    pub by_responses: bool,
    pub tls: Option<Arc<TlsSettings>>,
}

impl Parts<'_, '_> {
    /// The request, or what is wrong with it.
    pub(super) fn request(self, arguments: &Arguments<'_>) -> PyResult<Result<Request, Failure>> {
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
        if self.operation == Operation::Responses && !responses::is_native(self.vendor.id) {
            return worded::request(
                &self,
                arguments,
                endpoint,
                self.vendor.dialect.unwrap_or(&compatible::PLAIN),
            );
        }
        if self.operation == Operation::Chat
            && (self.by_responses
                || chat_by_responses::is_needed(self.vendor.id, self.model, arguments.has("web_search_options")))
        {
            return worded::request(&self, arguments, endpoint, &ChatByResponses);
        }
        if let Some(dialect) = self.vendor.dialect.filter(|dialect| dialect.words(self.operation)) {
            return worded::request(&self, arguments, endpoint, dialect);
        }
        if !self.operation.is_in_dialects() {
            return endpoints::request(&self, arguments, endpoint);
        }
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
        let ask_for_usage = control.stream
            && self.vendor.stream_usage
            && settings::injects_stream_usage()
            && !arguments.asks_for_usage()?;
        let is_chat = self.operation == Operation::Chat;
        let adjusted = if is_chat {
            match checked::adjusted(self.vendor.id, self.model, arguments)? {
                Ok(adjusted) => adjusted,
                Err(failure) => return Ok(Err(failure)),
            }
        } else {
            None
        };
        let fields = adjusted.as_ref().unwrap_or(&arguments.body);
        let mut body = match self.readable_body(arguments, fields, ask_for_usage)? {
            Ok(body) => body,
            Err(failure) => return Ok(Err(failure)),
        };
        if is_chat && let Some(better) = messages::put_right(&body, knows_developers(self.model)) {
            body = better;
        }
        let closing_model = self.closing_model(control);
        Ok(Ok(Request {
            outgoing: Outgoing {
                method: Method::POST,
                uri,
                headers,
                body,
                tls: self.tls,
            },
            timeouts: control.timeouts,
            max_retries: control.max_retries,
            streaming: control.stream,
            hide_usage: control.stream && !arguments.wants_usage()?,
            closing_model,
            reading: None,
            is_one_of_several: false,
        }))
    }

    /// What litellm's own last chunk of a stream calls the model.
    pub(super) fn closing_model(&self, control: &Control) -> Option<String> {
        (control.stream && self.operation == Operation::Chat)
            .then(|| own_model(self.vendor.id, Some(self.model)).unwrap_or_else(|| self.model.to_owned()))
    }

    /// The body in OpenAI's dialect, or what of the caller's values has no JSON form.
    pub(super) fn readable_body(
        &self,
        arguments: &Arguments<'_>,
        fields: &Fields<'_>,
        ask_for_usage: bool,
    ) -> PyResult<Result<Bytes, Failure>> {
        self.written(self.body(arguments, fields, ask_for_usage), " as JSON")
    }

    /// A body, or what is wrong with what it was to be made of; `form` is what the failure calls its form.
    pub(super) fn written(&self, body: PyResult<Bytes>, form: &str) -> PyResult<Result<Bytes, Failure>> {
        match body {
            Ok(body) => Ok(Ok(body)),
            // A value that cannot be put so is a wrong request; a broken interpreter is not.
            Err(error) if is_about_the_value(&error, self.input.py()) => Ok(Err(invalid(format!(
                "the request cannot be written{form}: {}",
                error.value(self.input.py())
            )))),
            Err(error) => Err(error),
        }
    }

    pub(super) fn headers(&self, control: &Control) -> Result<HeaderMap, Failure> {
        let mut headers = general_headers(control);
        self.authorise(&mut headers)?;
        if let Some(organization) = &control.organization {
            let value = HeaderValue::from_str(organization)
                .map_err(|_| invalid("organization holds characters that no header can carry"))?;
            headers.insert(HeaderName::from_static("openai-organization"), value);
        }
        add_extra(control, &mut headers)?;
        Ok(headers)
    }

    fn authorise(&self, headers: &mut HeaderMap) -> Result<(), Failure> {
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
            None => self.complain_without_key()?,
        }
        Ok(())
    }

    /// Servers that people run themselves take requests without a key.
    pub(super) fn complain_without_key(&self) -> Result<(), Failure> {
        if self.key.is_some() || self.vendor.hosts.is_empty() {
            return Ok(());
        }
        let variables = self.vendor.key_variables.join(" or ");
        Err(Failure {
            status: Some(401),
            ..Failure::new(
                FailureKind::InvalidRequest,
                format!(
                    "no API key for provider '{}': pass api_key, set edgequake_obs.api_key, or set {variables}",
                    self.vendor.id
                ),
            )
        })
    }
    /// A pydantic class as the `response_format` that asks for its objects.
    fn schema_of<'py>(&self, class: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let strict = self.vendor.dialect.is_none_or(Dialect::has_strict_schemas);
        class
            .py()
            .import("edgequake_obs._pydantic")?
            .call_method1("response_format", (class, strict))
    }

    fn body(&self, arguments: &Arguments<'_>, fields: &Fields<'_>, ask_for_usage: bool) -> PyResult<Bytes> {
        let mut out = Vec::with_capacity(USUAL_BODY);
        out.push(b'{');
        // `extra_body` may set these two as well, and then it wins.
        if !arguments.has("model") {
            out.extend_from_slice(b"\"model\":");
            json_out::write_str(bare(self.vendor.id, self.model), &mut out)?;
            out.push(b',');
        }
        if !arguments.has(self.operation.input_field()) {
            json_out::write_str(self.operation.input_field(), &mut out)?;
            out.push(b':');
            json_out::write(self.input, &mut out)?;
            out.push(b',');
        }
        for (name, value) in fields {
            if ask_for_usage && name == "stream_options" {
                continue;
            }
            json_out::write_str(name, &mut out)?;
            out.push(b':');
            if name == "response_format" && value.is_instance_of::<PyType>() {
                json_out::write(&self.schema_of(value)?, &mut out)?;
            } else {
                json_out::write(value, &mut out)?;
            }
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

/// Azure's deployment without litellm's prefix for the kind of its model.
fn bare<'a>(provider: &str, model: &'a str) -> &'a str {
    if provider == "azure" {
        endpoint::bare_deployment(model)
    } else {
        model
    }
}

/// What every request says, whatever its dialect.
pub(super) fn general_headers(control: &Control) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let accepted = if control.stream {
        "text/event-stream"
    } else {
        "application/json"
    };
    headers.insert(ACCEPT, HeaderValue::from_static(accepted));
    // A stream is not asked for in a compressed form, of which servers hold back what fills no block yet.
    if !control.stream {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate"));
    }
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("edgequake-obs/", env!("CARGO_PKG_VERSION"))),
    );
    headers
}

/// The caller's own headers: they win.
pub(super) fn add_extra(control: &Control, headers: &mut HeaderMap) -> Result<(), Failure> {
    for (name, value) in &control.extra_headers {
        let (Ok(header), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) else {
            return Err(invalid(format!(
                "the extra header '{name}' cannot be sent: its name or its value is not valid"
            )));
        };
        headers.insert(header, value);
    }
    Ok(())
}
