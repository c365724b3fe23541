//! The price table for people: its entries, how a model is found in it, and what another table would change.

use std::sync::Arc;

use pricing::{CostQuery, Outcome, PriceBook, Snapshot, Usage};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::amount::decimal;
use super::cost::{Cost, read};
use crate::prices;

/// The table in force: the shipped one, or an update of it.
fn table(book: &PriceBook) -> &Snapshot {
    book.snapshot().unwrap_or_else(|| Snapshot::embedded())
}

/// Every key, sorted.
#[pyfunction]
pub(super) fn price_keys<'py>(py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
    let book = prices::in_force();
    let keys: Vec<_> = table(&book).entries().map(pricing::Entry::key).collect();
    PyList::new(py, keys)
}

/// The entry of exactly this key, as litellm writes it: JSON. None where there is none.
#[pyfunction]
pub(super) fn price_entry(key: &str) -> Option<String> {
    table(&prices::in_force()).entry(key).map(pricing::Entry::to_json)
}

/// The key that a model's prices stand under; None where no rule finds one.
#[pyfunction]
pub(super) fn price_key(provider: &str, model: &str) -> Option<String> {
    let book = prices::in_force();
    let query = CostQuery {
        provider,
        model,
        book: Some(&book),
        ..CostQuery::default()
    };
    pricing::explain(&query, None).key.map(std::borrow::Cow::into_owned)
}

/// Versions of the prices in force, with the user's own, and of the shipped table.
#[pyfunction]
pub(super) fn price_versions() -> (String, &'static str) {
    (prices::in_force().version().into_owned(), pricing::price_version())
}

/// How a model's prices are found, what they are, and what a usage costs by them.
#[pyfunction]
#[pyo3(signature = (model, provider, at_ns, usage=None))]
pub(super) fn explain_price<'py>(
    py: Python<'py>,
    model: &str,
    provider: &str,
    at_ns: i64,
    usage: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let book: Arc<PriceBook> = prices::in_force();
    let query = CostQuery {
        provider,
        model,
        at_ns,
        deployment: Some(model),
        book: Some(&book),
        ..CostQuery::default()
    };
    let explanation = pricing::explain(&query, None);
    let dict = PyDict::new(py);
    dict.set_item("price_version", explanation.price_version)?;
    dict.set_item("key", explanation.key)?;
    dict.set_item("source", explanation.source.map(pricing::PriceSource::as_str))?;
    dict.set_item("reason", explanation.reason.map(|reason| reason.to_string()))?;
    let steps = explanation.steps.iter().map(|step| {
        let outcome = match &step.outcome {
            Outcome::Found => "found".to_owned(),
            Outcome::NoEntry => "no such entry".to_owned(),
            Outcome::OtherProvider(other) => format!("another provider's: {other}"),
        };
        (step.key.clone(), step.rule, outcome)
    });
    dict.set_item("steps", steps.collect::<Vec<_>>())?;
    let listed = PyDict::new(py);
    for (field, rate) in &explanation.prices {
        listed.set_item(field.to_string(), decimal(py, &rate.to_string())?)?;
    }
    dict.set_item("prices", listed)?;
    if let Some(usage) = usage.filter(|usage| !usage.is_none()) {
        let cost = Cost::of(read(usage, None)?, |usage: &Usage| pricing::cost(usage, &query));
        dict.set_item("cost", cost)?;
    }
    Ok(dict)
}

/// Compiles a table in litellm's form that holds from `as_of` (`YYYY-MM-DD`) on: the snapshot's bytes, its version, how many
/// models it has, and what there was to say about it.
///
/// # Errors
/// ValueError: it is no such table.
#[pyfunction]
pub(super) fn compile_prices<'py>(
    py: Python<'py>,
    table: &str,
    as_of: &str,
) -> PyResult<(Bound<'py, PyBytes>, String, usize, Vec<String>)> {
    let wrong = |why: pricing::PricingError| PyValueError::new_err(why.to_string());
    let compiled = pricing::compile::update(table, as_of).map_err(wrong)?;
    let bytes = PyBytes::new(py, &compiled.bytes);
    let snapshot = Snapshot::open(compiled.bytes).map_err(wrong)?;
    Ok((bytes, snapshot.version().to_owned(), snapshot.len(), compiled.notes))
}

/// Every price (key, field, before, after) that a snapshot would change; without one, what the table in force changed of
/// the shipped one.
///
/// # Errors
/// ValueError: the bytes are no snapshot.
#[pyfunction]
#[pyo3(signature = (snapshot=None))]
#[expect(clippy::type_complexity, reason = "a row of a table")]
pub(super) fn price_changes(
    snapshot: Option<Vec<u8>>,
) -> PyResult<Vec<(String, String, Option<String>, Option<String>)>> {
    let book = prices::in_force();
    let changes = match snapshot {
        Some(bytes) => {
            let newer = Snapshot::open(bytes).map_err(|why| PyValueError::new_err(why.to_string()))?;
            table(&book).changes_to(&newer)
        }
        None => Snapshot::embedded().changes_to(table(&book)),
    };
    let text = |rate: Option<pricing::Decimal>| rate.map(|rate| rate.to_string());
    Ok(changes
        .into_iter()
        .map(|change| {
            (
                change.key,
                change.field.to_string(),
                text(change.before),
                text(change.after),
            )
        })
        .collect())
}

/// The corrections of the shipped table, as JSON.
#[pyfunction]
pub(super) fn price_corrections() -> &'static str {
    pricing::compile::CORRECTIONS
}

/// Where an updated table lies; None where there is no home folder.
#[pyfunction]
pub(super) fn updated_prices_path() -> Option<String> {
    prices::updated_path().map(|path| path.to_string_lossy().into_owned())
}

/// Has the prices read anew when next they are needed.
#[pyfunction]
pub(super) fn reload_prices() {
    prices::reload();
}
