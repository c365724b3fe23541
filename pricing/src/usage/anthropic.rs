//! Anthropic's messages: input without cache, writes by time to live.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Served, Side, Usage};
use crate::error::PricingError;
use crate::tokens::{Buckets, Tokens, Writes, remainder, sum};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct MessagesUsage<'a> {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
    output_tokens_details: Option<OutputDetails>,
    server_tool_use: Option<ServerToolUse>,
    #[serde(borrow)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow)]
    inference_geo: Option<Cow<'a, str>>,
    #[serde(borrow)]
    speed: Option<Cow<'a, str>>,
    #[serde(borrow)]
    iterations: Option<Vec<Iteration<'a>>>,
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

/// One of the requests that the provider made of one call. The counts of the call are those of its messages only.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Iteration<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    /// Set where another model was asked.
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
}

impl<'a> MessagesUsage<'a> {
    /// The counts of a later event of the same stream: they are cumulative, so what it says replaces what was said.
    pub(super) fn then(self, later: Self) -> Self {
        Self {
            input_tokens: later.input_tokens.or(self.input_tokens),
            output_tokens: later.output_tokens.or(self.output_tokens),
            cache_read_input_tokens: later.cache_read_input_tokens.or(self.cache_read_input_tokens),
            // A later total without a split leaves the split of the message's start in force.
            cache_creation_input_tokens: later.cache_creation_input_tokens.or(self.cache_creation_input_tokens),
            cache_creation: later.cache_creation.or(self.cache_creation),
            output_tokens_details: later.output_tokens_details.or(self.output_tokens_details),
            server_tool_use: later.server_tool_use.or(self.server_tool_use),
            service_tier: later.service_tier.or(self.service_tier),
            inference_geo: later.inference_geo.or(self.inference_geo),
            speed: later.speed.or(self.speed),
            iterations: later.iterations.or(self.iterations),
        }
    }
}

pub(super) fn messages(usage: &MessagesUsage<'_>) -> Result<Usage, PricingError> {
    let split = usage.cache_creation.unwrap_or_default();
    let (short, long) = (split.ephemeral_5m_input_tokens, split.ephemeral_1h_input_tokens);
    let writes = Writes::new(
        "cache_creation_input_tokens",
        usage.cache_creation_input_tokens,
        short,
        long,
    )?;
    let reasoning = usage.output_tokens_details.and_then(|details| details.thinking_tokens);
    let buckets = Buckets {
        text_in: usage.input_tokens,
        cache_read: usage.cache_read_input_tokens,
        cache_write_5m: writes.short,
        cache_write_1h: writes.long,
        text_out: remainder("output_tokens", usage.output_tokens, &[reasoning])?,
        reasoning,
        ..Buckets::default()
    };
    let input = sum(
        "input_tokens",
        &[usage.input_tokens, usage.cache_read_input_tokens, writes.total],
    )?;
    let tokens = Tokens {
        input,
        output: usage.output_tokens,
        cache_read: usage.cache_read_input_tokens,
        cache_write_5m: writes.short,
        cache_write_1h: writes.long,
        reasoning,
        ..Tokens::default()
    };
    let read = Usage {
        tokens,
        buckets,
        served: usage.service_tier.as_deref().map(Served::named),
        us_only: usage.inference_geo.as_deref() == Some("us"),
        fast: usage.speed.as_deref() == Some("fast"),
        web_searches: usage.server_tool_use.and_then(|tools| tools.web_search_requests),
        missing: Side::missing(usage.input_tokens, usage.output_tokens),
        ..Usage::default()
    };
    match usage.iterations.as_deref() {
        None | Some([]) => Ok(read),
        Some(iterations) => with_iterations(read, iterations),
    }
}

/// Adds what the call's own counts leave out: a compaction of the conversation is billed beside the message.
fn with_iterations(mut read: Usage, iterations: &[Iteration<'_>]) -> Result<Usage, PricingError> {
    let mut longest = None;
    for one in iterations {
        let split = one.cache_creation.unwrap_or_default();
        let writes = Writes::new(
            "cache_creation_input_tokens",
            one.cache_creation_input_tokens,
            split.ephemeral_5m_input_tokens,
            split.ephemeral_1h_input_tokens,
        )?;
        let prompt = sum(
            "input_tokens",
            &[one.input_tokens, one.cache_read_input_tokens, writes.total],
        )?;
        if one.model.is_some() {
            read.other_model = true;
            continue;
        }
        longest = longest.max(prompt);
        if one.kind.as_deref() != Some("compaction") {
            continue;
        }
        let Usage { buckets, tokens, .. } = &mut read;
        for (count, more) in [
            (&mut buckets.text_in, one.input_tokens),
            (&mut buckets.cache_read, one.cache_read_input_tokens),
            (&mut buckets.cache_write_5m, writes.short),
            (&mut buckets.cache_write_1h, writes.long),
            (&mut buckets.text_out, one.output_tokens),
            (&mut tokens.input, prompt),
            (&mut tokens.cache_read, one.cache_read_input_tokens),
            (&mut tokens.cache_write_5m, writes.short),
            (&mut tokens.cache_write_1h, writes.long),
            (&mut tokens.output, one.output_tokens),
        ] {
            *count = sum("iterations", &[*count, more])?;
        }
    }
    read.longest_prompt = longest;
    Ok(read)
}
