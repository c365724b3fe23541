//! A user's price file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Discount, PriceBook, PriceList};
use crate::decimal::Decimal;
use crate::error::PricingError;
use crate::field::PriceField;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    #[serde(borrow, default)]
    prices: BTreeMap<String, BTreeMap<String, &'a RawValue>>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    #[serde(borrow, default)]
    discounts: Vec<DiscountSource<'a>>,
    /// litellm's setting: what is taken off, by provider.
    #[serde(borrow, default)]
    cost_discount_config: BTreeMap<String, &'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DiscountSource<'a> {
    provider: Option<String>,
    model: Option<String>,
    deployment: Option<String>,
    key_alias: Option<String>,
    #[serde(borrow)]
    off: &'a RawValue,
}

/// A number, or a text that holds one.
fn number(value: &RawValue) -> Result<Decimal, PricingError> {
    Decimal::parse(value.get().trim_matches('"'))
}

impl PriceList {
    /// A list from a JSON object in litellm's form, such as an entry of its table or of `register_model`. Fields that
    /// are no prices (`mode`, `max_tokens`, ...) are left out.
    ///
    /// # Errors
    /// `UnknownPriceField` for a cost that no rule uses, `NotADecimal` for one that is no number, `Source` if the text
    /// is not a JSON object.
    pub fn from_json(json: &str) -> Result<Self, PricingError> {
        let fields: BTreeMap<String, &RawValue> =
            serde_json::from_str(json).map_err(|why| PricingError::Source(why.to_string()))?;
        Self::from_fields(&fields)
    }

    fn from_fields(fields: &BTreeMap<String, &RawValue>) -> Result<Self, PricingError> {
        let mut list = Self::default();
        for (name, value) in fields {
            match PriceField::parse(name) {
                _ if value.get() == "null" => {}
                Some(field) => list.fields.push((field, number(value)?)),
                None if name.contains("cost_per") || name.ends_with("_cost") => {
                    return Err(PricingError::UnknownPriceField(name.clone()));
                }
                None => {}
            }
        }
        Ok(list)
    }
}

impl PriceBook {
    /// A book from the text of a user's price file:
    ///
    /// ```json
    /// {"prices": {"azure/eu-west": {"input_cost_per_token": "0.0000015", "output_cost_per_token": "0.000006"}},
    ///  "aliases": {"arn:aws:bedrock:us-east-1:1:application-inference-profile/x": "us.anthropic.claude-opus-4-7"},
    ///  "discounts": [{"provider": "openai", "off": "0.05"}],
    ///  "cost_discount_config": {"vertex_ai": 0.1}}
    /// ```
    ///
    /// # Errors
    /// `Source` if the form is another one, and the errors of [`PriceList::from_json`] and [`PriceBook::add_discount`].
    pub fn from_json(json: &str) -> Result<Self, PricingError> {
        let file: File<'_> = serde_json::from_str(json).map_err(|why| PricingError::Source(why.to_string()))?;
        let mut book = Self::default();
        for (model, fields) in &file.prices {
            book.set_prices(model, PriceList::from_fields(fields)?);
        }
        for (name, model) in file.aliases {
            book.set_alias(name, model);
        }
        for source in file.discounts {
            let DiscountSource {
                provider,
                model,
                deployment,
                key_alias,
                off,
            } = source;
            book.add_discount(Discount {
                provider,
                model,
                deployment,
                key_alias,
                off: number(off)?,
            })?;
        }
        for (provider, off) in file.cost_discount_config {
            let off = number(off)?;
            book.add_discount(Discount {
                provider: Some(provider),
                off,
                ..Discount::default()
            })?;
        }
        Ok(book)
    }
}
