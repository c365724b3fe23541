//! OpenAI's realtime, images and transcription: counts split by modality.

use serde::Deserialize;

use super::{Side, Uniform, Usage, UsageFormat, parse, units};
use crate::error::PricingError;
use crate::tokens::{Buckets, Tokens, remainder, sum};

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
    /// Realtime and transcription say `token`, images say `tokens`.
    input_token_details: Option<Modalities>,
    input_tokens_details: Option<Modalities>,
    output_token_details: Option<Modalities>,
    output_tokens_details: Option<Modalities>,
}

impl SplitUsage {
    fn inputs(&self) -> Modalities {
        self.input_token_details
            .or(self.input_tokens_details)
            .unwrap_or_default()
    }

    fn outputs(&self) -> Option<Modalities> {
        self.output_token_details.or(self.output_tokens_details)
    }
}

/// What was read from a cache, by modality; `None` where that cannot be told.
fn cached(inputs: Modalities) -> Result<Option<CachedModalities>, PricingError> {
    let split = inputs.cached.unwrap_or_default();
    let total = sum(
        "cached_tokens",
        &[split.text_tokens, split.audio_tokens, split.image_tokens],
    )?;
    let Some(cached) = some(inputs.cached_tokens) else {
        return Ok(Some(split));
    };
    if let Some(total) = total {
        let rest = remainder("cached_tokens", Some(cached), &[Some(total)])?;
        return Ok((rest == Some(0)).then_some(split));
    }
    // Without a split it is certain only if there is but one modality it can be of.
    let none = CachedModalities::default();
    Ok(
        match (
            some(inputs.text_tokens),
            some(inputs.audio_tokens),
            some(inputs.image_tokens),
        ) {
            (_, None, None) => Some(CachedModalities {
                text_tokens: Some(cached),
                ..none
            }),
            (None, Some(_), None) => Some(CachedModalities {
                audio_tokens: Some(cached),
                ..none
            }),
            (None, None, Some(_)) => Some(CachedModalities {
                image_tokens: Some(cached),
                ..none
            }),
            _ => None,
        },
    )
}

/// Realtime, images and transcription: counts split by modality, each including what was cached of it.
pub(super) fn read(usage: &SplitUsage) -> Result<Usage, PricingError> {
    let inputs = usage.inputs();
    let modalities = [inputs.text_tokens, inputs.audio_tokens, inputs.image_tokens];
    let unnamed = remainder("input_tokens", usage.input_tokens, &modalities)?;
    let buckets = match cached(inputs)? {
        Some(cached) => Buckets {
            text_in: remainder(
                "text_tokens",
                sum("input_tokens", &[inputs.text_tokens, unnamed])?,
                &[cached.text_tokens],
            )?,
            cache_read: cached.text_tokens,
            audio_in: remainder("audio_tokens", inputs.audio_tokens, &[cached.audio_tokens])?,
            audio_cached: cached.audio_tokens,
            image_in: remainder("image_tokens", inputs.image_tokens, &[cached.image_tokens])?,
            image_cached: cached.image_tokens,
            ..Buckets::default()
        },
        None => Buckets {
            unsplit_in: usage.input_tokens,
            ..Buckets::default()
        },
    };
    finish(usage, inputs, usage.outputs().unwrap_or_default(), buckets)
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
    let missing = Side::missing(usage.input_tokens, usage.output_tokens);
    Ok(Usage {
        tokens,
        buckets,
        missing,
        uniform: Uniform::None,
        ..Usage::default()
    })
}

pub(super) fn images(usage: &SplitUsage) -> Result<Usage, PricingError> {
    let images = read(usage)?;
    if usage.outputs().is_some() {
        return Ok(images);
    }
    // The endpoint answers with images: output without a split is of that modality.
    let buckets = Buckets {
        text_out: None,
        image_out: usage.output_tokens,
        ..images.buckets
    };
    let tokens = Tokens {
        image_output: usage.output_tokens,
        ..images.tokens
    };
    Ok(Usage {
        buckets,
        tokens,
        ..images
    })
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type")]
    kind: Option<&'a str>,
}

pub(super) fn transcription(json: &str) -> Result<Usage, PricingError> {
    let Kind { kind } = parse(json)?;
    if kind == Some("duration") {
        return units::read(UsageFormat::TranscriptionDuration, json);
    }
    read(&parse(json)?)
}

fn some(count: Option<u64>) -> Option<u64> {
    count.filter(|count| *count > 0)
}
