//! Writes drafts down as a snapshot.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use sha2::{Digest, Sha256};

use super::draft::{EntryDraft, Prices, source_error};
use crate::error::PricingError;
use crate::field::PriceField;
use crate::snapshot::layout::{self, FREE, HEADER, MAGIC, Section};

/// Numbers things in the order of their first appearance.
struct Numbered<T> {
    numbers: HashMap<T, u16>,
}

impl<T: Eq + Hash> Numbered<T> {
    fn number(&mut self, thing: T) -> Result<(u16, bool), PricingError> {
        let next = u16::try_from(self.numbers.len()).map_err(|_| source_error("more than 65536 distinct values"))?;
        match self.numbers.entry(thing) {
            std::collections::hash_map::Entry::Occupied(known) => Ok((*known.get(), false)),
            std::collections::hash_map::Entry::Vacant(place) => Ok((*place.insert(next), true)),
        }
    }
}

struct Writer {
    sections: [Vec<u8>; Section::COUNT],
    rates: Numbered<(u64, u8)>,
    texts: Numbered<String>,
    prices: u32,
    rows: u16,
    windows: u16,
    attributes: u32,
}

/// The snapshot's bytes, which depend on nothing but the arguments.
pub(super) fn write(date: &str, entries: &BTreeMap<String, EntryDraft>) -> Result<Vec<u8>, PricingError> {
    let mut writer = Writer {
        sections: Default::default(),
        rates: Numbered {
            numbers: HashMap::new(),
        },
        texts: Numbered {
            numbers: HashMap::new(),
        },
        prices: 0,
        rows: 0,
        windows: 0,
        attributes: 0,
    };
    for (key, entry) in entries {
        writer.entry(key, entry)?;
    }
    writer.index(entries)?;
    let mut hash = Sha256::new();
    for section in &writer.sections {
        hash.update(section);
    }
    let hex: String = hash
        .finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    writer.put(Section::Version, format!("{date}+{hex}").as_bytes());
    writer.assembled()
}

impl Writer {
    fn put(&mut self, section: Section, bytes: &[u8]) {
        self.sections[section as usize].extend_from_slice(bytes);
    }

    fn string(&mut self, text: &str) -> Result<u32, PricingError> {
        let at = size(self.sections[Section::Strings as usize].len())?;
        self.put(Section::Strings, text.as_bytes());
        Ok(at)
    }

    fn text(&mut self, text: &str) -> Result<u16, PricingError> {
        let (number, new) = self.texts.number(text.to_owned())?;
        if new {
            let at = self.string(text)?;
            self.put(Section::Texts, &at.to_le_bytes());
            self.put(Section::Texts, &size(text.len())?.to_le_bytes());
        }
        Ok(number)
    }

    /// Where the set begins, and how many prices it has.
    fn prices(&mut self, prices: &Prices) -> Result<(u32, u16), PricingError> {
        let first = self.prices;
        for (code, rate) in prices {
            let mantissa = u64::try_from(rate.mantissa()).map_err(|_| source_error("a rate of more than 64 bits"))?;
            let scale = u8::try_from(rate.scale()).map_err(|_| source_error("a rate of too many decimals"))?;
            let (number, new) = self.rates.number((mantissa, scale))?;
            if new {
                self.put(Section::Rates, &mantissa.to_le_bytes());
                self.put(Section::Rates, &[scale]);
            }
            self.put(Section::Prices, &code.to_le_bytes());
            self.put(Section::Prices, &number.to_le_bytes());
            self.prices += 1;
        }
        Ok((first, u16::try_from(prices.len()).map_err(source_error)?))
    }

    fn entry(&mut self, key: &str, entry: &EntryDraft) -> Result<(), PricingError> {
        let key_at = self.string(key)?;
        let provider = self.text(&entry.provider)?;
        let (prices_at, prices) = self.prices(&entry.prices)?;
        let (attributes_at, rows_at) = (self.attributes, self.rows);
        for (name, value) in &entry.attributes {
            let (name, value) = (self.text(name)?, self.text(value)?);
            self.put(Section::Attributes, &name.to_le_bytes());
            self.put(Section::Attributes, &value.to_le_bytes());
            self.attributes += 1;
        }
        for row in &entry.rows {
            let (prices_at, prices) = self.prices(&row.prices)?;
            let windows_at = self.windows;
            for (from, to, days) in &row.windows {
                self.put(Section::Windows, &from.to_le_bytes());
                self.put(Section::Windows, &to.to_le_bytes());
                self.put(Section::Windows, &[*days]);
                self.windows += 1;
            }
            self.put(
                Section::Rows,
                &[row.kind, u8::try_from(row.windows.len()).map_err(source_error)?],
            );
            self.put(Section::Rows, &row.weekday_offset.to_le_bytes());
            self.put(Section::Rows, &prices_at.to_le_bytes());
            self.put(Section::Rows, &prices.to_le_bytes());
            self.put(Section::Rows, &windows_at.to_le_bytes());
            self.put(Section::Rows, &row.low.to_le_bytes());
            self.put(Section::Rows, &row.high.to_le_bytes());
            self.rows += 1;
        }
        self.put(Section::Entries, &key_at.to_le_bytes());
        self.put(
            Section::Entries,
            &u16::try_from(key.len()).map_err(source_error)?.to_le_bytes(),
        );
        self.put(Section::Entries, &provider.to_le_bytes());
        self.put(Section::Entries, &prices_at.to_le_bytes());
        self.put(Section::Entries, &attributes_at.to_le_bytes());
        self.put(Section::Entries, &rows_at.to_le_bytes());
        self.put(Section::Entries, &prices.to_le_bytes());
        self.put(
            Section::Entries,
            &u16::try_from(entry.attributes.len())
                .map_err(source_error)?
                .to_le_bytes(),
        );
        self.put(
            Section::Entries,
            &[u8::try_from(entry.rows.len()).map_err(source_error)?, 0],
        );
        Ok(())
    }

    /// Twice as many places as entries: a key is found at its first or second place.
    fn index(&mut self, entries: &BTreeMap<String, EntryDraft>) -> Result<(), PricingError> {
        let places = (entries.len() * 2).next_power_of_two();
        let mut index = vec![FREE; places];
        for (number, key) in entries.keys().enumerate() {
            let mut place = layout::hash("", key) as usize & (places - 1);
            while index[place] != FREE {
                place = (place + 1) & (places - 1);
            }
            index[place] = u16::try_from(number)
                .ok()
                .filter(|number| *number != FREE)
                .ok_or_else(too_many)?;
        }
        for number in index {
            self.put(Section::Index, &number.to_le_bytes());
        }
        Ok(())
    }

    fn assembled(self) -> Result<Vec<u8>, PricingError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(PriceField::numbering().to_le_bytes());
        let mut at = HEADER;
        for section in &self.sections {
            bytes.extend(size(at)?.to_le_bytes());
            bytes.extend(size(section.len())?.to_le_bytes());
            at += section.len();
        }
        bytes.extend(self.sections.into_iter().flatten());
        Ok(bytes)
    }
}

fn too_many() -> PricingError {
    source_error("more than 65535 entries")
}

fn size(length: usize) -> Result<u32, PricingError> {
    u32::try_from(length).map_err(|_| source_error("more than 4 GiB"))
}
