//! A user's own prices, names and discounts.

mod read;

use std::collections::BTreeMap;

use crate::decimal::Decimal;
use crate::error::PricingError;
use crate::field::{Base, PriceField};
use crate::query::CostQuery;
use crate::snapshot::Snapshot;

/// Prices by field, such as those given with a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceList {
    fields: Vec<(PriceField, Decimal)>,
}

impl PriceList {
    /// A list from litellm's field names and decimal texts: `("input_cost_per_token", "0.0000015")`.
    ///
    /// # Errors
    /// `UnknownPriceField` and `NotADecimal`: a price that no rule uses would be lost silently.
    pub fn new<'t>(prices: impl IntoIterator<Item = (&'t str, &'t str)>) -> Result<Self, PricingError> {
        let mut fields = Vec::new();
        for (name, rate) in prices {
            let field = PriceField::parse(name).ok_or_else(|| PricingError::UnknownPriceField(name.to_owned()))?;
            fields.push((field, Decimal::parse(rate)?));
        }
        Ok(Self { fields })
    }

    /// Whether there is no price.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Each field and its rate.
    pub fn iter(&self) -> impl Iterator<Item = (PriceField, Decimal)> + '_ {
        self.fields.iter().copied()
    }

    pub(crate) fn get(&self, field: PriceField) -> Option<Decimal> {
        self.fields
            .iter()
            .find(|(known, _)| *known == field)
            .map(|(_, rate)| *rate)
    }

    pub(crate) fn has(&self, base: Base) -> bool {
        self.fields.iter().any(|(field, _)| field.base == base)
    }

    pub(crate) fn threshold(&self, prompt: u64) -> u16 {
        let thresholds = self.fields.iter().map(|(field, _)| field.above_thousands);
        thresholds
            .filter(|one| *one > 0 && prompt > u64::from(*one) * 1_000)
            .max()
            .unwrap_or(0)
    }
}

/// A part of the list price that is not paid. Every name that is given must match; the most specific discount counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discount {
    /// litellm's provider id.
    pub provider: Option<String>,
    /// The model as called, or its price key.
    pub model: Option<String>,
    /// The name of a deployment.
    pub deployment: Option<String>,
    /// The name of a key.
    pub key_alias: Option<String>,
    /// The part that is taken off: 0.05 is 5 %.
    pub off: Decimal,
}

impl Discount {
    /// How many names it is bound to, if all of them match.
    fn specificity(&self, query: &CostQuery<'_>, key: Option<&str>) -> Option<usize> {
        let names = [
            (&self.provider, Some(query.provider), None),
            (&self.model, Some(query.model), key),
            (&self.deployment, query.deployment, None),
            (&self.key_alias, query.key_alias, None),
        ];
        let mut bound = 0;
        for (wanted, name, other) in names {
            if let Some(wanted) = wanted {
                if name != Some(wanted.as_str()) && other != Some(wanted.as_str()) {
                    return None;
                }
                bound += 1;
            }
        }
        Some(bound)
    }
}

/// What a user knows about prices that we do not.
#[derive(Debug, Clone, Default)]
pub struct PriceBook {
    snapshot: Option<Snapshot>,
    prices: BTreeMap<String, PriceList>,
    aliases: BTreeMap<String, String>,
    discounts: Vec<Discount>,
}

impl PriceBook {
    /// Replaces the embedded prices by an updated snapshot.
    #[must_use]
    pub fn with_snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }

    /// Adds the prices of a model, named `<provider>/<model>` or `<model>`. They replace the table's.
    pub fn set_prices(&mut self, model: impl Into<String>, prices: PriceList) {
        self.prices.insert(model.into(), prices);
    }

    /// Says which priced model a name stands for: a deployment, an opaque inference profile.
    pub fn set_alias(&mut self, name: impl Into<String>, model: impl Into<String>) {
        self.aliases.insert(name.into(), model.into());
    }

    /// Adds a discount.
    ///
    /// # Errors
    /// `NotADecimal` if more than the whole price is taken off.
    pub fn add_discount(&mut self, discount: Discount) -> Result<(), PricingError> {
        if discount.off > Decimal::ONE {
            return Err(PricingError::NotADecimal(format!(
                "a discount of {} of the price",
                discount.off
            )));
        }
        self.discounts.push(discount);
        Ok(())
    }

    pub(crate) fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    pub(crate) fn alias(&self, provider: &str, model: &str) -> Option<&str> {
        named(&self.aliases, provider, model).map(|(_, model)| model.as_str())
    }

    pub(crate) fn prices(&self, provider: &str, model: &str) -> Option<(&str, &PriceList)> {
        named(&self.prices, provider, model).map(|(name, prices)| (name.as_str(), prices))
    }

    /// The part of the list price that is paid.
    pub(crate) fn paid(&self, query: &CostQuery<'_>, key: Option<&str>) -> Option<Decimal> {
        let fitting = self
            .discounts
            .iter()
            .filter_map(|one| Some((one.specificity(query, key)?, one.off)));
        let (_, off) = fitting.max_by_key(|(bound, _)| *bound)?;
        let unit = crate::decimal::power_of_ten(off.scale())?;
        Some(Decimal::new(unit.checked_sub(off.mantissa())?, off.scale()))
    }
}

/// `<provider>/<model>` first, then `<model>`, with and without a provider segment of its own.
fn named<'b, T>(map: &'b BTreeMap<String, T>, provider: &str, model: &str) -> Option<(&'b String, &'b T)> {
    if map.is_empty() {
        return None;
    }
    let bare = model
        .strip_prefix(provider)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(model);
    map.get_key_value(&format!("{provider}/{bare}"))
        .or_else(|| map.get_key_value(model))
        .or_else(|| map.get_key_value(bare))
}
