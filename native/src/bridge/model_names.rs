//! litellm's model names, resolved without a call.

use pyo3::prelude::*;

use super::errors::exception;
use super::request::{base_of, first_set, invalid};
use crate::endpoint;
use crate::providers::vendors::{self, Vendor};

/// Vendors whose base litellm does not name here.
const UNNAMED: &[&str] = &[
    "openai",
    "openrouter",
    "voyage",
    "huggingface",
    "anthropic",
    "gemini",
    "ollama_chat",
];

type Resolved = (String, String, Option<String>, Option<String>);

/// Whether the client calls this provider.
#[pyfunction]
pub(crate) fn serves(provider: &str) -> bool {
    vendors::find(provider).is_some()
}

/// Model, provider, key and base, as litellm's `get_llm_provider` gives them.
#[pyfunction]
#[pyo3(signature = (model, custom_llm_provider=None, api_base=None, api_key=None))]
pub(crate) fn provider_of_model(
    py: Python<'_>,
    model: &str,
    custom_llm_provider: Option<&str>,
    api_base: Option<String>,
    api_key: Option<String>,
) -> PyResult<Resolved> {
    let of = |vendor: &Vendor, name: &str| {
        let named = api_base
            .clone()
            .or_else(|| (!UNNAMED.contains(&vendor.id)).then(|| base_of(vendor)).flatten());
        let key = api_key
            .clone()
            .or_else(|| named.as_ref().and_then(|_| first_set(vendor.key_variables)));
        (name.to_owned(), vendor.id.to_owned(), key, named)
    };
    if let Some(id) = custom_llm_provider {
        let name = model
            .strip_prefix(id)
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(model);
        return Ok(match vendors::find(id) {
            Some(vendor) => of(vendor, name),
            None => (name.to_owned(), id.to_owned(), api_key, api_base),
        });
    }
    if let Some((prefix, rest)) = model.split_once('/') {
        if let Some(vendor) = vendors::find(prefix) {
            return Ok(of(vendor, rest));
        }
        if vendors::speaks_another_dialect(prefix) {
            return Ok((rest.to_owned(), prefix.to_owned(), api_key, api_base));
        }
    }
    let by_host = api_base
        .as_deref()
        .and_then(endpoint::parse)
        .and_then(|e| vendors::at(&e.host, e.port));
    let found = by_host.or_else(|| vendors::by_model(model)).or_else(|| {
        // A fine-tuned model is its base's provider's.
        model.starts_with("ft:").then_some(&vendors::OPENAI)
    });
    found.map(|vendor| of(vendor, model)).ok_or_else(|| {
        let failure = invalid(format!(
            "cannot tell the provider of model '{model}': prefix it, as in 'groq/{model}', or give custom_llm_provider"
        ));
        exception(py, &failure, "", Some(model), false)
    })
}
