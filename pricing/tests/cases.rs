//! Every case of the shared corpus, exactly; a sample of them lies beside this test (see `data/README.md`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's panic is its report")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pricing::{Cost, CostQuery, PriceList, UsageFormat, Usd, cost, read_usage, read_usage_by_shape};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Case<'a> {
    id: &'a str,
    model: &'a str,
    provider: &'a str,
    price_key: Option<&'a str>,
    price_source: &'a str,
    usage_format: &'a str,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    options: Options<'a>,
    expected_usd: Option<&'a str>,
    status: &'a str,
    as_of: &'a str,
}

#[derive(Deserialize)]
struct Options<'a> {
    service_tier: Option<&'a str>,
    #[serde(default)]
    batch: bool,
    data_residency: Option<&'a str>,
    vertex_location: Option<&'a str>,
    base_model: Option<&'a str>,
    web_search_calls: Option<u64>,
    #[serde(borrow)]
    custom_pricing: Option<BTreeMap<&'a str, &'a str>>,
}

/// Nanoseconds of an RFC 3339 text in whole seconds.
fn nanoseconds(text: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let days_before = |year: i64| year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let months = [31, 28 + i64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let in_year: i64 = months[..month as usize - 1].iter().sum();
    let days = days_before(year - 1) - days_before(1969) + in_year + day - 1;
    let seconds = days * 86_400 + number(11..13) * 3_600 + number(14..16) * 60 + number(17..19);
    let zone = &text[19..];
    let offset = if zone == "Z" {
        0
    } else {
        let minutes = zone[1..3].parse::<i64>().unwrap() * 60 + zone[4..6].parse::<i64>().unwrap();
        if zone.starts_with('-') { -minutes } else { minutes }
    };
    (seconds - offset * 60) * 1_000_000_000
}

fn cost_of(case: &Case<'_>, by_shape: bool) -> Cost {
    let json = case.usage.map_or("null", RawValue::get);
    let format = UsageFormat::from_name(case.usage_format).unwrap();
    let usage = match by_shape && case.usage.is_some() {
        true => {
            read_usage_by_shape(json)
                .unwrap_or_else(|why| panic!("{}: {why}", case.id))
                .1
        }
        false => read_usage(format, json).unwrap_or_else(|why| panic!("{}: {why}", case.id)),
    };
    let custom = case.options.custom_pricing.as_ref();
    let custom = custom.map(|list| PriceList::new(list.iter().map(|(name, rate)| (*name, *rate))).unwrap());
    let options = &case.options;
    let query = CostQuery {
        provider: case.provider,
        model: case.model,
        at_ns: nanoseconds(case.as_of),
        service_tier: options.service_tier,
        batch: options.batch,
        data_residency: options.data_residency,
        vertex_location: options.vertex_location,
        base_model: options.base_model,
        web_search_calls: options.web_search_calls,
        custom_pricing: custom.as_ref(),
        ..CostQuery::default()
    };
    cost(&usage, &query)
}

fn complaint(case: &Case<'_>, by_shape: bool) -> Option<String> {
    let cost = cost_of(case, by_shape);
    let expected = case.expected_usd.map(|text| Usd::parse(text).unwrap());
    let key = cost.price_key.as_deref();
    // Where both spellings are keys of the same price, `<provider>/<model>` goes first, whichever a case was made from.
    let same_key =
        key == case.price_key || key == case.price_key.map(|key| format!("{}/{key}", case.provider)).as_deref();
    let same_key = same_key || case.price_source != "litellm" || case.status == "no_usage";
    (cost.usd != expected || cost.status.as_str() != case.status || !same_key).then(|| {
        format!(
            "{}: {:?} {} {key:?} {:?}, expected {expected:?} {} {:?}",
            case.id,
            cost.usd,
            cost.status.as_str(),
            cost.reason,
            case.status,
            case.price_key
        )
    })
}

fn check(text: &str, by_shape: bool) -> usize {
    let cases: Vec<Case<'_>> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let complaints: Vec<_> = cases.iter().filter_map(|case| complaint(case, by_shape)).collect();
    assert!(
        complaints.is_empty(),
        "{} of {}:\n{}",
        complaints.len(),
        cases.len(),
        complaints.join("\n")
    );
    cases.len()
}

fn corpus() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pricing/cost_cases.jsonl");
    fs::read_to_string(path).ok()
}

#[test]
fn the_sample_is_exact() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cost_cases_sample.jsonl");
    assert!(check(&fs::read_to_string(path).unwrap(), false) >= 60);
}

#[test]
fn the_corpus_is_exact() {
    match corpus() {
        Some(text) => println!("{} cases", check(&text, false)),
        None => println!("skipped: shared/pricing/cost_cases.jsonl is not here"),
    }
}

#[test]
fn the_corpus_is_exact_by_shape() {
    match corpus() {
        Some(text) => println!("{} cases", check(&text, true)),
        None => println!("skipped: shared/pricing/cost_cases.jsonl is not here"),
    }
}
