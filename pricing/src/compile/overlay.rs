//! Our own corrections: each with its source and the day it was checked.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Disagreement;
use super::draft::{self, EntryDraft, source_error};
use crate::clock;
use crate::error::PricingError;
use crate::field::PriceField;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Overlay<'a> {
    /// The day the table's prices hold on, `YYYY-MM-DD`.
    pub(super) as_of: String,
    #[serde(borrow)]
    pub(super) corrections: Vec<Correction<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Correction<'a> {
    pub(super) key: String,
    /// Needed where the entry is new.
    litellm_provider: Option<String>,
    #[serde(borrow, default)]
    set: BTreeMap<String, &'a RawValue>,
    #[serde(default)]
    remove: Vec<String>,
    /// Long-context thresholds that the history states differently, in thousands of tokens: what it says, what holds.
    #[serde(default)]
    history_thresholds: BTreeMap<u16, u16>,
    why: String,
    source: String,
    checked: String,
}

impl Overlay<'_> {
    pub(super) fn as_of_day(&self) -> Result<i64, PricingError> {
        clock::day_of(&self.as_of).ok_or_else(|| source_error("as_of of the overlay is not YYYY-MM-DD"))
    }

    /// The correction of a key, if it decides between the table's price of this field and the history's.
    pub(super) fn decides(&self, key: &str, field: PriceField) -> bool {
        let name = field.to_string();
        let of_key = self.corrections.iter().filter(|correction| correction.key == key);
        of_key
            .into_iter()
            .any(|correction| correction.set.contains_key(&name) || correction.remove.contains(&name))
    }

    /// The threshold that holds where the history of a key states this one.
    pub(super) fn threshold(&self, key: &str, stated: u16) -> u16 {
        let of_key = self.corrections.iter().filter(|correction| correction.key == key);
        of_key
            .into_iter()
            .find_map(|correction| correction.history_thresholds.get(&stated))
            .copied()
            .unwrap_or(stated)
    }
}

pub(super) fn read(text: &str) -> Result<Overlay<'_>, PricingError> {
    let overlay: Overlay<'_> = serde_json::from_str(text).map_err(source_error)?;
    overlay.as_of_day()?;
    for correction in &overlay.corrections {
        let Correction {
            key,
            why,
            source,
            checked,
            ..
        } = correction;
        if why.is_empty() || source.is_empty() || clock::day_of(checked).is_none() {
            return Err(source_error(format!(
                "the correction of {key} needs why, source and checked (YYYY-MM-DD)"
            )));
        }
    }
    Ok(overlay)
}

pub(super) fn apply(
    overlay: &Overlay<'_>,
    disagreement: Disagreement,
    entries: &mut BTreeMap<String, EntryDraft>,
    notes: &mut Vec<String>,
) -> Result<(), PricingError> {
    for correction in &overlay.corrections {
        let key = &correction.key;
        if disagreement == Disagreement::TableIsNewer
            && correction.litellm_provider.is_none()
            && !entries.contains_key(key)
        {
            notes.push(format!("{key}: has a correction, but is not in the table any more"));
            continue;
        }
        let entry = entries.entry(key.clone()).or_default();
        if let Some(provider) = &correction.litellm_provider {
            entry.provider.clone_from(provider);
        }
        if entry.provider.is_empty() {
            return Err(source_error(format!(
                "{key} is new, so its correction must name litellm_provider"
            )));
        }
        for name in &correction.remove {
            let code = PriceField::parse(name).map(PriceField::code);
            let removed = code.and_then(|code| entry.prices.remove(&code));
            if removed.is_none() && disagreement == Disagreement::Refuse {
                return Err(source_error(format!("{key} has no {name} to remove")));
            }
        }
        for (name, value) in &correction.set {
            if !draft::take(&mut entry.prices, name, value)? {
                return Err(source_error(format!(
                    "{key}: {name} is not a price field with a number"
                )));
            }
        }
        notes.push(format!(
            "{key}: corrected, {} ({}, {})",
            correction.why, correction.source, correction.checked
        ));
    }
    Ok(())
}
