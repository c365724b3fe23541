//! An entry while it is put together.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::snap::snapped;
use crate::decimal::Decimal;
use crate::error::PricingError;
use crate::field::PriceField;

pub(super) type Prices = BTreeMap<u32, Decimal>;

#[derive(Debug, Clone, Default)]
pub(super) struct EntryDraft {
    pub(super) provider: String,
    pub(super) prices: Prices,
    pub(super) rows: Vec<RowDraft>,
    /// Name and JSON value of everything that is not a price.
    pub(super) attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct RowDraft {
    pub(super) kind: u8,
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) weekday_offset: i16,
    pub(super) windows: Vec<(u16, u16, u8)>,
    pub(super) prices: Prices,
}

/// A rate from the text of a JSON number or of a JSON string that holds one.
pub(super) fn rate(value: &RawValue) -> Option<Result<Decimal, PricingError>> {
    let text = value.get().trim_matches('"');
    text.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        .then(|| Decimal::parse(text).map(snapped))
}

/// Puts a price into a set; `false` if the name is no price field or the value no number.
pub(super) fn take(prices: &mut Prices, name: &str, value: &RawValue) -> Result<bool, PricingError> {
    let (Some(field), Some(rate)) = (PriceField::parse(name), rate(value)) else {
        return Ok(false);
    };
    prices.insert(field.code(), rate?);
    Ok(true)
}

pub(super) fn source_error(what: impl std::fmt::Display) -> PricingError {
    PricingError::Source(what.to_string())
}
