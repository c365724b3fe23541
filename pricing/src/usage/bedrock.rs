//! Bedrock's converse: input without cache, writes by time to live.

use serde::Deserialize;

use super::Usage;
use crate::error::PricingError;
use crate::tokens::{Buckets, Tokens, remainder, sum};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ConverseUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    #[serde(alias = "cacheReadInputTokenCount")]
    cache_read_input_tokens: Option<u64>,
    #[serde(alias = "cacheWriteInputTokenCount")]
    cache_write_input_tokens: Option<u64>,
    cache_details: Option<Vec<CacheDetail>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail {
    ttl: String,
    input_tokens: u64,
}

pub(super) fn converse(usage: &ConverseUsage) -> Result<Usage, PricingError> {
    let details = usage.cache_details.as_deref().unwrap_or_default();
    let of = |ttl: &str| {
        let counts: Vec<_> = details
            .iter()
            .filter(|one| one.ttl == ttl)
            .map(|one| Some(one.input_tokens))
            .collect();
        sum("cacheWriteInputTokens", &counts)
    };
    let (short, long) = (of("5m")?, of("1h")?);
    let writes = usage
        .cache_write_input_tokens
        .or(sum("cacheWriteInputTokens", &[short, long])?);
    let untold = remainder("cacheWriteInputTokens", writes, &[short, long])?;
    let short = match (short, untold) {
        (None, untold) => untold.filter(|count| *count > 0 || long.is_none()),
        (Some(_), untold) => sum("cacheWriteInputTokens", &[short, untold])?,
    };
    let input = sum(
        "inputTokens",
        &[usage.input_tokens, usage.cache_read_input_tokens, writes],
    )?;
    Ok(Usage {
        tokens: Tokens {
            input,
            output: usage.output_tokens,
            cache_read: usage.cache_read_input_tokens,
            cache_write_5m: short,
            cache_write_1h: long,
            ..Tokens::default()
        },
        buckets: Buckets {
            text_in: usage.input_tokens,
            cache_read: usage.cache_read_input_tokens,
            cache_write_5m: short,
            cache_write_1h: long,
            text_out: usage.output_tokens,
            ..Buckets::default()
        },
        output_missing: input.is_some() && usage.output_tokens.is_none(),
        ..Usage::default()
    })
}
