//! Why a call has the price it has.

use crate::cost::{Cost, cost};
use crate::decimal::Decimal;
use crate::field::PriceField;
use crate::query::CostQuery;
use crate::resolve::{Step, steps};
use crate::snapshot::Snapshot;
use crate::usage::Usage;

/// How the prices of a model were found, what they are, and what a usage costs by them.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The version of the price data.
    pub price_version: String,
    /// Every key that was looked up, in order. Empty where prices were given with the call or by the user.
    pub steps: Vec<Step>,
    /// The key found in the price data.
    pub key: Option<String>,
    /// All prices of that entry, whatever their tier.
    pub prices: Vec<(PriceField, Decimal)>,
    /// The cost of the usage, where one was given.
    pub cost: Option<Cost>,
}

/// Explains the price of a model, and of a usage by it.
#[must_use]
pub fn explain(query: &CostQuery<'_>, usage: Option<&Usage>) -> Explanation {
    let book = query.book;
    let snapshot = book
        .and_then(|book| book.snapshot())
        .unwrap_or_else(|| Snapshot::embedded());
    let named = query.base_model.unwrap_or(query.model);
    let model = book.and_then(|book| book.alias(query.provider, named)).unwrap_or(named);
    let given = query
        .custom_pricing
        .or_else(|| Some(book?.prices(query.provider, model)?.1));
    let (entry, steps) = match given {
        Some(_) => (None, Vec::new()),
        None => steps(snapshot, query.provider, model),
    };
    Explanation {
        price_version: snapshot.version().to_owned(),
        steps,
        key: entry.map(|entry| entry.key().to_owned()),
        prices: match given {
            Some(list) => list.iter().collect(),
            None => entry.map(|entry| entry.price_fields().collect()).unwrap_or_default(),
        },
        cost: usage.map(|usage| cost(usage, query)),
    }
}
