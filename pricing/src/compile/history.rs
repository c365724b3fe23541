//! Dated prices: what a model cost before, and will cost.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Disagreement;
use super::draft::{self, EntryDraft, Prices, RowDraft, source_error};
use super::overlay::Overlay;
use crate::clock;
use crate::error::PricingError;
use crate::field::PriceField;
use crate::snapshot::layout::{ROW_DATED, ROW_DATED_CURRENT};

#[derive(Deserialize)]
struct History<'a> {
    #[serde(borrow)]
    models: Vec<Model<'a>>,
}

#[derive(Deserialize)]
struct Model<'a> {
    model: String,
    #[serde(borrow)]
    history: Vec<Dated<'a>>,
}

#[derive(Deserialize)]
struct Dated<'a> {
    effective_from: Option<String>,
    #[serde(borrow)]
    prices: BTreeMap<String, &'a RawValue>,
}

pub(super) fn apply(
    text: &str,
    overlay: &Overlay<'_>,
    disagreement: Disagreement,
    entries: &mut BTreeMap<String, EntryDraft>,
    notes: &mut Vec<String>,
) -> Result<(), PricingError> {
    let history: History<'_> = serde_json::from_str(text).map_err(source_error)?;
    let today = overlay.as_of_day()?;
    for Model { model, history } in history.models {
        let entry = match entries.get_mut(&model) {
            Some(entry) => entry,
            None if disagreement == Disagreement::TableIsNewer => {
                notes.push(format!("{model}: has dated prices, but is not in the table any more"));
                continue;
            }
            None => return Err(source_error(format!("{model} has dated prices only"))),
        };
        let mut rows: Vec<RowDraft> = history
            .into_iter()
            .map(|dated| row(&model, dated, overlay))
            .collect::<Result<_, _>>()?;
        rows.sort_by_key(|row| row.low);
        if let Some(current) = rows.iter().rposition(|row| row.low <= today) {
            match conflict(&model, &rows[current].prices, &entry.prices, overlay) {
                None => rows[current].kind = ROW_DATED_CURRENT,
                Some(conflict) if disagreement == Disagreement::TableIsNewer => {
                    notes.push(format!("{conflict}; the table's from {} on", overlay.as_of));
                    let row = RowDraft {
                        kind: ROW_DATED_CURRENT,
                        low: today,
                        ..RowDraft::default()
                    };
                    rows.insert(current + 1, row);
                }
                Some(conflict) => {
                    return Err(source_error(format!("conflict: {conflict}; decide in overlay.json")));
                }
            }
        }
        entry.rows.extend(rows);
    }
    Ok(())
}

fn row(model: &str, dated: Dated<'_>, overlay: &Overlay<'_>) -> Result<RowDraft, PricingError> {
    let low = match &dated.effective_from {
        None => i64::MIN,
        Some(date) => clock::day_of(date).ok_or_else(|| source_error(format!("{date} is not YYYY-MM-DD")))?,
    };
    let mut row = RowDraft {
        kind: ROW_DATED,
        low,
        ..RowDraft::default()
    };
    let mut stated = Prices::new();
    for (name, value) in dated.prices {
        if !draft::take(&mut stated, &name, value)? {
            return Err(source_error(format!("{name} is not a price field with a number")));
        }
    }
    for (code, rate) in stated {
        let field = PriceField::from_code(code).ok_or_else(|| source_error("a field without a name"))?;
        let above_thousands = overlay.threshold(model, field.above_thousands);
        row.prices.insert(
            PriceField {
                above_thousands,
                ..field
            }
            .code(),
            rate,
        );
    }
    Ok(row)
}

/// Where two sources for the same day do not say the same, and the overlay does not decide.
fn conflict(model: &str, dated: &Prices, table: &Prices, overlay: &Overlay<'_>) -> Option<String> {
    dated
        .iter()
        .filter(|(code, rate)| table.get(code) != Some(rate))
        .find_map(|(code, rate)| {
            let field = PriceField::from_code(*code)?;
            let other = table.get(code).map_or_else(|| "absent".to_owned(), ToString::to_string);
            (!overlay.decides(model, field))
                .then(|| format!("{model} {field} is {rate} in the history, {other} in the table"))
        })
}
