//! OpenAI's usage objects: chat, embeddings, responses, realtime, images, transcription.

use serde::Deserialize;

use super::{Uniform, Usage, parse, units};
use crate::error::PricingError;
use crate::tokens::{Buckets, Tokens, remainder, sum};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ChatUsage {
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: Option<u64>,
    pub(super) total_tokens: Option<u64>,
    pub(super) prompt_tokens_details: Option<InputDetails>,
    pub(super) completion_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct InputDetails {
    pub(super) cached_tokens: Option<u64>,
    pub(super) cache_write_tokens: Option<u64>,
    pub(super) audio_tokens: Option<u64>,
    pub(super) image_tokens: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct OutputDetails {
    pub(super) reasoning_tokens: Option<u64>,
    pub(super) audio_tokens: Option<u64>,
    pub(super) image_tokens: Option<u64>,
}

/// Counts that include their details: OpenAI's rule for both of its chat endpoints.
pub(super) fn inclusive(
    input: (&'static str, Option<u64>, InputDetails),
    output: (&'static str, Option<u64>, OutputDetails),
) -> Result<Usage, PricingError> {
    let (input_name, input, inputs) = input;
    let (output_name, output, outputs) = output;
    let InputDetails {
        cached_tokens,
        cache_write_tokens,
        audio_tokens,
        image_tokens,
    } = inputs;
    let input_parts = [
        cached_tokens,
        cache_write_tokens,
        audio_tokens,
        image_tokens,
    ];
    let output_parts = [
        outputs.reasoning_tokens,
        outputs.audio_tokens,
        outputs.image_tokens,
    ];
    let buckets = Buckets {
        text_in: remainder(input_name, input, &input_parts)?,
        cache_read: cached_tokens,
        cache_write_5m: cache_write_tokens,
        audio_in: audio_tokens,
        image_in: image_tokens,
        text_out: remainder(output_name, output, &output_parts)?,
        reasoning: outputs.reasoning_tokens,
        audio_out: outputs.audio_tokens,
        image_out: outputs.image_tokens,
        ..Buckets::default()
    };
    let tokens = Tokens {
        input,
        output,
        cache_read: cached_tokens,
        cache_write_5m: cache_write_tokens,
        reasoning: outputs.reasoning_tokens,
        audio_input: audio_tokens,
        audio_output: outputs.audio_tokens,
        image_input: image_tokens,
        image_output: outputs.image_tokens,
        ..Tokens::default()
    };
    Ok(Usage {
        tokens,
        buckets,
        output_missing: input.is_some() && output.is_none(),
        ..Usage::default()
    })
}

pub(super) fn chat(usage: &ChatUsage) -> Result<Usage, PricingError> {
    let details = usage.completion_tokens_details.unwrap_or_default();
    let (input, total) = (usage.prompt_tokens, usage.total_tokens);
    // A total tells what a provider left out: no completion at all, or reasoning counted beside the completion.
    let output = match (usage.completion_tokens, input, total) {
        (None, Some(input), Some(total)) => total.checked_sub(input),
        (Some(output), Some(input), Some(total)) if details.reasoning_tokens > Some(0) => {
            let apart = sum(
                "completion_tokens",
                &[Some(output), details.reasoning_tokens],
            )?;
            if sum("total_tokens", &[Some(input), apart])? == Some(total) {
                apart
            } else {
                Some(output)
            }
        }
        (output, ..) => output,
    };
    inclusive(
        (
            "prompt_tokens",
            input,
            usage.prompt_tokens_details.unwrap_or_default(),
        ),
        ("completion_tokens", output, details),
    )
}

pub(super) fn embeddings(usage: &ChatUsage) -> Result<Usage, PricingError> {
    let details = usage.prompt_tokens_details.unwrap_or_default();
    let read = inclusive(
        (
            "prompt_tokens",
            usage.prompt_tokens.or(usage.total_tokens),
            details,
        ),
        (
            "completion_tokens",
            usage.completion_tokens,
            OutputDetails::default(),
        ),
    )?;
    Ok(Usage {
        output_missing: false,
        ..read
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ResponsesUsage {
    input_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

pub(super) fn responses(usage: &ResponsesUsage) -> Result<Usage, PricingError> {
    inclusive(
        (
            "input_tokens",
            usage.input_tokens,
            usage.input_tokens_details.unwrap_or_default(),
        ),
        (
            "output_tokens",
            usage.output_tokens,
            usage.output_tokens_details.unwrap_or_default(),
        ),
    )
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Modalities {
    text_tokens: Option<u64>,
    audio_tokens: Option<u64>,
    image_tokens: Option<u64>,
    cached_tokens: Option<u64>,
    #[serde(rename = "cached_tokens_details")]
    cached: Option<CachedModalities>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct CachedModalities {
    text_tokens: Option<u64>,
    audio_tokens: Option<u64>,
    image_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SplitUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    #[serde(alias = "input_tokens_details")]
    input_token_details: Option<Modalities>,
    #[serde(alias = "output_tokens_details")]
    output_token_details: Option<Modalities>,
}

/// Realtime, images and transcription: counts split by modality, each including what was cached of it.
pub(super) fn split(usage: &SplitUsage) -> Result<Usage, PricingError> {
    let inputs = usage.input_token_details.unwrap_or_default();
    let cached = inputs.cached.unwrap_or_default();
    let split = sum(
        "cached_tokens",
        &[cached.text_tokens, cached.audio_tokens, cached.image_tokens],
    )?;
    // Without a split, what was cached is certain only if there is but one modality it can be of.
    let cached = match (split, inputs.cached_tokens) {
        (None, Some(1..)) => match (
            some(inputs.text_tokens),
            some(inputs.audio_tokens),
            some(inputs.image_tokens),
        ) {
            (_, None, None) => CachedModalities {
                text_tokens: inputs.cached_tokens,
                ..cached
            },
            (None, Some(_), None) => CachedModalities {
                audio_tokens: inputs.cached_tokens,
                ..cached
            },
            (None, None, Some(_)) => CachedModalities {
                image_tokens: inputs.cached_tokens,
                ..cached
            },
            _ => cached,
        },
        _ => cached,
    };
    let known = sum(
        "cached_tokens",
        &[cached.text_tokens, cached.audio_tokens, cached.image_tokens],
    )?;
    let unsplit = some(remainder(
        "cached_tokens",
        inputs.cached_tokens.or(known),
        &[known],
    )?);
    let modalities = [inputs.text_tokens, inputs.audio_tokens, inputs.image_tokens];
    let unnamed = remainder("input_tokens", usage.input_tokens, &modalities)?;
    let text = sum("input_tokens", &[inputs.text_tokens, unnamed])?;
    let buckets = Buckets {
        text_in: remainder("text_tokens", text, &[cached.text_tokens, unsplit])?,
        cache_read: cached.text_tokens,
        audio_in: remainder("audio_tokens", inputs.audio_tokens, &[cached.audio_tokens])?,
        audio_cached: cached.audio_tokens,
        image_in: remainder("image_tokens", inputs.image_tokens, &[cached.image_tokens])?,
        image_cached: cached.image_tokens,
        cached_unsplit: unsplit,
        ..Buckets::default()
    };
    let outputs = usage.output_token_details.unwrap_or_default();
    finish(usage, inputs, outputs, buckets)
}

fn finish(
    usage: &SplitUsage,
    inputs: Modalities,
    outputs: Modalities,
    buckets: Buckets,
) -> Result<Usage, PricingError> {
    let parts = [outputs.audio_tokens, outputs.image_tokens];
    let buckets = Buckets {
        text_out: remainder("output_tokens", usage.output_tokens, &parts)?,
        audio_out: outputs.audio_tokens,
        image_out: outputs.image_tokens,
        ..buckets
    };
    let tokens = Tokens {
        input: usage.input_tokens,
        output: usage.output_tokens,
        cache_read: inputs.cached_tokens,
        audio_input: inputs.audio_tokens,
        audio_output: outputs.audio_tokens,
        image_input: inputs.image_tokens,
        image_output: outputs.image_tokens,
        ..Tokens::default()
    };
    let output_missing = usage.input_tokens.is_some() && usage.output_tokens.is_none();
    Ok(Usage {
        tokens,
        buckets,
        output_missing,
        uniform: Uniform::None,
        ..Usage::default()
    })
}

pub(super) fn images(usage: &SplitUsage) -> Result<Usage, PricingError> {
    let read = split(usage)?;
    if usage.output_token_details.is_some() {
        return Ok(read);
    }
    // The endpoint answers with images: output without a split is of that modality.
    let buckets = Buckets {
        text_out: None,
        image_out: usage.output_tokens,
        ..read.buckets
    };
    let tokens = Tokens {
        image_output: usage.output_tokens,
        ..read.tokens
    };
    Ok(Usage {
        buckets,
        tokens,
        ..read
    })
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type")]
    kind: Option<&'a str>,
}

pub(super) fn transcription(json: &str) -> Result<Usage, PricingError> {
    let Kind { kind } = serde_json::from_str(json).map_err(super::malformed)?;
    if kind == Some("duration") {
        return units::read(super::UsageFormat::TranscriptionDuration, json);
    }
    split(&parse(json)?)
}

fn some(count: Option<u64>) -> Option<u64> {
    count.filter(|count| *count > 0)
}
