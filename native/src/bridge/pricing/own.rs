//! A user's own prices, from `configure` and `register_model`.

use std::path::PathBuf;

use pricing::PriceBook;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::prices;

/// Takes a price file's path, or its content, in the place of the environment's.
///
/// # Errors
/// ValueError: it cannot be read, or is no price file; what was in force stays so.
#[pyfunction]
#[pyo3(signature = (*, path=None, content=None))]
pub(super) fn configure_prices(path: Option<PathBuf>, content: Option<&str>) -> PyResult<()> {
    let book = match path {
        Some(path) => prices::read(&path),
        None => PriceBook::from_json(content.unwrap_or("{}")).map_err(|why| why.to_string()),
    };
    prices::configure(book.map_err(|why| PyValueError::new_err(format!("prices: {why}")))?);
    Ok(())
}

/// Adds models, as JSON in the form of litellm's table.
#[pyfunction]
pub(super) fn register_prices(content: &str) -> PyResult<()> {
    let models = PriceBook::from_models(content).map_err(|why| PyValueError::new_err(why.to_string()))?;
    prices::register(&models);
    Ok(())
}

/// Takes the models that were added away again.
#[pyfunction]
pub(super) fn forget_registered_prices() {
    prices::forget_registered();
}

/// Why the prices given cannot be read; None where they can.
#[pyfunction]
pub(super) fn price_problem() -> Option<String> {
    Some(prices::in_force().problem()?.to_string())
}

/// What is wrong with the environment's price file, once: None where all is well, or it was said already.
#[pyfunction]
pub(super) fn take_price_problem() -> Option<String> {
    prices::take_problem()
}
