//! Prices calls from standard input, one JSON object per line, for comparisons with other tools:
//! `{"provider": "openai", "model": "gpt-4o", "format": "openai.chat", "usage": {...}, "service_tier": "flex", "batch": true}`.
//! Without a format the usage is recognised by its shape.

use std::io::{self, BufRead, BufWriter, Write};

use pricing::{Cost, CostQuery, UsageFormat, cost, read_usage, read_usage_by_shape};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Call {
    provider: String,
    model: String,
    format: Option<String>,
    usage: Box<RawValue>,
    at_ns: Option<i64>,
    service_tier: Option<String>,
    #[serde(default)]
    batch: bool,
}

/// 2026-11-20T12:00:00Z, the day the price table holds on.
const TODAY: i64 = 1_795_176_000_000_000_000;

fn priced(call: &Call) -> Cost {
    let usage = match call.format.as_deref().and_then(UsageFormat::from_name) {
        Some(format) => read_usage(format, call.usage.get()),
        None => read_usage_by_shape(call.usage.get()).map(|(_, usage)| usage),
    };
    let query = CostQuery {
        provider: &call.provider,
        model: &call.model,
        at_ns: call.at_ns.unwrap_or(TODAY),
        service_tier: call.service_tier.as_deref(),
        batch: call.batch,
        ..CostQuery::default()
    };
    usage.map_or_else(Cost::of_invalid_usage, |usage| cost(&usage, &query))
}

fn main() -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let call: Call = serde_json::from_str(&line?)?;
        let cost = priced(&call);
        let answer = serde_json::json!({
            "usd": cost.usd.map(|usd| usd.to_string()),
            "status": cost.status.as_str(),
            "price_key": cost.price_key,
            "reason": cost.reason.as_ref().map(ToString::to_string),
            "breakdown": cost.breakdown_json(),
        });
        writeln!(out, "{answer}")?;
    }
    out.flush()
}
