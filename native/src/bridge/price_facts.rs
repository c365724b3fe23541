//! What the arguments of a call say about its price: prices of its own, the model behind a deployment, a discount.

use pricing::{Decimal, PriceField, PriceList};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString};

use crate::prices::PriceFacts;

/// Reads arguments one by one; a call that says nothing of its price costs two comparisons for each.
#[derive(Debug, Default)]
pub(crate) struct PriceArguments {
    facts: PriceFacts,
    prices: Vec<(String, String)>,
}

impl PriceArguments {
    /// Takes an argument, if it is about the price.
    ///
    /// # Errors
    /// ValueError for a price that is no number.
    pub(crate) fn take(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        match name {
            "base_model" => self.facts.base_model = text(value),
            "vertex_location" | "vertex_ai_location" => self.facts.vertex_location = text(value),
            "model_info" => self.take_model_info(value)?,
            _ if name.contains("cost") && PriceField::parse(name).is_some() => {
                self.prices.push((name.to_owned(), number(name, value)?));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// litellm's description of a deployment; what the call itself says wins.
    fn take_model_info(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let Ok(info) = value.cast::<PyDict>() else {
            return Ok(());
        };
        for (name, value) in info {
            let Some(name) = text(&name).filter(|_| !value.is_none()) else {
                continue;
            };
            let known = |(known, _): &(String, String)| *known == name;
            match name.as_str() {
                "base_model" if self.facts.base_model.is_none() => self.facts.base_model = text(&value),
                name if name.contains("cost")
                    && PriceField::parse(name).is_some()
                    && !self.prices.iter().any(known) =>
                {
                    self.prices.push((name.to_owned(), number(name, &value)?));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// litellm's names in a call's metadata: the alias of its key, the description of its deployment.
    pub(crate) fn take_metadata(&mut self, metadata: &Bound<'_, PyAny>) -> PyResult<()> {
        let Ok(metadata) = metadata.cast::<PyDict>() else {
            return Ok(());
        };
        if let Some(alias) = metadata.get_item("user_api_key_alias")? {
            self.facts.key_alias = text(&alias);
        }
        match metadata.get_item("model_info")? {
            Some(info) => self.take_model_info(&info),
            None => Ok(()),
        }
    }

    /// litellm's global `cost_discount_config`: what is taken off, by provider.
    ///
    /// # Errors
    /// ValueError for what is no part of one.
    pub(crate) fn take_discounts(&mut self, config: &Bound<'_, PyAny>) -> PyResult<()> {
        for (provider, off) in config.cast::<PyDict>().into_iter().flatten() {
            let Some(provider) = text(&provider) else { continue };
            let off = Decimal::parse(&number("cost_discount_config", &off)?).map_err(not_a_price)?;
            if off.complement().is_none() {
                return Err(PyValueError::new_err(format!(
                    "cost_discount_config takes {off} of the price off for {provider}: give a part of one, such as 0.05"
                )));
            }
            self.facts.discounts.push((provider, off));
        }
        Ok(())
    }

    /// What was said; None where nothing was.
    ///
    /// # Errors
    /// ValueError for a price that is negative or no number.
    pub(crate) fn finished(mut self) -> PyResult<Option<Box<PriceFacts>>> {
        if !self.prices.is_empty() {
            let pairs = self.prices.iter().map(|(name, rate)| (name.as_str(), rate.as_str()));
            self.facts.custom = Some(PriceList::new(pairs).map_err(not_a_price)?);
        }
        Ok((!self.facts.is_empty()).then(|| Box::new(self.facts)))
    }
}

fn not_a_price(why: pricing::PricingError) -> PyErr {
    PyValueError::new_err(why.to_string())
}

fn text(value: &Bound<'_, PyAny>) -> Option<String> {
    let text = value.cast::<PyString>().ok()?.to_cow().ok()?;
    (!text.is_empty()).then(|| text.into_owned())
}

/// A number's digits as Python writes them: a float's shortest, a Decimal's own.
pub(crate) fn number(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if value.is_instance_of::<PyBool>() {
        return Err(PyValueError::new_err(format!(
            "{name} must be a number of USD, not a bool"
        )));
    }
    let digits = value.str()?.to_cow()?.into_owned();
    Decimal::parse(&digits)
        .map(|_| digits)
        .map_err(|why| PyValueError::new_err(format!("{name}: {why}")))
}
