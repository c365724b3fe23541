//! `edgequake_obs.pricing`: the price engine for Python.

mod amount;
mod cost;
mod own;
mod row;
mod table;

use pyo3::prelude::*;

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<cost::Cost>()?;
    module.add_function(wrap_pyfunction!(cost::price_usage, module)?)?;
    module.add_function(wrap_pyfunction!(row::price_row, module)?)?;
    module.add_function(wrap_pyfunction!(table::price_keys, module)?)?;
    module.add_function(wrap_pyfunction!(table::price_entry, module)?)?;
    module.add_function(wrap_pyfunction!(table::price_key, module)?)?;
    module.add_function(wrap_pyfunction!(table::price_versions, module)?)?;
    module.add_function(wrap_pyfunction!(table::explain_price, module)?)?;
    module.add_function(wrap_pyfunction!(table::compile_prices, module)?)?;
    module.add_function(wrap_pyfunction!(table::price_changes, module)?)?;
    module.add_function(wrap_pyfunction!(table::price_corrections, module)?)?;
    module.add_function(wrap_pyfunction!(table::updated_prices_path, module)?)?;
    module.add_function(wrap_pyfunction!(table::reload_prices, module)?)?;
    module.add_function(wrap_pyfunction!(own::configure_prices, module)?)?;
    module.add_function(wrap_pyfunction!(own::register_prices, module)?)?;
    module.add_function(wrap_pyfunction!(own::forget_registered_prices, module)?)?;
    module.add_function(wrap_pyfunction!(own::price_problem, module)?)?;
    module.add_function(wrap_pyfunction!(own::take_price_problem, module)?)
}
