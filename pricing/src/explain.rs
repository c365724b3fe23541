//! Why a call has the price it has.

use std::borrow::Cow;

use crate::book::PriceBook;
use crate::cost::{Cost, PriceSource, Reason, cost};
use crate::decimal::Decimal;
use crate::field::{PriceField, Tier};
use crate::found::{Priced, find_and_tell};
use crate::query::CostQuery;
use crate::rates::Rates;
use crate::resolve::{Step, step};
use crate::snapshot::price_version;
use crate::usage::Usage;

/// How the prices of a model were found, what they are, and what a usage costs by them.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The version of the price data.
    pub price_version: Cow<'static, str>,
    /// Every key that was looked up, in order. Empty where prices were given with the call or by the user.
    pub steps: Vec<Step>,
    /// The key found.
    pub key: Option<Cow<'static, str>>,
    /// Whose prices they are.
    pub source: Option<PriceSource>,
    /// All prices under that key that hold at that time, whatever their tier.
    pub prices: Vec<(PriceField, Decimal)>,
    /// Why there are none.
    pub reason: Option<Reason>,
    /// The cost of the usage, where one was given.
    pub cost: Option<Cost>,
}

/// Explains the price of a model, and of a usage by it.
#[must_use]
pub fn explain(query: &CostQuery<'_>, usage: Option<&Usage>) -> Explanation {
    let mut steps = Vec::new();
    let found = find_and_tell(query, &mut |prefix, name, rule, entry| {
        steps.push(step(query.provider, prefix, name, rule, entry));
    });
    let (key, source, prices, reason) = match found {
        Ok(found) => {
            let mut source = found.source;
            let prices = match found.prices {
                Priced::List(list) => list.iter().collect(),
                Priced::Entry(entry) => {
                    let rates = Rates::of_entry(entry, Tier::Standard, 0, query.at_ns);
                    if rates.dated {
                        source = PriceSource::History;
                    }
                    rates.fields()
                }
            };
            (found.key, Some(source), prices, None)
        }
        Err(reason) => (None, None, Vec::new(), Some(reason)),
    };
    Explanation {
        price_version: query.book.map_or(Cow::Borrowed(price_version()), PriceBook::version),
        steps,
        key,
        source,
        prices,
        reason,
        cost: usage.map(|usage| cost(usage, query)),
    }
}
