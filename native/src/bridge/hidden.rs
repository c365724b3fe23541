//! litellm's `_hidden_params`: what is known of a call beside its answer.

use std::sync::{Arc, Mutex, PoisonError};

use exporters::CallRecord;
use http::HeaderMap;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::call::OpenCall;
use crate::ids;

#[derive(Debug, Default)]
pub(crate) struct Hidden {
    call: Option<Arc<OpenCall>>,
    provider: Option<Arc<str>>,
    headers: HeaderMap,
    made: Option<Py<PyDict>>,
}

impl Hidden {
    pub(crate) fn new(call: Arc<OpenCall>, provider: Arc<str>, headers: HeaderMap) -> Self {
        Self {
            call: Some(call),
            provider: Some(provider),
            headers,
            made: None,
        }
    }

    pub(crate) fn provider(&self) -> Option<&Arc<str>> {
        self.provider.as_ref()
    }

    pub(crate) fn dict(hidden: &Mutex<Self>, py: Python<'_>) -> PyResult<Py<PyDict>> {
        let (call, provider, headers) = {
            let hidden = hidden.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(made) = &hidden.made {
                return Ok(made.clone_ref(py));
            }
            (hidden.call.clone(), hidden.provider.clone(), hidden.headers.clone())
        };
        let dict = PyDict::new(py);
        if let Some(call) = call {
            dict.set_item("response_cost", response_cost(&call))?;
            dict.set_item("call_uid", ids::uuid_text(&call.uid))?;
        }
        dict.set_item("custom_llm_provider", provider.as_deref())?;
        let plain = PyDict::new(py);
        let prefixed = PyDict::new(py);
        for (name, value) in &headers {
            let (name, value) = (name.as_str(), String::from_utf8_lossy(value.as_bytes()));
            plain.set_item(name, &value)?;
            prefixed.set_item(format!("llm_provider-{name}"), value)?;
        }
        dict.set_item("headers", plain)?;
        dict.set_item("additional_headers", prefixed)?;
        let dict = dict.unbind();
        let mut hidden = hidden.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(hidden.made.get_or_insert(dict).clone_ref(py))
    }

    pub(crate) fn restore(hidden: &Mutex<Self>, made: Py<PyDict>) {
        hidden.lock().unwrap_or_else(PoisonError::into_inner).made = Some(made);
    }

    pub(crate) fn milliseconds(hidden: &Mutex<Self>) -> f64 {
        let hidden = hidden.lock().unwrap_or_else(PoisonError::into_inner);
        hidden.call.as_ref().map_or(0.0, |call| {
            call.settled().map_or(0.0, |record| record.duration_ns as f64 / 1e6)
        })
    }
}

/// USD as the facade's float, as in litellm; exact figures are in the ledger. None where no price is known.
pub(crate) fn response_cost(call: &OpenCall) -> Option<f64> {
    usd_of(&*call.settled()?)
}

pub(crate) fn usd_of(record: &CallRecord) -> Option<f64> {
    record.cost.as_ref()?.usd?.to_string().parse().ok()
}
