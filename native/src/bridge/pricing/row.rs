//! The price of a recorded call, from its row.

use pricing::{Usage, UsageFormat};
use pyo3::prelude::*;

use super::cost::Cost;
use crate::prices::{PriceFacts, Seen};

/// A row of the ledger, as far as its price depends on it.
#[derive(Debug, FromPyObject)]
pub(super) struct Row {
    #[pyo3(item)]
    provider: Option<String>,
    #[pyo3(item)]
    operation: Option<String>,
    #[pyo3(item)]
    response_model: Option<String>,
    #[pyo3(item)]
    request_model: Option<String>,
    #[pyo3(item)]
    start_ns: Option<i64>,
    #[pyo3(item)]
    service_tier: Option<String>,
    #[pyo3(item)]
    server_address: Option<String>,
    #[pyo3(item)]
    api_key_id: Option<String>,
    /// JSON.
    #[pyo3(item)]
    usage: Option<String>,
    #[pyo3(item)]
    estimated_input_tokens: Option<u64>,
    #[pyo3(item)]
    estimated_output_tokens: Option<u64>,
    #[pyo3(item)]
    batch: Option<bool>,
    #[pyo3(item)]
    web_search_calls: Option<u64>,
}

/// Prices a row by today's prices; `base_model` says which model is meant where its names say nothing.
///
/// With `as_model` it is what the call would have cost on another model: what the provider said it charged is left aside.
/// None where the row has nothing that could be priced.
#[pyfunction]
#[pyo3(signature = (row, base_model=None, as_model=None))]
pub(super) fn price_row(row: Row, base_model: Option<String>, as_model: Option<String>) -> Option<Cost> {
    let hypothetical = as_model.is_some();
    let facts = PriceFacts {
        base_model: as_model.or(base_model),
        ..PriceFacts::default()
    };
    let seen = Seen {
        provider: row.provider.as_deref().unwrap_or_default(),
        served: row.response_model.as_deref(),
        asked: row.request_model.as_deref(),
        at_ns: row.start_ns?,
        service_tier: row.service_tier.as_deref(),
        host: row.server_address.as_deref(),
        key_alias: row.api_key_id.as_deref(),
        batch: row.batch == Some(true),
        web_search_calls: row.web_search_calls,
        facts: Some(&facts),
    };
    let usage = match (&row.usage, row.estimated_input_tokens, row.estimated_output_tokens) {
        (Some(json), _, _) => {
            let operation = row.operation.as_deref().unwrap_or_default();
            let format = UsageFormat::for_call(seen.provider, operation).unwrap_or(UsageFormat::OpenAiChat);
            pricing::read_usage(format, json).map(|usage| match row.estimated_output_tokens {
                Some(output) => usage.with_estimated_output(output).0,
                None => usage,
            })
        }
        (None, Some(input), Some(output)) => Ok(pricing::estimated_usage(input, output)),
        _ => return None,
    };
    let usage = usage.map(|usage| if hypothetical { usage.without_report() } else { usage });
    Some(Cost::of(usage, |usage: &Usage| seen.price(usage)))
}
