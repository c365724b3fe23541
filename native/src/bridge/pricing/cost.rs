//! `pricing.cost`: a usage object and what is known of its call, to exact USD with its proof.

use std::sync::Arc;

use pricing::{Buckets, CostQuery, PriceBook, PriceList, PricingError, Usage, UsageFormat, Usd};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::amount::decimal;
use crate::bridge::json_out;
use crate::bridge::price_facts::number;
use crate::{ids, prices};

/// What a call cost, and why.
#[pyclass(frozen, module = "edgequake_obs.pricing")]
#[derive(Debug)]
pub(crate) struct Cost {
    pub(super) cost: pricing::Cost,
    pub(super) buckets: Buckets,
}

impl Cost {
    /// Prices a usage that could be read; one that could not has a status and a reason.
    pub(super) fn of(usage: Result<Usage, PricingError>, price: impl FnOnce(&Usage) -> pricing::Cost) -> Self {
        match usage {
            Ok(usage) => Self {
                buckets: *usage.buckets(),
                cost: price(&usage),
            },
            Err(why) => Self {
                buckets: Buckets::default(),
                cost: pricing::Cost::of_invalid_usage(why),
            },
        }
    }
}

fn usd<'py>(py: Python<'py>, amount: Option<Usd>) -> PyResult<Option<Bound<'py, PyAny>>> {
    amount.map(|amount| decimal(py, &amount.to_string())).transpose()
}

#[pymethods]
impl Cost {
    /// What is paid, in USD; None is unknown, never 0.
    #[getter]
    fn usd<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        usd(py, self.cost.usd)
    }

    /// By list price, in USD.
    #[getter]
    fn computed_usd<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        usd(py, self.cost.computed_usd)
    }

    /// By the provider's own word, in USD.
    #[getter]
    fn reported_usd<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        usd(py, self.cost.reported_usd)
    }

    /// `priced`, `reported`, `unpriced`, `no_usage`, `partial` or `estimated`.
    #[getter]
    fn status(&self) -> &'static str {
        self.cost.status.as_str()
    }

    /// Disjoint token counts by bucket; what was not reported is absent.
    #[getter]
    fn buckets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, count) in self.buckets.iter() {
            dict.set_item(name, count)?;
        }
        Ok(dict)
    }

    /// Of each bucket or unit: `tokens` or `quantity`, `rate` and `usd`, and a `multiplier` where there is one.
    #[getter]
    fn breakdown<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for line in &self.cost.breakdown {
            let entry = PyDict::new(py);
            match line.tokens() {
                Some(tokens) => entry.set_item("tokens", tokens)?,
                None => entry.set_item("quantity", decimal(py, &line.quantity.to_string())?)?,
            }
            entry.set_item("rate", decimal(py, &line.rate.to_string())?)?;
            if line.multiplier != pricing::Decimal::ONE {
                entry.set_item("multiplier", decimal(py, &line.multiplier.to_string())?)?;
            }
            entry.set_item("usd", decimal(py, &line.usd.to_string())?)?;
            dict.set_item(line.bucket, entry)?;
        }
        Ok(dict)
    }

    /// The breakdown as the ledger holds it: JSON, with its numbers as texts.
    #[getter]
    fn breakdown_json(&self) -> String {
        self.cost.breakdown_json()
    }

    /// The key of the prices that apply.
    #[getter]
    fn price_key(&self) -> Option<&str> {
        self.cost.price_key.as_deref()
    }

    /// Date and content hash of the price data.
    #[getter]
    fn price_version(&self) -> &str {
        &self.cost.price_version
    }

    /// Where the prices come from: `table`, `history`, `custom` or `user`.
    #[getter]
    fn price_source(&self) -> Option<&'static str> {
        self.cost.price_source.map(pricing::PriceSource::as_str)
    }

    /// Why there is no computed figure.
    #[getter]
    fn reason(&self) -> Option<String> {
        self.cost.reason.as_ref().map(ToString::to_string)
    }

    fn __repr__(&self) -> String {
        let amount = |usd: Option<Usd>| usd.map_or_else(|| "None".to_owned(), |usd| format!("Decimal('{usd}')"));
        let key = self.cost.price_key.as_deref();
        format!(
            "Cost(usd={}, status='{}', price_key={}, reason={})",
            amount(self.cost.usd),
            self.cost.status.as_str(),
            key.map_or_else(|| "None".to_owned(), |key| format!("'{key}'")),
            self.reason()
                .map_or_else(|| "None".to_owned(), |reason| format!("{reason:?}")),
        )
    }
}

/// A usage object as JSON: a text is taken as it is.
fn json_of(usage: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let mut json = Vec::with_capacity(384);
    match usage.cast::<PyString>() {
        Ok(text) => json.extend_from_slice(text.to_cow()?.as_bytes()),
        Err(_) => json_out::write(usage, &mut json)?,
    }
    Ok(json)
}

fn format_named(name: &str) -> PyResult<UsageFormat> {
    UsageFormat::from_name(name).ok_or_else(|| {
        let known: Vec<_> = UsageFormat::names().collect();
        PyValueError::new_err(format!(
            "usage_format={name:?} is not known: leave it out, or give one of {}",
            known.join(", ")
        ))
    })
}

/// Prices given with the call; None where there are none.
pub(super) fn price_list(prices: Option<&Bound<'_, PyAny>>) -> PyResult<Option<PriceList>> {
    let Some(prices) = prices.filter(|prices| !prices.is_none()) else {
        return Ok(None);
    };
    let prices = prices.cast::<PyDict>().map_err(|_| {
        PyTypeError::new_err(
            "custom_pricing must be a dict of price fields, such as {'input_cost_per_token': '0.000001'}",
        )
    })?;
    let mut pairs = Vec::with_capacity(prices.len());
    for (name, rate) in prices {
        let name: String = name.extract()?;
        if !rate.is_none() {
            let rate = number(&name, &rate)?;
            pairs.push((name, rate));
        }
    }
    let list = PriceList::new(pairs.iter().map(|(name, rate)| (name.as_str(), rate.as_str())));
    list.map(Some)
        .map_err(|why| PyValueError::new_err(format!("custom_pricing: {why}")))
}

/// The function behind `pricing.cost`, which documents the arguments.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "as many as the Python function has")]
#[pyo3(signature = (usage, model, provider=None, usage_format=None, at_ns=None, service_tier=None, batch=false,
    data_residency=None, vertex_location=None, base_model=None, custom_pricing=None, web_search_calls=None))]
pub(super) fn price_usage(
    usage: &Bound<'_, PyAny>,
    model: &str,
    provider: Option<&str>,
    usage_format: Option<&str>,
    at_ns: Option<i64>,
    service_tier: Option<&str>,
    batch: bool,
    data_residency: Option<&str>,
    vertex_location: Option<&str>,
    base_model: Option<&str>,
    custom_pricing: Option<&Bound<'_, PyAny>>,
    web_search_calls: Option<u64>,
) -> PyResult<Cost> {
    let custom = price_list(custom_pricing)?;
    let book: Arc<PriceBook> = prices::in_force();
    let query = CostQuery {
        provider: provider.unwrap_or_default(),
        model,
        at_ns: at_ns.unwrap_or_else(ids::wall_clock_ns),
        service_tier,
        batch,
        data_residency,
        vertex_location,
        base_model,
        web_search_calls,
        custom_pricing: custom.as_ref(),
        deployment: Some(model),
        book: Some(&book),
        ..CostQuery::default()
    };
    let format = usage_format.map(format_named).transpose()?;
    Ok(Cost::of(read(usage, format)?, |usage| pricing::cost(usage, &query)))
}

/// Reads the usage; one that cannot be read is an answer, not an error.
pub(super) fn read(usage: &Bound<'_, PyAny>, format: Option<UsageFormat>) -> PyResult<Result<Usage, PricingError>> {
    if usage.is_none() {
        return Ok(Ok(Usage::absent()));
    }
    let json = json_of(usage)?;
    let json = std::str::from_utf8(&json).map_err(|why| PyValueError::new_err(why.to_string()))?;
    Ok(match format {
        Some(format) => pricing::read_usage(format, json),
        None if json.trim_ascii() == "null" => Ok(Usage::absent()),
        None => pricing::read_usage_by_shape(json).map(|(_, usage)| usage),
    })
}
