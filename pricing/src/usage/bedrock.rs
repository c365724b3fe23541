//! Bedrock: converse, and what the models behind its older invoke report.

use serde::Deserialize;

use super::{Side, Usage};
use crate::error::PricingError;
use crate::tokens::{Buckets, Tokens, Writes, sum};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ConverseUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_write_input_tokens: Option<u64>,
    cache_details: Option<Vec<CacheDetail>>,
    /// The older name, which stands beside the newer one.
    cache_read_input_token_count: Option<u64>,
    cache_write_input_token_count: Option<u64>,
    /// The metrics of an invoke stream.
    input_token_count: Option<u64>,
    output_token_count: Option<u64>,
    /// Titan embeddings.
    input_text_token_count: Option<u64>,
    /// Llama.
    #[serde(rename = "prompt_token_count")]
    prompt_token_count: Option<u64>,
    #[serde(rename = "generation_token_count")]
    generation_token_count: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail {
    ttl: String,
    input_tokens: u64,
}

/// Input without cache, writes by time to live.
pub(super) fn converse(usage: &ConverseUsage) -> Result<Usage, PricingError> {
    let input = usage
        .input_tokens
        .or(usage.input_token_count)
        .or(usage.prompt_token_count);
    let output = usage
        .output_tokens
        .or(usage.output_token_count)
        .or(usage.generation_token_count);
    let cache_read = usage.cache_read_input_tokens.or(usage.cache_read_input_token_count);
    let written = usage.cache_write_input_tokens.or(usage.cache_write_input_token_count);

    let details = usage.cache_details.as_deref().unwrap_or_default();
    if let Some(other) = details.iter().find(|one| one.ttl != "5m" && one.ttl != "1h") {
        return Err(PricingError::Malformed(format!(
            "cacheDetails has an unknown ttl {}",
            other.ttl
        )));
    }
    let of = |ttl: &str| {
        let counts: Vec<_> = details
            .iter()
            .filter(|one| one.ttl == ttl)
            .map(|one| Some(one.input_tokens))
            .collect();
        sum("cacheWriteInputTokens", &counts)
    };
    let writes = Writes::new("cacheWriteInputTokens", written, of("5m")?, of("1h")?)?;
    let embedding = usage.input_text_token_count.filter(|_| input.is_none());
    let text_in = input.or(embedding);
    let tokens = Tokens {
        input: sum("inputTokens", &[text_in, cache_read, writes.total])?,
        output,
        cache_read,
        cache_write_5m: writes.short,
        cache_write_1h: writes.long,
        ..Tokens::default()
    };
    Ok(Usage {
        tokens,
        buckets: Buckets {
            text_in,
            cache_read,
            cache_write_5m: writes.short,
            cache_write_1h: writes.long,
            text_out: output,
            ..Buckets::default()
        },
        missing: Side::missing(text_in, output).filter(|_| embedding.is_none()),
        ..Usage::default()
    })
}
