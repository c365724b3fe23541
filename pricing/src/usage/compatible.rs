//! Providers that speak OpenAI's protocol with rules of their own: xAI, DeepSeek, Ollama.

use serde::Deserialize;

use super::Usage;
use super::openai::{self, ChatUsage, InputDetails, OutputDetails};
use super::stated;
use crate::decimal::Decimal;
use crate::error::PricingError;
use crate::tokens::{Tokens, sum};

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
    /// The names of its responses endpoint.
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
    cost_in_usd_ticks: Option<u64>,
}

/// xAI counts reasoning beside the completion; a total of prompt and completion alone shows that somebody on the way
/// has added it already, as its own responses endpoint does.
pub(super) fn xai(usage: &XaiUsage) -> Result<Usage, PricingError> {
    let input = usage.prompt_tokens.or(usage.input_tokens);
    let inputs = usage
        .prompt_tokens_details
        .or(usage.input_tokens_details)
        .unwrap_or_default();
    let output = usage.completion_tokens.or(usage.output_tokens);
    let outputs = usage
        .completion_tokens_details
        .or(usage.output_tokens_details)
        .unwrap_or_default();
    let included = usage.total_tokens.is_some() && usage.total_tokens == sum("total_tokens", &[input, output])?;
    let output = match included {
        true => output,
        false => sum("completion_tokens", &[output, outputs.reasoning_tokens])?,
    };
    let counted = openai::inclusive(("prompt_tokens", input, inputs), ("completion_tokens", output, outputs));
    let ticks = usage
        .cost_in_usd_ticks
        .map(|ticks| Decimal::new(u128::from(ticks), TICK_DECIMALS));
    stated::charged(
        counted,
        Tokens {
            input,
            output,
            ..Tokens::default()
        },
        ticks,
    )
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeepSeekUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    prompt_tokens_details: Option<InputDetails>,
    completion_tokens_details: Option<OutputDetails>,
    prompt_cache_hit_tokens: Option<u64>,
    prompt_cache_miss_tokens: Option<u64>,
}

/// `prompt_tokens` is the sum of cache hits and misses.
pub(super) fn deepseek(usage: &DeepSeekUsage) -> Result<Usage, PricingError> {
    let (hit, miss) = (usage.prompt_cache_hit_tokens, usage.prompt_cache_miss_tokens);
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
        ..ChatUsage::default()
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OllamaUsage {
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

/// Ollama's own protocol, and its imitation of OpenAI's. What is not evaluated is not counted: embeddings have no
/// output, a prompt that is still in its cache may have no input.
pub(super) fn ollama(usage: &OllamaUsage) -> Result<Usage, PricingError> {
    let read = openai::inclusive(
        (
            "prompt_eval_count",
            usage.prompt_tokens.or(usage.prompt_eval_count),
            InputDetails::default(),
        ),
        (
            "eval_count",
            usage.completion_tokens.or(usage.eval_count),
            OutputDetails::default(),
        ),
    )?;
    Ok(Usage { missing: None, ..read })
}
