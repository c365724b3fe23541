//! What changed from one price table to another.

use std::collections::BTreeMap;
use std::fmt;

use crate::decimal::Decimal;
use crate::field::PriceField;
use crate::snapshot::{Entry, Snapshot};

/// One price that two snapshots do not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceChange {
    /// The key of the entry.
    pub key: String,
    /// The price.
    pub field: PriceField,
    /// What it was; `None` if there was none.
    pub before: Option<Decimal>,
    /// What it is; `None` if there is none any more.
    pub after: Option<Decimal>,
}

impl fmt::Display for PriceChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |rate: &Option<Decimal>| rate.map_or_else(|| "none".to_owned(), |rate| rate.to_string());
        write!(
            out,
            "{} {}: {} -> {}",
            self.key,
            self.field,
            text(&self.before),
            text(&self.after)
        )
    }
}

impl Snapshot {
    /// Every price that is another one in `newer`, sorted by key. Rows (tiered, off-peak, dated) are not compared.
    #[must_use]
    pub fn changes_to(&self, newer: &Self) -> Vec<PriceChange> {
        let mut keys: Vec<&str> = self.entries().chain(newer.entries()).map(Entry::key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter()
            .flat_map(|key| changes(key, self.entry(key), newer.entry(key)))
            .collect()
    }
}

fn changes(key: &str, before: Option<Entry<'_>>, after: Option<Entry<'_>>) -> Vec<PriceChange> {
    let prices = |entry: Option<Entry<'_>>| -> BTreeMap<PriceField, Decimal> {
        entry.into_iter().flat_map(Entry::price_fields).collect()
    };
    let (before, after) = (prices(before), prices(after));
    let mut fields: Vec<PriceField> = before.keys().chain(after.keys()).copied().collect();
    fields.sort_unstable();
    fields.dedup();
    fields
        .into_iter()
        .map(|field| PriceChange {
            key: key.to_owned(),
            field,
            before: before.get(&field).copied(),
            after: after.get(&field).copied(),
        })
        .filter(|change| change.before != change.after)
        .collect()
}
