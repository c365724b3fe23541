//! Anthropic's messages: input without cache, writes by time to live.

use serde::Deserialize;

use super::{Served, Usage};
use crate::error::PricingError;
use crate::tokens::{Buckets, Tokens, remainder, sum};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct MessagesUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens_details: Option<OutputDetails>,
    server_tool_use: Option<ServerToolUse>,
    service_tier: Option<String>,
    inference_geo: Option<String>,
    speed: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct ServerToolUse {
    web_search_requests: Option<u64>,
}

impl MessagesUsage {
    /// The counts of a later event of the same stream: they are cumulative, so what it says replaces what was said.
    pub(super) fn then(self, later: Self) -> Self {
        Self {
            input_tokens: later.input_tokens.or(self.input_tokens),
            output_tokens: later.output_tokens.or(self.output_tokens),
            cache_read_input_tokens: later
                .cache_read_input_tokens
                .or(self.cache_read_input_tokens),
            // A later total without a split leaves the split of the message's start in force.
            cache_creation_input_tokens: later
                .cache_creation_input_tokens
                .or(self.cache_creation_input_tokens),
            cache_creation: later.cache_creation.or(self.cache_creation),
            output_tokens_details: later.output_tokens_details.or(self.output_tokens_details),
            server_tool_use: later.server_tool_use.or(self.server_tool_use),
            service_tier: later.service_tier.or(self.service_tier),
            inference_geo: later.inference_geo.or(self.inference_geo),
            speed: later.speed.or(self.speed),
        }
    }
}

pub(super) fn messages(usage: &MessagesUsage) -> Result<Usage, PricingError> {
    let split = usage.cache_creation.unwrap_or_default();
    let (short, long) = (
        split.ephemeral_5m_input_tokens,
        split.ephemeral_1h_input_tokens,
    );
    let writes = usage
        .cache_creation_input_tokens
        .or(sum("cache_creation_input_tokens", &[short, long])?);
    // What no time to live is told for was written for five minutes, the default.
    let untold = remainder("cache_creation_input_tokens", writes, &[short, long])?;
    let short = match (short, untold) {
        (None, untold) => untold.filter(|count| *count > 0 || long.is_none()),
        (Some(_), untold) => sum("cache_creation_input_tokens", &[short, untold])?,
    };
    let reasoning = usage
        .output_tokens_details
        .and_then(|details| details.thinking_tokens);
    let buckets = Buckets {
        text_in: usage.input_tokens,
        cache_read: usage.cache_read_input_tokens,
        cache_write_5m: short,
        cache_write_1h: long,
        text_out: remainder("output_tokens", usage.output_tokens, &[reasoning])?,
        reasoning,
        ..Buckets::default()
    };
    let input = sum(
        "input_tokens",
        &[usage.input_tokens, usage.cache_read_input_tokens, writes],
    )?;
    let tokens = Tokens {
        input,
        output: usage.output_tokens,
        cache_read: usage.cache_read_input_tokens,
        cache_write_5m: short,
        cache_write_1h: long,
        reasoning,
        ..Tokens::default()
    };
    Ok(Usage {
        tokens,
        buckets,
        served: usage.service_tier.as_deref().map(Served::named),
        us_only: usage.inference_geo.as_deref() == Some("us"),
        fast: usage.speed.as_deref() == Some("fast"),
        web_searches: usage
            .server_tool_use
            .and_then(|tools| tools.web_search_requests),
        output_missing: input.is_some() && usage.output_tokens.is_none(),
        ..Usage::default()
    })
}
