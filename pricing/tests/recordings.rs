//! Every usage object in the recorded traffic: priced, or with a stated reason. The reasons and their counts are in
//! `data/recorded_reasons.txt`; `WRITE=1 cargo test -p pricing --test recordings` writes them anew, and with
//! `-- --nocapture` and `VERBOSE=1` an example of each is printed.

#![allow(clippy::unwrap_used, reason = "a test's panic is its report")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use pricing::{Cost, CostQuery, UsageFormat, cost, read_usage, read_usage_by_shape};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Exchange<'a> {
    id: String,
    provider: String,
    operation: String,
    model: Option<String>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

/// 2026-11-20T12:00:00Z.
const AT_NS: i64 = 1_795_176_000_000_000_000;

/// The recordings as JSON lines, if they and gzip are here.
fn recordings() -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/recordings/exchanges.jsonl.gz");
    path.exists().then_some(())?;
    let output = Command::new("gzip").arg("-dc").arg(path).output().ok()?;
    String::from_utf8(output.stdout).ok()
}

fn cost_of(exchange: &Exchange<'_>, json: &str) -> (Cost, Option<Cost>) {
    let query = CostQuery {
        provider: &exchange.provider,
        model: exchange.model.as_deref().unwrap_or_default(),
        at_ns: AT_NS,
        ..CostQuery::default()
    };
    let by_shape = read_usage_by_shape(json);
    let format = UsageFormat::for_call(&exchange.provider, &exchange.operation);
    let usage = match format {
        Some(format) => read_usage(format, json),
        None => by_shape.clone().map(|(_, usage)| usage),
    };
    let of = |usage: Result<_, _>| match usage {
        Ok(usage) => cost(&usage, &query),
        Err(why) => Cost::of_invalid_usage(why),
    };
    (of(usage), format.map(|_| of(by_shape.map(|(_, usage)| usage))))
}

#[test]
fn every_recorded_usage_has_a_cost_or_a_reason() {
    let Some(text) = recordings() else {
        println!("skipped: shared/recordings/exchanges.jsonl.gz is not here");
        return;
    };
    let mut counts: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut total = 0;
    for line in text.lines() {
        let exchange: Exchange<'_> = serde_json::from_str(line).unwrap();
        let Some(usage) = exchange.usage.filter(|usage| usage.get() != "null") else {
            continue;
        };
        total += 1;
        let (cost, by_shape) = cost_of(&exchange, usage.get());
        assert_eq!(
            cost.usd.is_none(),
            cost.reason.is_some() && cost.reported_usd.is_none(),
            "{}",
            exchange.id
        );
        assert!(cost.usd.is_none_or(|usd| usd.as_picos() >= 0), "{}", exchange.id);
        if let (Some(reported), Some(computed)) = (cost.reported_usd, cost.computed_usd) {
            let kind = match reported == computed {
                true => "computed as the provider states it",
                false => "computed otherwise than the provider states it",
            };
            let kind = format!("{kind} | {}", exchange.provider);
            let example = format!(
                "{} {:?} {reported} {computed} {}",
                exchange.id,
                exchange.model,
                usage.get()
            );
            counts.entry(kind).or_insert_with(|| (0, example)).0 += 1;
        }
        let reason = cost.reason.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut kind = format!("{} {reason}", cost.status.as_str());
        *reasons.entry(without_figures(&kind)).or_default() += 1;
        if std::env::var_os("VERBOSE").is_some() {
            kind = format!("{kind} | {} {}", exchange.provider, exchange.operation);
        }
        let example = || format!("{} {:?} {}", exchange.id, exchange.model, usage.get());
        counts.entry(kind).or_insert_with(|| (0, example())).0 += 1;
        if let Some(by_shape) = by_shape
            && by_shape.computed_usd != cost.computed_usd
        {
            let kind = format!("DIFFERENT BY SHAPE | {} {}", exchange.provider, exchange.operation);
            counts.entry(kind).or_insert_with(|| (0, example())).0 += 1;
        }
    }
    for (kind, (count, example)) in &counts {
        println!("{count:>5} {kind}");
        if std::env::var_os("VERBOSE").is_some() {
            println!("        {example}");
        }
    }
    println!("{total:>5} in total");
    let mut list = format!("{total:>5} usage objects\n");
    for (reason, count) in &reasons {
        list.push_str(&format!("{count:>5} {}\n", reason.trim_end()));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/recorded_reasons.txt");
    if std::env::var_os("WRITE").is_some() {
        std::fs::write(&path, &list).unwrap();
    }
    assert_eq!(
        list,
        std::fs::read_to_string(path).unwrap(),
        "run it with WRITE=1, and look at what changed"
    );
}

/// A reason without the counts of one call.
fn without_figures(reason: &str) -> String {
    let words = reason.split(' ').map(|word| {
        let digits = word.trim_end_matches(',');
        let is_count = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_count { "N" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}
