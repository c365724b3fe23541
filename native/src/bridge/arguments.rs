//! The keyword arguments of a call: those that steer it, and those that go to the provider.

use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::price_facts::PriceArguments;
use super::{patience, trust};
use crate::prices::PriceFacts;
use crate::transport::{Timeouts, TlsSettings};

/// The openai SDK's defaults, which litellm passes on.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
const DEFAULT_MAX_RETRIES: u32 = 2;

/// Arguments of litellm's that steer the library and never reach a provider.
const NEVER_SENT: &[&str] = &[
    "acompletion",
    "aembedding",
    "context_window_fallback_dict",
    "fallbacks",
    "caching",
    "cooldown_time",
    "custom_prompt_dict",
    "force_timeout",
    "hf_model_name",
    "id",
    "litellm_call_id",
    "litellm_logging_obj",
    "litellm_metadata",
    "litellm_params",
    "litellm_trace_id",
    "logger_fn",
    "mock_delay",
    "mock_response",
    "mock_timeout",
    "mock_tool_calls",
    "model_list",
    "no-log",
    "preset_cache_key",
    "proxy_server_request",
    "tags",
    "verbose",
    "azure_ad_token",
];

/// Arguments of litellm's whose effect is not built yet: a call that relied on them would do something else in silence.
const NOT_YET: &[&str] = &["cache"];

#[derive(Debug)]
pub(crate) struct Control {
    pub api_key: Option<String>,
    pub api_base: Option<String>,
    pub api_version: Option<String>,
    pub organization: Option<String>,
    pub custom_llm_provider: Option<String>,
    pub timeouts: Timeouts,
    pub max_retries: u32,
    pub stream: bool,
    pub drop_params: bool,
    /// Parameters that are sent although the provider is not known to know them.
    pub allowed_params: Vec<String>,
    /// litellm's: what the provider refuses in messages is made good.
    pub modify_params: bool,
    pub extra_headers: Vec<(String, String)>,
    pub not_yet: Option<String>,
    /// litellm's `success_callback=` and its kin, of one call.
    pub has_own_callbacks: bool,
    /// What the call says of TLS: `ssl_verify`, `ssl_certificate`.
    pub tls: TlsSettings,
}

#[derive(Debug)]
pub(crate) struct Arguments<'py> {
    pub control: Control,
    /// Name and value of what goes into the request's body, in the caller's order.
    pub body: Vec<(String, Bound<'py, PyAny>)>,
    /// Names that came in `extra_body`.
    pub extra: Vec<String>,
    /// Recorded, not sent.
    pub metadata: Option<Bound<'py, PyAny>>,
    /// What the call says of its price; not sent either.
    pub price: Option<Box<PriceFacts>>,
}

impl<'py> Arguments<'py> {
    pub(crate) fn read(params: &Bound<'py, PyDict>, globals: &Bound<'py, PyDict>) -> PyResult<Self> {
        let mut control = Control {
            api_key: None,
            api_base: None,
            api_version: None,
            organization: None,
            custom_llm_provider: None,
            timeouts: Timeouts::of(DEFAULT_TIMEOUT),
            max_retries: DEFAULT_MAX_RETRIES,
            stream: false,
            drop_params: false,
            allowed_params: Vec::new(),
            modify_params: false,
            extra_headers: Vec::new(),
            not_yet: None,
            has_own_callbacks: false,
            tls: TlsSettings::default(),
        };
        let (mut timeout, mut max_retries, mut num_retries, mut drop_params) = (None, None, None, None);
        let (mut metadata, mut extra) = (None, None);
        let mut dropped: Vec<String> = Vec::new();
        let mut body = Vec::with_capacity(params.len());
        let mut price = PriceArguments::default();
        for (name, value) in params {
            if value.is_none() {
                continue;
            }
            let name = name.cast_into::<PyString>()?;
            let name = name.to_cow()?;
            match &*name {
                "api_key" => control.api_key = text(&value, "api_key")?,
                "api_base" | "base_url" => control.api_base = text(&value, "api_base")?,
                "api_version" => control.api_version = text(&value, "api_version")?,
                "organization" => control.organization = text(&value, "organization")?,
                "custom_llm_provider" => control.custom_llm_provider = text(&value, "custom_llm_provider")?,
                "timeout" | "request_timeout" => timeout = Some(patience::timeouts(&value)?),
                "max_retries" => max_retries = Some(count(&value, "max_retries")?),
                "num_retries" => num_retries = Some(count(&value, "num_retries")?),
                "stream" => control.stream = value.is_truthy()?,
                "additional_drop_params" => dropped = value.extract()?,
                "allowed_openai_params" => control.allowed_params = value.extract()?,
                "drop_params" => drop_params = Some(value.is_truthy()?),
                "metadata" => metadata = Some(value),
                "extra_headers" | "headers" => control.extra_headers.extend(headers(&value)?),
                "ssl_verify" => control.tls.verify = Some(trust::verify(&value)?),
                "ssl_certificate" => control.tls.certificate = Some(trust::certificate(&value)?),
                "extra_body" => extra = Some(value.cast_into::<PyDict>()?),
                "callbacks" | "success_callback" | "failure_callback" | "input_callback" => {
                    control.has_own_callbacks = true;
                }
                name if NEVER_SENT.contains(&name) => {}
                name if NOT_YET.contains(&name) => control.not_yet = Some(name.to_owned()),
                name if price.take(name, &value)? => {}
                name => body.push((name.to_owned(), value)),
            }
        }
        if let Some(metadata) = &metadata {
            price.take_metadata(metadata)?;
        }
        let mut extra_names = Vec::new();
        for (name, value) in extra.into_iter().flatten() {
            let name: String = name.extract()?;
            extra_names.push(name.clone());
            match body.iter_mut().find(|(known, _)| *known == name) {
                Some(field) => field.1 = value,
                None => body.push((name, value)),
            }
        }
        if let Some(config) = globals.get_item(intern!(globals.py(), "cost_discount_config"))? {
            price.take_discounts(&config)?;
        }
        if let Some(given) = globals.get_item(intern!(globals.py(), "headers"))?
            && !given.is_none()
        {
            // The call's own come later, and win.
            control.extra_headers.splice(0..0, headers(&given)?);
        }
        // A dot leads into a parameter; only whole ones are dropped here.
        body.retain(|(name, _)| !dropped.contains(name));
        let global = |name: &str| -> PyResult<Option<Bound<'py, PyAny>>> {
            Ok(globals.get_item(name)?.filter(|value| !value.is_none()))
        };
        let global_text =
            |name: &str| -> PyResult<Option<String>> { global(name)?.map_or(Ok(None), |value| text(&value, name)) };
        control.api_key = control
            .api_key
            .map_or_else(|| global_text("api_key"), |key| Ok(Some(key)))?;
        control.api_base = control
            .api_base
            .map_or_else(|| global_text("api_base"), |base| Ok(Some(base)))?;
        control.organization = control
            .organization
            .map_or_else(|| global_text("organization"), |name| Ok(Some(name)))?;
        control.api_version = control
            .api_version
            .map_or_else(|| global_text("api_version"), |version| Ok(Some(version)))?;
        control.drop_params = match drop_params {
            Some(drop) => drop,
            None => global("drop_params")?.map_or(Ok(false), |value| value.is_truthy())?,
        };
        control.modify_params = global("modify_params")?.map_or(Ok(false), |value| value.is_truthy())?;
        control.timeouts = match timeout {
            Some(timeouts) => timeouts,
            None => global("request_timeout")?
                .map_or(Ok(Timeouts::of(DEFAULT_TIMEOUT)), |value| patience::timeouts(&value))?,
        };
        control.max_retries = match max_retries.or(num_retries) {
            Some(count) => count,
            None => global("num_retries")?.map_or(Ok(DEFAULT_MAX_RETRIES), |value| count(&value, "num_retries"))?,
        };
        Ok(Self {
            control,
            body,
            extra: extra_names,
            metadata,
            price: price.finished()?,
        })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.body.iter().any(|(known, _)| known == name)
    }

    /// Whether the caller said anything about the stream's usage: then it is not ours to ask for.
    pub(crate) fn asks_for_usage(&self) -> PyResult<bool> {
        let Some((_, options)) = self.body.iter().find(|(name, _)| name == "stream_options") else {
            return Ok(false);
        };
        options.contains("include_usage")
    }

    /// Whether a parameter is sent whatever the provider is known to take.
    pub(crate) fn sends_anyway(&self, name: &str) -> bool {
        let listed = |names: &[String]| names.iter().any(|known| known == name);
        listed(&self.extra) || listed(&self.control.allowed_params)
    }

    /// Whether the caller wants the stream's usage.
    pub(crate) fn wants_usage(&self) -> PyResult<bool> {
        let Some((_, options)) = self.body.iter().find(|(name, _)| name == "stream_options") else {
            return Ok(false);
        };
        options
            .cast::<PyDict>()
            .map_or(Ok(None), |options| options.get_item("include_usage"))?
            .map_or(Ok(false), |wanted| wanted.is_truthy())
    }
}

fn text(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Option<String>> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(Some(text.to_cow()?.into_owned()).filter(|text| !text.is_empty())),
        // A URL object (httpx.URL, yarl.URL) is fine for a base; a key of another type is a mistake worth naming.
        Err(_) if name == "api_base" => Ok(Some(value.str()?.to_cow()?.into_owned())),
        Err(_) => Err(PyTypeError::new_err(format!(
            "{name} must be a str, not {}",
            value.get_type().name()?
        ))),
    }
}

fn count(value: &Bound<'_, PyAny>, name: &str) -> PyResult<u32> {
    value
        .extract()
        .map_err(|_| PyTypeError::new_err(format!("{name} must be a whole number, 0 or more")))
}

fn headers(value: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String)>> {
    let Ok(dict) = value.cast::<PyDict>() else {
        return Err(PyTypeError::new_err("extra_headers must be a dict of names and values"));
    };
    dict.iter()
        .map(|(name, value)| Ok((name.extract()?, value.str()?.to_cow()?.into_owned())))
        .collect()
}
