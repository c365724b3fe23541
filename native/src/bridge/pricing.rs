//! `edgequake_obs.pricing`: the price engine for Python.

mod amount;
mod cost;
mod own;

use pyo3::prelude::*;

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<cost::Cost>()?;
    module.add_function(wrap_pyfunction!(cost::price_usage, module)?)?;
    module.add_function(wrap_pyfunction!(own::configure_prices, module)?)?;
    module.add_function(wrap_pyfunction!(own::register_prices, module)?)?;
    module.add_function(wrap_pyfunction!(own::take_price_problem, module)?)
}
