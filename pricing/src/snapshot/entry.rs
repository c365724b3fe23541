//! One model's prices in a snapshot.

use std::borrow::Cow;

use super::Snapshot;
use super::layout::{
    ATTRIBUTE, ENTRY, PRICE, RATE, ROW, Section, TEXT, WINDOW, i16_at, i64_at, u8_at, u16_at, u32_at, u64_at,
};
use crate::clock;
use crate::decimal::Decimal;
use crate::field::{Base, PriceField};

/// One model's entry.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) index: usize,
}

impl<'a> Entry<'a> {
    fn record(self) -> &'a [u8] {
        let at = self.index * ENTRY;
        self.snapshot
            .section(Section::Entries)
            .get(at..at + ENTRY)
            .unwrap_or_default()
    }

    pub(super) fn key_bytes(self) -> &'a [u8] {
        let record = self.record();
        let at = u32_at(record, 0) as usize;
        self.snapshot
            .section(Section::Strings)
            .get(at..at + u16_at(record, 4) as usize)
            .unwrap_or_default()
    }

    /// The key, such as `gemini/gemini-2.5-flash`.
    #[must_use]
    pub fn key(self) -> &'a str {
        std::str::from_utf8(self.key_bytes()).unwrap_or_default()
    }

    pub(crate) fn key_text(self) -> Cow<'static, str> {
        let record = self.record();
        self.snapshot
            .text(u32_at(record, 0) as usize, u16_at(record, 4) as usize)
    }

    /// `litellm_provider`: whose model this is.
    #[must_use]
    pub fn provider(self) -> &'a str {
        text(self.snapshot, u16_at(self.record(), 6))
    }

    pub(crate) fn prices(self) -> PackedPrices<'a> {
        let record = self.record();
        PackedPrices::new(self.snapshot, u32_at(record, 8), u16_at(record, 18))
    }

    /// Whether anything of this model has a price.
    #[must_use]
    pub fn has_prices(self) -> bool {
        self.prices().fields().any(|(field, _)| !field.base.is_multiplier()) || self.rows().next().is_some()
    }

    /// The price fields: name and rate in USD per unit.
    pub fn price_fields(self) -> impl Iterator<Item = (PriceField, Decimal)> + 'a {
        self.prices().fields()
    }

    /// Every other field of the entry: name and value as JSON text.
    pub fn attributes(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let record = self.record();
        let (first, count) = (u32_at(record, 12) as usize, u16_at(record, 20) as usize);
        let section = self.snapshot.section(Section::Attributes);
        (first..first + count).map(move |number| {
            let at = number * ATTRIBUTE;
            (
                text(self.snapshot, u16_at(section, at)),
                text(self.snapshot, u16_at(section, at + 2)),
            )
        })
    }

    /// The entry as litellm writes it: a JSON object of provider, prices and all other fields.
    #[must_use]
    pub fn to_json(self) -> String {
        let mut fields: Vec<(String, String)> =
            vec![("litellm_provider".to_owned(), format!("\"{}\"", self.provider()))];
        // Prices one level down are still in the attribute they come from.
        let flat = self.price_fields().filter(|(field, _)| !field.base.is_nested());
        fields.extend(flat.map(|(field, rate)| (field.to_string(), rate.to_string())));
        fields.extend(
            self.attributes()
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        fields.sort();
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", fields.join(","))
    }

    pub(crate) fn rows(self) -> impl Iterator<Item = Row<'a>> {
        let record = self.record();
        let (first, count) = (u16_at(record, 16) as usize, u8_at(record, 22) as usize);
        let rows = self.snapshot.section(Section::Rows);
        (first..first + count).map(move |number| Row {
            snapshot: self.snapshot,
            record: rows.get(number * ROW..(number + 1) * ROW).unwrap_or_default(),
        })
    }
}

fn text(snapshot: &Snapshot, number: u16) -> &str {
    let texts = snapshot.section(Section::Texts);
    let at = number as usize * TEXT;
    let (start, length) = (u32_at(texts, at) as usize, u32_at(texts, at + 4) as usize);
    let bytes = snapshot
        .section(Section::Strings)
        .get(start..start + length)
        .unwrap_or_default();
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// A set of prices that lie in a row in the snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PackedPrices<'a> {
    records: &'a [u8],
    rates: &'a [u8],
}

impl<'a> PackedPrices<'a> {
    fn new(snapshot: &'a Snapshot, first: u32, count: u16) -> Self {
        let at = first as usize * PRICE;
        let prices = snapshot.section(Section::Prices);
        Self {
            records: prices.get(at..at + count as usize * PRICE).unwrap_or_default(),
            rates: snapshot.section(Section::Rates),
        }
    }

    fn rate(self, number: u16) -> Decimal {
        let at = number as usize * RATE;
        Decimal::new(u128::from(u64_at(self.rates, at)), u32::from(u8_at(self.rates, at + 8)))
    }

    pub(crate) fn get(self, field: PriceField) -> Option<Decimal> {
        let code = field.code();
        let found = self
            .records
            .chunks_exact(PRICE)
            .find(|record| u32_at(record, 0) == code)?;
        Some(self.rate(u16_at(found, 4)))
    }

    pub(crate) fn has(self, base: Base) -> bool {
        self.records.chunks_exact(PRICE).any(|record| record[0] == base as u8)
    }

    pub(crate) fn fields(self) -> impl Iterator<Item = (PriceField, Decimal)> + 'a {
        self.records
            .chunks_exact(PRICE)
            .filter_map(move |record| Some((PriceField::from_code(u32_at(record, 0))?, self.rate(u16_at(record, 4)))))
    }

    /// The highest threshold, in thousands of tokens, that this prompt is strictly above; 0 if none.
    pub(crate) fn threshold(self, prompt: u64) -> u16 {
        self.records
            .chunks_exact(PRICE)
            .map(|record| u16_at(record, 2))
            .filter(|thousands| *thousands > 0 && prompt > u64::from(*thousands) * 1_000)
            .max()
            .unwrap_or(0)
    }
}

/// Prices of an entry that hold for some prompts, hours or days only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    snapshot: &'a Snapshot,
    record: &'a [u8],
}

impl<'a> Row<'a> {
    pub(crate) fn kind(self) -> u8 {
        u8_at(self.record, 0)
    }

    pub(crate) fn prices(self) -> PackedPrices<'a> {
        PackedPrices::new(self.snapshot, u32_at(self.record, 4), u16_at(self.record, 8))
    }

    pub(crate) fn low(self) -> i64 {
        i64_at(self.record, 12)
    }

    pub(crate) fn high(self) -> i64 {
        i64_at(self.record, 20)
    }

    /// Whether an off-peak row's hours include this instant.
    pub(crate) fn is_open(self, at_ns: i64) -> bool {
        let (first, count) = (u16_at(self.record, 10) as usize, u8_at(self.record, 1) as usize);
        let today = 1u8 << (clock::weekday(at_ns, i16_at(self.record, 2)) - 1);
        let minute = clock::utc_minute(at_ns);
        let windows = self.snapshot.section(Section::Windows);
        (first..first + count).any(|number| {
            let at = number * WINDOW;
            let (from, to) = (u16_at(windows, at), u16_at(windows, at + 2));
            // A window that ends before it begins runs past midnight.
            let inside = if from < to {
                from <= minute && minute < to
            } else {
                minute >= from || minute < to
            };
            inside && u8_at(windows, at + 4) & today != 0
        })
    }
}
