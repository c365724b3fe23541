//! What the tests of rules share.

#![allow(clippy::unwrap_used, reason = "a test's panic is its report")]
#![allow(dead_code, reason = "each test uses a part of it")]

use pricing::{Cost, CostQuery, PriceList, Usage, UsageFormat, cost, read_usage};

/// 2026-11-20T12:00:00Z, a Friday.
pub(crate) const FRIDAY_NOON: i64 = 1_795_176_000_000_000_000;
pub(crate) const HOUR: i64 = 3_600_000_000_000;

pub(crate) fn usage(format: &str, json: &str) -> Usage {
    read_usage(UsageFormat::from_name(format).unwrap(), json).unwrap()
}

pub(crate) fn error(format: &str, json: &str) -> String {
    read_usage(UsageFormat::from_name(format).unwrap(), json)
        .unwrap_err()
        .to_string()
}

pub(crate) fn query<'a>(provider: &'a str, model: &'a str) -> CostQuery<'a> {
    CostQuery {
        provider,
        model,
        at_ns: FRIDAY_NOON,
        ..CostQuery::default()
    }
}

pub(crate) fn list(json: &str) -> PriceList {
    PriceList::from_json(json).unwrap()
}

/// The cost of a usage by the prices given.
pub(crate) fn by(prices: &str, usage: &Usage) -> Cost {
    let list = list(prices);
    cost(
        usage,
        &CostQuery {
            custom_pricing: Some(&list),
            ..query("custom", "m")
        },
    )
}

pub(crate) fn usd(cost: &Cost) -> Option<String> {
    cost.usd.map(|usd| usd.to_string())
}

pub(crate) fn reason(cost: &Cost) -> String {
    cost.reason.as_ref().unwrap().to_string()
}

pub(crate) fn chat(input: u64, output: u64) -> Usage {
    usage(
        "openai.chat",
        &format!(r#"{{"prompt_tokens":{input},"completion_tokens":{output}}}"#),
    )
}
