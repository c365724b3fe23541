//! Providers that speak OpenAI's protocol with rules of their own: xAI, DeepSeek, OpenRouter.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::openai::{self, ChatUsage, InputDetails, OutputDetails};
use super::{Usage, decimal, malformed};
use crate::decimal::Decimal;
use crate::error::PricingError;
use crate::tokens::sum;

/// `cost_in_usd_ticks` counts 1e-10 USD.
const TICK_DECIMALS: u32 = 10;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct XaiUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    prompt_tokens_details: Option<InputDetails>,
    completion_tokens_details: Option<OutputDetails>,
    cost_in_usd_ticks: Option<u64>,
}

/// xAI counts reasoning beside the completion; a total of prompt and completion alone shows that somebody on the way
/// has added it already.
pub(super) fn xai(usage: &XaiUsage) -> Result<Usage, PricingError> {
    let outputs = usage.completion_tokens_details.unwrap_or_default();
    let total = sum(
        "total_tokens",
        &[usage.prompt_tokens, usage.completion_tokens],
    )?;
    let included = usage.total_tokens.is_some() && usage.total_tokens == total;
    let output = match included {
        true => usage.completion_tokens,
        false => sum(
            "completion_tokens",
            &[usage.completion_tokens, outputs.reasoning_tokens],
        )?,
    };
    let read = openai::inclusive(
        (
            "prompt_tokens",
            usage.prompt_tokens,
            usage.prompt_tokens_details.unwrap_or_default(),
        ),
        ("completion_tokens", output, outputs),
    )?;
    let reported_usd = usage
        .cost_in_usd_ticks
        .map(|ticks| Decimal::new(u128::from(ticks), TICK_DECIMALS));
    Ok(Usage {
        reported_usd,
        ..read
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeepSeekUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    prompt_cache_hit_tokens: Option<u64>,
    prompt_cache_miss_tokens: Option<u64>,
    prompt_tokens_details: Option<InputDetails>,
    completion_tokens_details: Option<OutputDetails>,
}

/// `prompt_tokens` is the sum of cache hits and misses.
pub(super) fn deepseek(usage: &DeepSeekUsage) -> Result<Usage, PricingError> {
    let (hit, miss) = (
        usage.prompt_cache_hit_tokens,
        usage.prompt_cache_miss_tokens,
    );
    let parts = sum("prompt_tokens", &[hit, miss])?;
    if let (Some(_), Some(_), Some(parts), Some(reported)) = (hit, miss, parts, usage.prompt_tokens)
        && parts != reported
    {
        return Err(PricingError::Contradiction {
            whole: "prompt_tokens",
            reported,
            parts,
        });
    }
    let details = usage.prompt_tokens_details.unwrap_or_default();
    openai::chat(&ChatUsage {
        prompt_tokens: usage.prompt_tokens.or(parts),
        completion_tokens: usage.completion_tokens,
        total_tokens: usage.total_tokens,
        prompt_tokens_details: Some(InputDetails {
            cached_tokens: hit.or(details.cached_tokens),
            ..details
        }),
        completion_tokens_details: usage.completion_tokens_details,
    })
}

#[derive(Deserialize)]
struct Charged<'a> {
    #[serde(borrow)]
    cost: Option<&'a RawValue>,
}

/// OpenRouter states what it charged.
pub(super) fn openrouter(json: &str) -> Result<Usage, PricingError> {
    let read = openai::chat(&super::parse(json)?)?;
    let Charged { cost } = serde_json::from_str(json).map_err(malformed)?;
    Ok(Usage {
        reported_usd: decimal(cost)?,
        ..read
    })
}
