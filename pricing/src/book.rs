//! A user's own prices, names and discounts.

mod read;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::decimal::Decimal;
use crate::error::PricingError;
use crate::field::{Base, PriceField};
use crate::found::Found;
use crate::query::CostQuery;
use crate::snapshot::{Snapshot, price_version};

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

/// The prices of one model, as a user gives them.
#[derive(Debug, Clone)]
pub(crate) enum Own {
    List(PriceList),
    /// With rows for some prompts or hours: a table of this model alone.
    Table(Snapshot),
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
    fn binds_as(&self, other: &Self) -> bool {
        let names = |one: &Self| [&one.provider, &one.model, &one.deployment, &one.key_alias].map(Clone::clone);
        names(self) == names(other)
    }

    /// How many names it is bound to, if all of them match.
    fn specificity(&self, query: &CostQuery<'_>, found: &Found<'_>) -> Option<usize> {
        let names = [
            (&self.provider, [Some(found.provider), None, None]),
            (
                &self.model,
                [Some(query.model), query.asked_model, found.key.as_deref()],
            ),
            (&self.deployment, [query.deployment, None, None]),
            (&self.key_alias, [query.key_alias, None, None]),
        ];
        let mut bound = 0;
        for (wanted, names) in names {
            if let Some(wanted) = wanted {
                if !names.contains(&Some(wanted.as_str())) {
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
    prices: BTreeMap<String, Own>,
    aliases: BTreeMap<String, String>,
    discounts: Vec<Discount>,
    problem: Option<PricingError>,
    /// Made when first asked for.
    version: OnceLock<Cow<'static, str>>,
}

impl PriceBook {
    /// Stands for a book that cannot be read: nothing is priced by guesses at what it says.
    #[must_use]
    pub fn unreadable(why: PricingError) -> Self {
        Self {
            problem: Some(why),
            ..Self::default()
        }
    }

    /// The version of the snapshot and, behind `~`, a fingerprint of what the user says beside it.
    #[must_use]
    pub fn version(&self) -> Cow<'static, str> {
        self.version.get_or_init(|| self.new_version()).clone()
    }

    fn new_version(&self) -> Cow<'static, str> {
        let of_snapshot = self.snapshot.as_ref().map(|snapshot| snapshot.version().to_owned());
        if self.prices.is_empty() && self.aliases.is_empty() && self.discounts.is_empty() {
            return of_snapshot.map_or(Cow::Borrowed(price_version()), Cow::Owned);
        }
        let said = format!("{:?}{:?}{:?}", self.prices, self.aliases, self.discounts);
        let fingerprint = crate::field::fingerprint(said.bytes());
        let base = of_snapshot.as_deref().unwrap_or(price_version());
        Cow::Owned(format!("{base}~{fingerprint:08x}"))
    }

    /// Lays what `other` says over what this book says; of two discounts for the same names, `other`'s holds.
    pub fn lay_over(&mut self, other: &Self) {
        self.version.take();
        self.prices.extend(other.prices.clone());
        self.aliases.extend(other.aliases.clone());
        for discount in &other.discounts {
            self.discounts.retain(|known| !known.binds_as(discount));
            self.discounts.push(discount.clone());
        }
    }

    /// Why the book cannot be read, where it cannot.
    #[must_use]
    pub fn problem(&self) -> Option<&PricingError> {
        self.problem.as_ref()
    }

    /// Replaces the embedded prices by an updated snapshot.
    #[must_use]
    pub fn with_snapshot(mut self, snapshot: Snapshot) -> Self {
        self.version.take();
        self.snapshot = Some(snapshot);
        self
    }

    /// Adds the prices of a model, named `<provider>/<model>` or `<model>`. They replace the table's.
    pub fn set_prices(&mut self, model: impl Into<String>, prices: PriceList) {
        self.version.take();
        self.prices.insert(model.into(), Own::List(prices));
    }

    /// Says which priced model a name stands for: a deployment, an opaque inference profile.
    pub fn set_alias(&mut self, name: impl Into<String>, model: impl Into<String>) {
        self.version.take();
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
        self.version.take();
        self.discounts.push(discount);
        Ok(())
    }

    /// The snapshot that replaces the embedded one, if any.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    pub(crate) fn alias(&self, provider: &str, model: &str) -> Option<&str> {
        named(&self.aliases, provider, model).map(|(_, model)| model.as_str())
    }

    pub(crate) fn prices(&self, provider: &str, model: &str) -> Option<(&str, &Own)> {
        named(&self.prices, provider, model).map(|(name, prices)| (name.as_str(), prices))
    }

    /// The part of the list price that is not paid.
    pub(crate) fn discount(&self, query: &CostQuery<'_>, found: &Found<'_>) -> Option<Decimal> {
        let fitting = self
            .discounts
            .iter()
            .filter_map(|one| Some((one.specificity(query, found)?, one.off)));
        fitting.max_by_key(|(bound, _)| *bound).map(|(_, off)| off)
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
