//! From the sources of the price data to one snapshot: same input, same bytes.

mod draft;
mod history;
mod overlay;
mod snap;
mod table;
mod writer;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use self::draft::{EntryDraft, source_error};
use crate::clock;
use crate::error::PricingError;
use crate::snapshot::Snapshot;

/// The dated prices this library was built with.
const HISTORY: &str = include_str!("../sources/price_history.json");
/// The corrections this library was built with, as JSON: each with its source and the day it was checked.
pub const CORRECTIONS: &str = include_str!("../sources/overlay.json");
/// The licence notices of the price data; they go wherever a snapshot goes.
pub const NOTICE: &str = include_str!("../sources/NOTICE.md");

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
    /// Rates freed of float noise, fields that no rule uses, corrections taken from the overlay, prices that changed
    /// since the history was written.
    pub notes: Vec<String>,
}

/// What to do where the table and the history disagree on today's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disagreement {
    /// Somebody has to decide, in the overlay.
    Refuse,
    /// The table is newer: its price holds from its date on, the history's until then.
    TableIsNewer,
}

/// Compiles a snapshot.
///
/// # Errors
/// `Source` if a source has the wrong form, or if two sources disagree on a price and the overlay does not decide.
pub fn compile(sources: Sources<'_>) -> Result<Compiled, PricingError> {
    let overlay = overlay::read(sources.overlay)?;
    assemble(sources, &overlay, Disagreement::Refuse)
}

/// Compiles a newer table, with the history and the corrections this library was built with. A correction of a price
/// that the newer table changed still holds: it was checked, the table was not.
///
/// # Errors
/// `Source` if the table has the wrong form, has no model with a price, or `as_of` (`YYYY-MM-DD`) is no date.
pub fn update(table: &str, as_of: &str) -> Result<Compiled, PricingError> {
    let mut overlay = overlay::read(CORRECTIONS)?;
    clock::day_of(as_of).ok_or_else(|| source_error(format!("{as_of} is not YYYY-MM-DD")))?;
    as_of.clone_into(&mut overlay.as_of);
    let sources = Sources {
        table,
        history: Some(HISTORY),
        overlay: CORRECTIONS,
    };
    assemble(sources, &overlay, Disagreement::TableIsNewer)
}

/// A snapshot of one model alone, for prices that no list holds: those by the length of the prompt or by the hour.
///
/// # Errors
/// As of [`compile`], where the fields have the wrong form.
pub(crate) fn compile_model(key: &str, fields: BTreeMap<String, &RawValue>) -> Result<Snapshot, PricingError> {
    let entry = table::entry(key, fields, &mut Vec::new())?;
    Snapshot::open(writer::write("", &BTreeMap::from([(key.to_owned(), entry)]))?)
}

fn assemble(
    sources: Sources<'_>,
    overlay: &overlay::Overlay<'_>,
    disagreement: Disagreement,
) -> Result<Compiled, PricingError> {
    let mut notes = Vec::new();
    let mut entries: BTreeMap<String, EntryDraft> = table::read(sources.table, &mut notes)?;
    if disagreement == Disagreement::TableIsNewer && entries.values().all(|entry| entry.prices.is_empty()) {
        return Err(source_error("the table has no prices"));
    }
    overlay::apply(overlay, disagreement, &mut entries, &mut notes)?;
    if let Some(text) = sources.history {
        history::apply(text, overlay, disagreement, &mut entries, &mut notes)?;
    }
    let bytes = writer::write(&overlay.as_of, &entries)?;
    Ok(Compiled { bytes, notes })
}
