//! The price data as one block of bytes, opened without being parsed.

mod entry;
pub(crate) mod layout;

use std::borrow::Cow;
use std::sync::OnceLock;

pub use self::entry::Entry;
pub(crate) use self::entry::{PackedPrices, Row};
use self::layout::{ENTRY, FREE, HEADER, MAGIC, SECTIONS_AT, Section, hash, u16_at, u32_at};
use crate::error::PricingError;
use crate::field::PriceField;

static EMBEDDED: &[u8] = include_bytes!("../data/prices.bin");

/// A table of prices.
#[derive(Clone)]
pub struct Snapshot {
    bytes: Cow<'static, [u8]>,
    sections: [(u32, u32); Section::COUNT],
}

impl Snapshot {
    /// The prices this library was built with.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static OPENED: OnceLock<Snapshot> = OnceLock::new();
        OPENED.get_or_init(|| {
            // A test opens it; should it fail all the same, every call is unpriced, which is true.
            Self::open(EMBEDDED).unwrap_or(Self {
                bytes: Cow::Borrowed(&[]),
                sections: Default::default(),
            })
        })
    }

    /// Opens a compiled snapshot.
    ///
    /// # Errors
    /// `Snapshot` if the bytes are none, are cut short or come from another version of this crate.
    pub fn open(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, PricingError> {
        let bytes = bytes.into();
        if bytes.get(..MAGIC.len()) != Some(MAGIC.as_slice()) || bytes.len() < HEADER {
            return Err(PricingError::Snapshot("wrong beginning"));
        }
        if u32_at(&bytes, MAGIC.len()) != PriceField::numbering() {
            return Err(PricingError::Snapshot(
                "compiled for other price fields; compile it again",
            ));
        }
        let mut sections = [(0, 0); Section::COUNT];
        for (number, section) in sections.iter_mut().enumerate() {
            let at = SECTIONS_AT + number * 8;
            *section = (u32_at(&bytes, at), u32_at(&bytes, at + 4));
            if section.0 as usize + section.1 as usize > bytes.len() {
                return Err(PricingError::Snapshot("cut short"));
            }
        }
        Ok(Self { bytes, sections })
    }

    /// Date and content hash: `2026-11-20+1f2e3d4c5b6a`.
    #[must_use]
    pub fn version(&self) -> &str {
        std::str::from_utf8(self.section(Section::Version)).unwrap_or_default()
    }

    /// How many models have an entry.
    #[must_use]
    pub fn len(&self) -> usize {
        self.section(Section::Entries).len() / ENTRY
    }

    /// Whether there is no entry at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry of exactly this key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<Entry<'_>> {
        self.find("", key)
    }

    /// The entry of `<prefix>/<name>`, or of `<name>` where the prefix is empty.
    pub(crate) fn find(&self, prefix: &str, name: &str) -> Option<Entry<'_>> {
        let index = self.section(Section::Index);
        let places = index.len() / 2;
        // The number of places is a power of two.
        let mask = places.checked_sub(1)?;
        let first = hash(prefix, name) as usize & mask;
        for step in 0..places {
            let number = u16_at(index, ((first + step) & mask) * 2);
            if number == FREE {
                return None;
            }
            let entry = Entry {
                snapshot: self,
                index: usize::from(number),
            };
            if is(entry.key_bytes(), prefix.as_bytes(), name.as_bytes()) {
                return Some(entry);
            }
        }
        None
    }

    /// Every entry, sorted by key.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.len()).map(|index| Entry { snapshot: self, index })
    }

    fn section(&self, section: Section) -> &[u8] {
        let (at, length) = self.sections[section as usize];
        self.bytes
            .get(at as usize..at as usize + length as usize)
            .unwrap_or_default()
    }

    /// A piece of `Strings`, with the lifetime of the process where the bytes are part of the program.
    fn text(&self, at: usize, length: usize) -> Cow<'static, str> {
        let start = self.sections[Section::Strings as usize].0 as usize + at;
        match &self.bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(utf8(bytes, start, length)),
            Cow::Owned(bytes) => Cow::Owned(utf8(bytes, start, length).to_owned()),
        }
    }
}

fn utf8(bytes: &[u8], at: usize, length: usize) -> &str {
    bytes
        .get(at..at + length)
        .and_then(|slice| std::str::from_utf8(slice).ok())
        .unwrap_or_default()
}

/// Whether a key is `<prefix>/<name>`, without building that string.
fn is(key: &[u8], prefix: &[u8], name: &[u8]) -> bool {
    match prefix {
        [] => key == name,
        _ => key.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(b"/")) == Some(name),
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Snapshot({}, {} entries)", self.version(), self.len())
    }
}

/// The version of the prices this library was built with: date and content hash.
#[must_use]
pub fn price_version() -> &'static str {
    Snapshot::embedded().version()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_snapshot_opens() {
        let snapshot = Snapshot::open(EMBEDDED).unwrap();
        assert!(snapshot.len() > 4_000);
        assert!(price_version().starts_with("20"));
        let keys: Vec<_> = snapshot.entries().map(|entry| entry.key().to_owned()).collect();
        assert!(keys.is_sorted());
        for key in &keys {
            assert_eq!(snapshot.entry(key).unwrap().key(), key);
            if let Some((prefix, name)) = key.split_once('/') {
                assert_eq!(snapshot.find(prefix, name).unwrap().key(), key);
            }
        }
        assert!(snapshot.find("openai", "").is_none());
    }

    #[test]
    fn damaged_bytes_are_refused() {
        assert!(Snapshot::open(&b"nonsense"[..]).is_err());
        assert!(Snapshot::open(&EMBEDDED[..EMBEDDED.len() / 2]).is_err());
        let mut other = EMBEDDED.to_vec();
        other[MAGIC.len()] ^= 1;
        assert!(Snapshot::open(other).is_err());
    }
}
