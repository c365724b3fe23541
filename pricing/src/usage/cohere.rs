//! Cohere: billed units, whatever the tokens.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::units::{Unit, of};
use super::{Usage, decimal, malformed};
use crate::error::PricingError;
use crate::tokens::{Buckets, Tokens};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ChatUsage {
    billed_units: Option<TokenUnits>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct TokenUnits {
    input_tokens: Option<Whole>,
    output_tokens: Option<Whole>,
}

/// Cohere's units are floats in its schema (`"input_tokens": 12.0`), whole numbers in fact.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "Box<RawValue>")]
struct Whole(u64);

impl TryFrom<Box<RawValue>> for Whole {
    type Error = PricingError;

    fn try_from(value: Box<RawValue>) -> Result<Self, PricingError> {
        let number = crate::Decimal::parse(value.get())?;
        let whole = (number.scale() == 0)
            .then(|| u64::try_from(number.mantissa()).ok())
            .flatten();
        whole
            .map(Self)
            .ok_or_else(|| PricingError::NotADecimal(value.get().to_owned()))
    }
}

pub(super) fn chat(usage: &ChatUsage) -> Result<Usage, PricingError> {
    let units = usage.billed_units.unwrap_or_default();
    let (input, output) = (
        units.input_tokens.map(|count| count.0),
        units.output_tokens.map(|count| count.0),
    );
    Ok(Usage {
        tokens: Tokens {
            input,
            output,
            ..Tokens::default()
        },
        buckets: Buckets {
            text_in: input,
            text_out: output,
            ..Buckets::default()
        },
        // What is not among the billed units is not billed.
        missing: None,
        ..Usage::default()
    })
}

#[derive(Deserialize)]
struct RerankUsage<'a> {
    #[serde(borrow)]
    billed_units: Option<SearchUnits<'a>>,
}

#[derive(Deserialize)]
struct SearchUnits<'a> {
    #[serde(borrow)]
    search_units: Option<&'a RawValue>,
}

pub(super) fn rerank(json: &str) -> Result<Usage, PricingError> {
    let usage: RerankUsage<'_> = serde_json::from_str(json).map_err(malformed)?;
    let units = decimal(usage.billed_units.and_then(|units| units.search_units))?;
    Ok(units.map_or_else(Usage::absent, |quantity| of(Unit::SearchUnits, quantity)))
}
