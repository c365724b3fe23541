//! litellm's price table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::draft::{self, EntryDraft, Prices, RowDraft, source_error};
use crate::error::PricingError;
use crate::field::PriceField;
use crate::snapshot::layout::{ROW_BY_RESULTS, ROW_OFF_PEAK, ROW_TIERED};

/// Documentation and routing rules that litellm keeps among its prices.
const NOT_MODELS: [&str; 2] = ["sample_spec", "fallback_generalizations"];
/// Fields whose prices lie one level down.
const NESTED: [&str; 2] = ["search_context_cost_per_query", "provider_specific_entry"];

/// An entry's fields, in the form of litellm's table.
pub(super) type Fields<'a> = BTreeMap<String, &'a RawValue>;

pub(super) fn read(text: &str, notes: &mut Vec<String>) -> Result<BTreeMap<String, EntryDraft>, PricingError> {
    let table: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(source_error)?;
    let mut entries = BTreeMap::new();
    for (key, value) in table {
        if NOT_MODELS.contains(&key.as_str()) {
            continue;
        }
        let wrong = |why: PricingError| source_error(format!("{key}: {why}"));
        let fields: Fields<'_> = serde_json::from_str(value.get()).map_err(|why| wrong(source_error(why)))?;
        let entry = entry(&key, fields, notes).map_err(wrong)?;
        entries.insert(key, entry);
    }
    Ok(entries)
}

pub(super) fn entry(key: &str, fields: Fields<'_>, notes: &mut Vec<String>) -> Result<EntryDraft, PricingError> {
    let mut entry = EntryDraft::default();
    for (name, value) in fields {
        if name == "litellm_provider" {
            entry.provider = serde_json::from_str(value.get()).map_err(source_error)?;
            continue;
        }
        if let (Some(_), Some(Ok(rate))) = (PriceField::parse(&name), draft::rate(value)) {
            let exact = crate::Decimal::parse(value.get().trim_matches('"'))?;
            if exact != rate {
                notes.push(format!("{key}: {name} {} taken as {rate}", value.get()));
            }
        }
        if draft::take(&mut entry.prices, &name, value)? {
            continue;
        }
        if NESTED.contains(&name.as_str()) {
            nested(&mut entry.prices, &name, value)?;
        } else if name == "tiered_pricing" {
            entry.rows.extend(tiers(value)?);
        } else if name == "off_peak_pricing" {
            entry.rows.push(off_peak(value)?);
        } else if name.contains("cost") && draft::rate(value).is_some() {
            notes.push(format!("{key}: no rule uses {name}"));
        }
        entry.attributes.insert(name, compact(value)?);
    }
    Ok(entry)
}

/// A JSON value whose names are in order whatever the features of serde_json in this build: the snapshot depends on its
/// sources alone.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Ordered {
    Object(BTreeMap<String, Ordered>),
    List(Vec<Ordered>),
    Plain(serde_json::Value),
}

/// The value without the whitespace of its source.
fn compact(value: &RawValue) -> Result<String, PricingError> {
    let text = value.get();
    if !text.contains('\n') {
        return Ok(text.to_owned());
    }
    let value: Ordered = serde_json::from_str(text).map_err(source_error)?;
    serde_json::to_string(&value).map_err(source_error)
}

fn nested(prices: &mut Prices, outer: &str, value: &RawValue) -> Result<(), PricingError> {
    let fields: Fields<'_> = serde_json::from_str(value.get()).map_err(source_error)?;
    for (inner, value) in fields {
        draft::take(prices, &format!("{outer}.{inner}"), value)?;
    }
    Ok(())
}

fn tiers(value: &RawValue) -> Result<Vec<RowDraft>, PricingError> {
    let rows: Vec<Fields<'_>> = serde_json::from_str(value.get()).map_err(source_error)?;
    rows.into_iter().map(tier).collect()
}

fn tier(fields: Fields<'_>) -> Result<RowDraft, PricingError> {
    let mut row = RowDraft {
        kind: ROW_TIERED,
        ..RowDraft::default()
    };
    let mut range = None;
    for (name, value) in fields {
        if name == "range" || name == "max_results_range" {
            row.kind = if name == "range" { ROW_TIERED } else { ROW_BY_RESULTS };
            range = Some(bounds(value)?);
        } else if !draft::take(&mut row.prices, &name, value)? {
            return Err(source_error(format!("tiered_pricing has an unknown field {name}")));
        }
    }
    (row.low, row.high) = range.ok_or_else(|| source_error("a row of tiered_pricing has no range"))?;
    Ok(row)
}

fn bounds(value: &RawValue) -> Result<(i64, i64), PricingError> {
    let [low, high]: [&RawValue; 2] = serde_json::from_str(value.get()).map_err(source_error)?;
    let whole = |bound: &RawValue| {
        let bound = crate::Decimal::parse(bound.get())?;
        let tokens = (bound.scale() == 0)
            .then(|| i64::try_from(bound.mantissa()).ok())
            .flatten();
        tokens.ok_or_else(|| source_error("a range is not whole"))
    };
    Ok((whole(low)?, whole(high)?))
}

#[derive(Deserialize)]
struct WindowSource {
    hours_utc: Hours,
    weekdays: Option<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Hours {
    One(String),
    Many(Vec<String>),
}

fn off_peak(value: &RawValue) -> Result<RowDraft, PricingError> {
    let fields: Fields<'_> = serde_json::from_str(value.get()).map_err(source_error)?;
    let mut row = RowDraft {
        kind: ROW_OFF_PEAK,
        ..RowDraft::default()
    };
    for (name, value) in fields {
        match name.as_str() {
            "windows" => {
                let sources: Vec<WindowSource> = serde_json::from_str(value.get()).map_err(source_error)?;
                for source in sources {
                    add_windows(&mut row.windows, source)?;
                }
            }
            "weekday_timezone" => row.weekday_offset = fixed_offset(value.get().trim_matches('"'))?,
            _ if draft::take(&mut row.prices, &name, value)? => {}
            _ => {
                return Err(source_error(format!("off_peak_pricing has an unknown field {name}")));
            }
        }
    }
    Ok(row)
}

fn add_windows(windows: &mut Vec<(u16, u16, u8)>, source: WindowSource) -> Result<(), PricingError> {
    let days = match source.weekdays {
        None => 0x7f,
        Some(days) if days.iter().all(|day| (1..=7).contains(day)) => {
            days.iter().fold(0u8, |mask, day| mask | 1 << (day - 1))
        }
        Some(days) => return Err(source_error(format!("weekdays {days:?} are not 1 to 7"))),
    };
    let hours = match source.hours_utc {
        Hours::One(text) => vec![text],
        Hours::Many(texts) => texts,
    };
    for text in hours {
        let (from, to) = text
            .split_once('-')
            .and_then(|(from, to)| Some((minute(from)?, minute(to)?)))
            .ok_or_else(|| source_error(format!("hours {text} are not HH:MM-HH:MM")))?;
        // Midnight as an end is the end of the day.
        windows.push((from, if to == 0 { 1440 } else { to }, days));
    }
    Ok(())
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60 || (hour, minute) == (24, 0)).then_some(hour * 60 + minute)
}

/// Zones without daylight saving time, which need no time zone database.
fn fixed_offset(zone: &str) -> Result<i16, PricingError> {
    match zone {
        "UTC" | "Etc/UTC" => Ok(0),
        "Asia/Shanghai" | "Asia/Singapore" | "Asia/Hong_Kong" => Ok(480),
        "Asia/Tokyo" | "Asia/Seoul" => Ok(540),
        "Asia/Kolkata" => Ok(330),
        other => Err(source_error(format!(
            "weekday_timezone {other} has no fixed offset that we know"
        ))),
    }
}
