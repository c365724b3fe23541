//! Where things stand in a snapshot. Little endian throughout; every section is an array of records of one size.

pub(crate) const MAGIC: &[u8; 8] = b"EQPRICE2";
/// After the magic: the numbering of the price fields, then offset and length of every section.
pub(crate) const SECTIONS_AT: usize = 12;
pub(crate) const HEADER: usize = SECTIONS_AT + Section::COUNT * 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Section {
    /// UTF-8: date and content hash.
    Version,
    /// UTF-8: keys and texts, one after the other.
    Strings,
    /// Sorted by key.
    Entries,
    /// Price fields, per set in a row.
    Prices,
    /// Each distinct rate once.
    Rates,
    /// Rows of tiered, off-peak and dated prices.
    Rows,
    /// Hours of off-peak rows.
    Windows,
    /// Each distinct text once, as a place in `Strings`.
    Texts,
    /// The other fields of the entries: name and JSON value, both texts.
    Attributes,
    /// Open addressing: the number of an entry u16 at the hash of its key, or the next free place.
    Index,
}

impl Section {
    pub(crate) const COUNT: usize = 10;
}

/// Key offset u32, key length u16, provider text u16, prices at u32, attributes at u32, rows at u16, prices u16,
/// attributes u16, rows u8, unused u8.
pub(crate) const ENTRY: usize = 24;
/// Field code u32, rate u16.
pub(crate) const PRICE: usize = 6;
/// Mantissa u64, scale u8.
pub(crate) const RATE: usize = 9;
/// Kind u8, windows u8, offset of the weekday's time zone in minutes i16, prices at u32, prices u16, windows at u16,
/// low i64, high i64.
pub(crate) const ROW: usize = 28;
/// From minute u16, to minute u16, weekdays u8 (bit 0 is Monday).
pub(crate) const WINDOW: usize = 5;
/// Offset u32, length u32.
pub(crate) const TEXT: usize = 8;
/// Name u16, value u16.
pub(crate) const ATTRIBUTE: usize = 4;

pub(crate) const ROW_TIERED: u8 = 1;
pub(crate) const ROW_OFF_PEAK: u8 = 2;
pub(crate) const ROW_DATED: u8 = 3;
/// A dated row that the table's own prices agree with: they apply, with all their fields.
pub(crate) const ROW_DATED_CURRENT: u8 = 4;
/// A price per query that depends on how many results were asked for.
pub(crate) const ROW_BY_RESULTS: u8 = 5;

/// A place in `Index` that no entry has.
pub(crate) const FREE: u16 = u16::MAX;

/// The hash of a key, or of `<prefix>/<name>` without building that string. FNV-1a: keys are short.
pub(crate) fn hash(prefix: &str, name: &str) -> u64 {
    let separator: &[u8] = if prefix.is_empty() { b"" } else { b"/" };
    let bytes = prefix.bytes().chain(separator.iter().copied()).chain(name.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

macro_rules! readers {
    ($($name:ident: $type:ty),+) => {
        $(pub(crate) fn $name(bytes: &[u8], at: usize) -> $type {
            // A place outside of the bytes reads as zero: a damaged snapshot has no prices, but harms nobody.
            bytes.get(at..at + size_of::<$type>())
                .and_then(|slice| slice.try_into().ok())
                .map_or(0, <$type>::from_le_bytes)
        })+
    };
}

readers!(u8_at: u8, u16_at: u16, u32_at: u32, u64_at: u64, i16_at: i16, i64_at: i64);
