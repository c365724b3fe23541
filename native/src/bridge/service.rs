//! Who answers a client of somebody else's SDK, and what all calls from that client have in common.
//!
//! A patched call is begun while the program waits, with cold caches: each attribute read in Python costs it ten times
//! what the same costs here.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyMapping, PyString};

use super::asked;
use super::caller::Caller;
use super::listening;
use super::options::Options;
use super::patched::{Call, origin_of, secrets};
use super::spans;
use crate::call::{Asked, OpenCall, Start};
use crate::providers::vendors;
use crate::surface::Surface;
use crate::{endpoint, fingerprint};

/// A vendor at an address, as one library sends to it.
#[pyclass(frozen, module = "edgequake_obs._native")]
#[derive(Debug)]
pub(crate) struct Service {
    origin: &'static str,
    origin_version: Option<Arc<str>>,
    provider: Arc<str>,
    server_address: Option<Arc<str>>,
    server_port: Option<u16>,
    accepts_stream_usage: bool,
    /// The key that was used last: most programs have one, and its text is only looked at when it is another object.
    last_key: Mutex<Option<(Py<PyString>, Key)>>,
}

/// A key's text and fingerprint, and as of when.
#[derive(Clone, Debug)]
struct Key {
    text: Arc<str>,
    id: Option<Arc<str>>,
    generation: u64,
}

#[pymethods]
impl Service {
    /// `provider`: None to tell it by the URL; `openai`, whose dialect it speaks, at a host that nobody is known to answer at.
    #[new]
    #[pyo3(signature = (*, origin, origin_version, base_url, server_address, provider=None))]
    fn new(
        origin: &str,
        origin_version: Option<&str>,
        base_url: &str,
        server_address: Option<&str>,
        provider: Option<&str>,
    ) -> Self {
        let at_url = || {
            let endpoint = endpoint::parse(base_url)?;
            // What comes through the openai package is OpenAI's dialect, whoever answers.
            vendors::at(&endpoint.host, endpoint.port).filter(|vendor| vendor.answers_openai())
        };
        let provider = provider.unwrap_or_else(|| at_url().map_or(vendors::OPENAI.id, |vendor| vendor.id));
        Self {
            origin: origin_of(origin),
            origin_version: origin_version.map(Arc::from),
            accepts_stream_usage: vendors::find(provider).is_some_and(|vendor| vendor.stream_usage),
            provider: Arc::from(provider),
            server_address: server_address.filter(|address| !address.is_empty()).map(Arc::from),
            server_port: endpoint::parse(base_url).map(|endpoint| endpoint.port_or_default()),
            last_key: Mutex::new(None),
        }
    }

    #[getter]
    fn provider(&self) -> &str {
        &self.provider
    }

    #[getter]
    fn server_address(&self) -> Option<&str> {
        self.server_address.as_deref()
    }
}

impl Service {
    pub(super) fn is_openais(&self) -> bool {
        self.origin == "openai"
    }

    pub(super) fn accepts_stream_usage(&self) -> bool {
        self.accepts_stream_usage
    }

    /// What calls that `client` asks the outcome of have in common.
    pub(super) fn start_of_fetched(&self, client: &Bound<'_, PyAny>) -> PyResult<Start> {
        let key = self.key(client.getattr_opt(intern!(client.py(), "api_key"))?)?;
        Ok(Start {
            origin: self.origin,
            origin_version: self.origin_version.clone(),
            surface: Surface::Chat,
            provider: Arc::clone(&self.provider),
            request_model: None,
            server_address: self.server_address.clone(),
            server_port: self.server_port,
            streaming: false,
            scope: None,
            parent: None,
            api_key_id: key.as_ref().and_then(|key| key.id.clone()),
            secrets: key.iter().map(|key| key.text.to_string()).collect(),
            asked: Asked::default(),
            mocked: false,
            live: None,
            listener: None,
        })
    }

    /// The start hook of a client of the openai SDK: `options` are its FinalRequestOptions.
    pub(super) fn begin_on(
        &self,
        surface: Surface,
        client: &Bound<'_, PyAny>,
        options: &Options<'_>,
        streaming: bool,
        caller: Option<&Bound<'_, PyAny>>,
        asynchronous: bool,
    ) -> PyResult<Call> {
        let py = client.py();
        let caller = Caller::read(caller)?;
        let body = body_of(py, options)?;
        let model = match &body {
            Some(body) => body.get_item(intern!(py, "model"))?,
            None => None,
        };
        let streaming = streaming || is_true(body.as_ref(), intern!(py, "stream"))?;
        let key = self.key(client.getattr_opt(intern!(py, "api_key"))?)?;
        let headers = [
            client.getattr_opt(intern!(py, "_custom_headers"))?,
            options.get(intern!(py, "headers")).ok(),
        ];
        let mut start = Start {
            origin: self.origin,
            origin_version: self.origin_version.clone(),
            surface,
            provider: Arc::clone(&self.provider),
            request_model: model
                .as_ref()
                .and_then(|model| model.cast::<PyString>().ok())
                .and_then(|model| Some(Arc::from(&*model.to_cow().ok()?))),
            server_address: self.server_address.clone(),
            server_port: self.server_port,
            streaming,
            scope: caller.scope,
            parent: caller.parent,
            api_key_id: key.as_ref().and_then(|key| key.id.clone()),
            secrets: secrets(key.as_ref().map(|key| &*key.text), headers.iter().flatten()),
            asked: match &body {
                Some(body) => asked::read_body(body, surface, streaming)?,
                None => Asked::default(),
            },
            mocked: false,
            live: None,
            listener: None,
        };
        start.listener = listening::listener_of_body(py, &start, asynchronous, body.as_ref());
        start.live = spans::begin(py, &start, surface.operation(), None);
        let in_background = surface == Surface::Responses && is_true(body.as_ref(), intern!(py, "background"))?;
        let call = Call::of(OpenCall::begin(start), surface, streaming);
        Ok(if in_background { call.in_background() } else { call })
    }

    /// The key as it is known; None where there is none.
    fn key(&self, key: Option<Bound<'_, PyAny>>) -> PyResult<Option<Key>> {
        let Some(key) = key.as_ref().and_then(|key| key.cast::<PyString>().ok()) else {
            return Ok(None);
        };
        let generation = fingerprint::generation();
        let mut last = self.last_key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((object, known)) = last.as_ref()
            && object.is(key)
            && known.generation == generation
        {
            return Ok(Some(known.clone()));
        }
        let text: Arc<str> = Arc::from(&*key.to_cow()?);
        if text.is_empty() {
            return Ok(None);
        }
        let known = Key {
            id: fingerprint::of(&text),
            text,
            generation,
        };
        *last = Some((key.clone().unbind(), known.clone()));
        Ok(Some(known))
    }
}

/// The request's fields: its own body with the program's `extra_body` laid over it; None where that is no object.
fn body_of<'py>(py: Python<'py>, options: &Options<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let body = options.get(intern!(py, "json_data"))?.cast_into::<PyDict>().ok();
    let extra = options.get(intern!(py, "extra_json"))?;
    if !extra.is_truthy()? {
        return Ok(body);
    }
    let whole = match body {
        Some(body) => body.copy()?,
        None => PyDict::new(py),
    };
    whole.update(extra.cast::<PyMapping>()?)?;
    Ok(Some(whole))
}

fn is_true(body: Option<&Bound<'_, PyDict>>, field: &Bound<'_, PyString>) -> PyResult<bool> {
    let Some(body) = body else { return Ok(false) };
    let value = body.get_item(field)?;
    Ok(value.is_some_and(|value| value.is(PyBool::new(body.py(), true))))
}
