//! A user's price file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Discount, Own, PriceBook, PriceList};
use crate::compile::compile_model;
use crate::decimal::Decimal;
use crate::error::PricingError;
use crate::field::PriceField;

type Fields<'a> = BTreeMap<String, &'a RawValue>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    #[serde(borrow, default)]
    prices: BTreeMap<String, Fields<'a>>,
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

/// What becomes of a cost that no rule uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Refused,
    LeftOut,
}

/// Fields whose prices lie one level down, and those whose prices hold for some prompts or hours only.
const NESTED: [&str; 2] = ["search_context_cost_per_query", "provider_specific_entry"];
const ROWS: [&str; 2] = ["tiered_pricing", "off_peak_pricing"];

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
        let fields: Fields<'_> = serde_json::from_str(json).map_err(|why| PricingError::Source(why.to_string()))?;
        if let Some(rows) = rows_of(&fields) {
            return Err(PricingError::UnknownPriceField(rows.to_owned()));
        }
        Self::from_fields(&fields, Unknown::Refused)
    }

    fn from_fields(fields: &Fields<'_>, unknown: Unknown) -> Result<Self, PricingError> {
        let mut list = Self::default();
        for (name, value) in fields {
            if value.get() == "null" {
                continue;
            }
            if let Some(field) = PriceField::parse(name) {
                list.fields.push((field, number(value)?));
            } else if NESTED.contains(&name.as_str()) {
                list.take_nested(name, value)?;
            } else if unknown == Unknown::Refused && is_about_costs(name) {
                return Err(PricingError::UnknownPriceField(name.clone()));
            }
        }
        Ok(list)
    }

    /// Prices that litellm keeps one level down.
    fn take_nested(&mut self, outer: &str, value: &RawValue) -> Result<(), PricingError> {
        let inner: BTreeMap<String, &RawValue> =
            serde_json::from_str(value.get()).map_err(|why| PricingError::Source(why.to_string()))?;
        for (name, value) in inner {
            if let Some(field) = PriceField::parse(&format!("{outer}.{name}")) {
                self.fields.push((field, number(value)?));
            }
        }
        Ok(())
    }
}

/// The field whose prices hold for some prompts or hours only, where there is one.
fn rows_of(fields: &Fields<'_>) -> Option<&'static str> {
    let given = |name: &&str| fields.get(*name).is_some_and(|value| value.get() != "null");
    ROWS.into_iter().find(given)
}

fn is_about_costs(name: &str) -> bool {
    name.contains("cost_per") || name.ends_with("_cost")
}

impl PriceBook {
    /// A book of models in the form of litellm's table, which a program adds to it: `{"mine": {"input_cost_per_token": 1e-6}}`.
    /// Models without a price are left out, as are costs that no rule uses: litellm's own table has such.
    ///
    /// # Errors
    /// `NotADecimal` for a price that is no number, `Source` for another form.
    pub fn from_models(json: &str) -> Result<Self, PricingError> {
        let models: BTreeMap<String, Fields<'_>> =
            serde_json::from_str(json).map_err(|why| PricingError::Source(why.to_string()))?;
        let mut book = Self::default();
        for (model, fields) in models {
            book.set_fields(model, fields, Unknown::LeftOut)?;
        }
        Ok(book)
    }

    fn set_fields(&mut self, model: String, fields: Fields<'_>, unknown: Unknown) -> Result<(), PricingError> {
        let list = PriceList::from_fields(&fields, unknown)?;
        if rows_of(&fields).is_some() {
            let said = fields.into_iter().filter(|(_, value)| value.get() != "null").collect();
            self.prices
                .insert(model.clone(), Own::Table(compile_model(&model, said)?));
        } else if !list.is_empty() || unknown == Unknown::Refused {
            self.set_prices(model, list);
        }
        Ok(())
    }

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
        for (model, fields) in file.prices {
            book.set_fields(model, fields, Unknown::Refused)?;
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
