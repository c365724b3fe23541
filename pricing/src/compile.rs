//! From the sources of the price data to one snapshot: same input, same bytes.

mod draft;
mod history;
mod overlay;
mod snap;
mod table;
mod writer;

use std::collections::BTreeMap;

use self::draft::EntryDraft;
use crate::error::PricingError;

/// The texts of the source files. Reading them is the caller's business: this crate does no I/O.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// `litellm_model_prices.json`.
    pub table: &'a str,
    /// `price_history.json`, if there is one.
    pub history: Option<&'a str>,
    /// `overlay.json`: the date the table holds on, and our own corrections.
    pub overlay: &'a str,
}

/// A snapshot and what its compiler had to say about it.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// What [`Snapshot::open`](crate::Snapshot::open) takes.
    pub bytes: Vec<u8>,
    /// Rates freed of float noise, fields that no rule uses, corrections taken from the overlay.
    pub notes: Vec<String>,
}

/// Compiles a snapshot.
///
/// # Errors
/// `Source` if a source has the wrong form, or if two sources disagree on a price and the overlay does not decide.
pub fn compile(sources: Sources<'_>) -> Result<Compiled, PricingError> {
    let overlay = overlay::read(sources.overlay)?;
    let mut notes = Vec::new();
    let mut entries: BTreeMap<String, EntryDraft> = table::read(sources.table, &mut notes)?;
    overlay::apply(&overlay, &mut entries, &mut notes)?;
    if let Some(text) = sources.history {
        history::apply(text, &overlay, &mut entries)?;
    }
    let bytes = writer::write(&overlay.as_of, &entries)?;
    Ok(Compiled { bytes, notes })
}
