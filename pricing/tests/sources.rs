//! The committed snapshot is what the sources give, and says what they say.

#![allow(clippy::unwrap_used, reason = "a test's panic is its report")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pricing::compile::{Sources, compile, update};
use pricing::{CostQuery, PricingError, Snapshot, Usd, cost, estimated_usage};
use serde_json::Value;

fn source(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

const NO_CORRECTIONS: &str = r#"{"as_of":"2026-11-20","corrections":[]}"#;

fn snapshot(table: &str, history: Option<&str>, overlay: &str) -> Result<Snapshot, PricingError> {
    Snapshot::open(
        compile(Sources {
            table,
            history,
            overlay,
        })?
        .bytes,
    )
}

#[test]
fn the_committed_snapshot_is_what_the_sources_give() {
    let (table, history) = (
        source("sources/litellm_model_prices.json"),
        source("sources/price_history.json"),
    );
    let overlay = source("sources/overlay.json");
    let sources = Sources {
        table: &table,
        history: Some(&history),
        overlay: &overlay,
    };
    let compiled = compile(sources).unwrap();
    assert!(compiled.bytes == compile(sources).unwrap().bytes, "not reproducible");
    let committed = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/prices.bin")).unwrap();
    assert!(
        compiled.bytes == committed,
        "stale: cargo run -p pricing --bin compile-prices"
    );
    let unused: Vec<_> = compiled
        .notes
        .iter()
        .filter(|note| note.contains("no rule uses"))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

/// Every field of every entry, as a float: noise of the source is far below this comparison's tolerance.
#[test]
fn no_field_is_lost() {
    let table: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_str(&source("sources/litellm_model_prices.json")).unwrap();
    let models = table
        .iter()
        .filter(|(key, _)| !["sample_spec", "fallback_generalizations"].contains(&key.as_str()));
    let mut count = 0;
    for (key, expected) in models {
        let entry = Snapshot::embedded().entry(key).unwrap();
        let actual: BTreeMap<String, Value> = serde_json::from_str(&entry.to_json()).unwrap();
        assert_eq!(
            actual.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>(),
            "{key}"
        );
        for (name, value) in expected {
            match (value.as_f64(), actual[name].as_f64()) {
                (Some(expected), Some(actual)) => {
                    assert!(
                        (expected - actual).abs() <= expected.abs() * 1e-15,
                        "{key} {name} {expected} {actual}"
                    );
                }
                _ => assert_eq!(&actual[name], value, "{key} {name}"),
            }
        }
        count += 1;
    }
    assert_eq!(count, Snapshot::embedded().len());
}

#[test]
fn two_sources_that_disagree_are_a_conflict_until_the_overlay_decides() {
    let table = r#"{"m":{"litellm_provider":"p","input_cost_per_token":2e-06}}"#;
    let history = r#"{"models":[{"model":"m","history":[{"effective_from":null,"prices":{"input_cost_per_token":"0.000001"}}]}]}"#;
    let conflict = snapshot(table, Some(history), NO_CORRECTIONS).unwrap_err();
    assert!(
        conflict
            .to_string()
            .contains("conflict: m input_cost_per_token is 0.000001"),
        "{conflict}"
    );
    let decided = r#"{"as_of":"2026-11-20","corrections":[{"key":"m","set":{"input_cost_per_token":2e-06},
        "why":"the price list says so","source":"https://example.com/prices","checked":"2026-11-21"}]}"#;
    let snapshot = snapshot(table, Some(history), decided).unwrap();
    assert_eq!(
        snapshot.entry("m").unwrap().to_json(),
        r#"{"input_cost_per_token":0.000002,"litellm_provider":"p"}"#
    );
}

#[test]
fn a_correction_needs_its_source() {
    let table = r#"{"m":{"litellm_provider":"p","input_cost_per_token":2e-06}}"#;
    let unproven = r#"{"as_of":"2026-11-20","corrections":[{"key":"m","set":{"input_cost_per_token":3e-06},
        "why":"","source":"","checked":"soon"}]}"#;
    assert!(snapshot(table, None, unproven).is_err());
    let typo = r#"{"as_of":"2026-11-20","corrections":[{"key":"m","set":{"input_cost_per_tokn":3e-06},
        "why":"w","source":"s","checked":"2026-11-21"}]}"#;
    assert!(
        snapshot(table, None, typo)
            .unwrap_err()
            .to_string()
            .contains("input_cost_per_tokn")
    );
}

#[test]
fn sources_of_the_wrong_form_are_errors() {
    for table in [
        "",
        "[]",
        r#"{"m":{"litellm_provider":7}}"#,
        r#"{"m":{"litellm_provider":"p","input_cost_per_token":-1}}"#,
        r#"{"m":{"litellm_provider":"p","tiered_pricing":[{"input_cost_per_token":1}]}}"#,
        r#"{"m":{"litellm_provider":"p","tiered_pricing":[{"range":[0,1],"new_cost":1}]}}"#,
        r#"{"m":{"litellm_provider":"p","off_peak_pricing":{"windows":[{"hours_utc":"25:00-26:00"}]}}}"#,
        r#"{"m":{"litellm_provider":"p","off_peak_pricing":{"windows":[{"hours_utc":"01:00-02:00","weekdays":[8]}]}}}"#,
        r#"{"m":{"litellm_provider":"p","off_peak_pricing":{"weekday_timezone":"Mars/Olympus"}}}"#,
    ] {
        assert!(snapshot(table, None, NO_CORRECTIONS).is_err(), "{table}");
    }
    for overlay in [
        "{}",
        r#"{"as_of":"today","corrections":[]}"#,
        r#"{"as_of":"2026-11-20","corrections":[],"x":1}"#,
    ] {
        assert!(snapshot("{}", None, overlay).is_err(), "{overlay}");
    }
}

/// An updated table is used like the embedded one, with keys of its own lifetime.
#[test]
fn another_snapshot_prices_calls() {
    let table = r#"{"p/m":{"litellm_provider":"p","input_cost_per_token":2e-06,"output_cost_per_token":5.0000000000000004e-06,
        "a_new_cost_of_something":1e-06}}"#;
    let compiled = compile(Sources {
        table,
        history: None,
        overlay: NO_CORRECTIONS,
    })
    .unwrap();
    assert_eq!(compiled.notes.len(), 2, "{:?}", compiled.notes);
    let book = pricing::PriceBook::default().with_snapshot(Snapshot::open(compiled.bytes).unwrap());
    let query = CostQuery {
        provider: "p",
        model: "m",
        book: Some(&book),
        ..CostQuery::default()
    };
    let cost = cost(&estimated_usage(1_000, 10), &query);
    assert_eq!(cost.usd, Some(Usd::parse("0.00205").unwrap()));
    assert_eq!(cost.status.as_str(), "estimated");
    assert_eq!(cost.price_key.as_deref(), Some("p/m"));
}

/// A newer table changes a price that the history knows: the old one holds until the new table's date.
#[test]
fn an_update_keeps_what_was_true_before() {
    let table = source("sources/litellm_model_prices.json");
    let mut parsed: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_str(&table).unwrap();
    parsed
        .get_mut("o3")
        .unwrap()
        .insert("input_cost_per_token".to_owned(), serde_json::json!(1e-6));
    let compiled = update(&serde_json::to_string(&parsed).unwrap(), "2027-03-01").unwrap();
    assert!(
        compiled
            .notes
            .iter()
            .any(|note| note.starts_with("o3 input_cost_per_token is 0.000002"))
    );
    let newer = Snapshot::open(compiled.bytes).unwrap();
    assert!(newer.version().starts_with("2027-03-01+"));
    let changes: Vec<_> = Snapshot::embedded()
        .changes_to(&newer)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(changes, ["o3 input_cost_per_token: 0.000002 -> 0.000001"]);

    let book = pricing::PriceBook::default().with_snapshot(newer);
    // Days since 1970: 2025-06-09, 2027-02-28 and 2027-03-01.
    for (day, price) in [(20_248, "10"), (20_877, "2"), (20_878, "1"), (20_900, "1")] {
        let at_ns = day * 86_400_000_000_000;
        let query = CostQuery {
            provider: "openai",
            model: "o3",
            at_ns,
            book: Some(&book),
            ..CostQuery::default()
        };
        assert_eq!(
            cost(&estimated_usage(1_000_000, 0), &query).usd,
            Some(Usd::parse(price).unwrap()),
            "{day}"
        );
    }
    for table in ["{}", "[]", "not JSON", r#"{"m":{"litellm_provider":"p"}}"#] {
        assert!(update(table, "2027-03-01").is_err(), "{table}");
    }
}
