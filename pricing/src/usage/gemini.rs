//! Gemini's generateContent and interactions: thoughts beside the candidates, modalities in lists.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Served, Uniform, Usage};
use crate::error::PricingError;
use crate::tokens::{Buckets, Tokens, remainder, sum};

/// Each field under the names of generateContent, of its Python objects and of interactions.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct GenerateContentUsage<'a> {
    #[serde(
        rename = "promptTokenCount",
        alias = "prompt_token_count",
        alias = "total_input_tokens"
    )]
    prompt: Option<u64>,
    #[serde(
        rename = "candidatesTokenCount",
        alias = "candidates_token_count",
        alias = "total_output_tokens"
    )]
    candidates: Option<u64>,
    /// The live API's name for the same.
    #[serde(rename = "responseTokenCount", alias = "response_token_count")]
    response: Option<u64>,
    #[serde(
        rename = "cachedContentTokenCount",
        alias = "cached_content_token_count",
        alias = "total_cached_tokens"
    )]
    cached: Option<u64>,
    #[serde(
        rename = "thoughtsTokenCount",
        alias = "thoughts_token_count",
        alias = "total_thought_tokens"
    )]
    thoughts: Option<u64>,
    #[serde(
        rename = "toolUsePromptTokenCount",
        alias = "tool_use_prompt_token_count",
        alias = "total_tool_use_tokens"
    )]
    tools: Option<u64>,
    #[serde(rename = "totalTokenCount", alias = "total_token_count", alias = "total_tokens")]
    total: Option<u64>,
    #[serde(
        borrow,
        rename = "promptTokensDetails",
        alias = "prompt_tokens_details",
        alias = "input_tokens_by_modality"
    )]
    prompt_details: Option<Vec<Modality<'a>>>,
    #[serde(
        borrow,
        rename = "cacheTokensDetails",
        alias = "cache_tokens_details",
        alias = "cached_tokens_by_modality"
    )]
    cache_details: Option<Vec<Modality<'a>>>,
    #[serde(
        borrow,
        rename = "candidatesTokensDetails",
        alias = "candidates_tokens_details",
        alias = "responseTokensDetails",
        alias = "output_tokens_by_modality"
    )]
    candidates_details: Option<Vec<Modality<'a>>>,
    #[serde(
        borrow,
        rename = "toolUsePromptTokensDetails",
        alias = "tool_use_prompt_tokens_details",
        alias = "tool_use_tokens_by_modality"
    )]
    tool_details: Option<Vec<Modality<'a>>>,
    #[serde(borrow, rename = "trafficType", alias = "traffic_type")]
    traffic_type: Option<Name<'a>>,
    /// The Gemini API's name for Vertex AI's traffic type.
    #[serde(borrow, rename = "serviceTier", alias = "service_tier")]
    service_tier: Option<Name<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Modality<'a> {
    #[serde(borrow)]
    modality: Option<Name<'a>>,
    #[serde(rename = "tokenCount", alias = "token_count", alias = "tokens")]
    count: Option<u64>,
}

/// An enumeration of the protocol, by name or by number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Name<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Number(i64),
}

impl Name<'_> {
    fn served(&self) -> Served {
        match self {
            Self::Text(name) => Served::named(name),
            // TRAFFIC_TYPE_UNSPECIFIED and ON_DEMAND.
            Self::Number(0 | 1) => Served::named(""),
            Self::Number(_) => Served::Unknown,
        }
    }

    fn is(&self, modality: Medium) -> bool {
        match self {
            Self::Text(name) => name.eq_ignore_ascii_case(modality.name()),
            Self::Number(number) => *number == modality as i64,
        }
    }
}

/// The modalities that may have a price of their own, as the protocol numbers them.
#[derive(Clone, Copy)]
enum Medium {
    Image = 2,
    Video = 3,
    Audio = 4,
}

impl Medium {
    const fn name(self) -> &'static str {
        match self {
            Self::Image => "IMAGE",
            Self::Video => "VIDEO",
            Self::Audio => "AUDIO",
        }
    }
}

fn of(modality: Medium, lists: &[&Option<Vec<Modality<'_>>>]) -> Result<Option<u64>, PricingError> {
    let mut total = None;
    let all = lists.iter().filter_map(|list| list.as_ref()).flatten();
    for one in all.filter(|one| one.modality.as_ref().is_some_and(|name| name.is(modality))) {
        // The protocol leaves a count of 0 out of its JSON.
        total = sum("tokenCount", &[total, one.count.or(Some(0))])?;
    }
    Ok(total)
}

pub(super) fn generate_content(usage: &GenerateContentUsage<'_>) -> Result<Usage, PricingError> {
    let candidates = usage.candidates.or(usage.response);
    let visible = sum("totalTokenCount", &[usage.prompt, candidates, usage.tools])?;
    let included = usage.thoughts > Some(0) && usage.total.is_some() && usage.total == visible;
    let output = match included {
        true => candidates,
        false => sum("candidatesTokenCount", &[candidates, usage.thoughts])?,
    };
    let input = sum("promptTokenCount", &[usage.prompt, usage.tools])?;

    let (prompts, caches) = ([&usage.prompt_details, &usage.tool_details], [&usage.cache_details]);
    let (audio, image, video) = (
        of(Medium::Audio, &prompts)?,
        of(Medium::Image, &prompts)?,
        of(Medium::Video, &prompts)?,
    );
    let (audio_cached, image_cached) = (of(Medium::Audio, &caches)?, of(Medium::Image, &caches)?);
    let video_cached = of(Medium::Video, &caches)?;
    let audio_in = remainder("AUDIO", audio.or(audio_cached), &[audio_cached])?;
    let image_in = remainder("IMAGE", image.or(image_cached), &[image_cached])?;
    let video_in = remainder("VIDEO", video.or(video_cached), &[video_cached])?;
    let (audio_out, image_out) = (
        of(Medium::Audio, &[&usage.candidates_details])?,
        of(Medium::Image, &[&usage.candidates_details])?,
    );
    let buckets = Buckets {
        text_in: remainder("promptTokenCount", input, &[usage.cached, audio_in, image_in, video_in])?,
        cache_read: remainder("cachedContentTokenCount", usage.cached, &[audio_cached, image_cached])?,
        audio_in,
        audio_cached,
        image_in,
        image_cached,
        video_in,
        text_out: remainder("candidatesTokenCount", output, &[usage.thoughts, audio_out, image_out])?,
        reasoning: usage.thoughts,
        audio_out,
        image_out,
        ..Buckets::default()
    };
    let tokens = Tokens {
        input,
        output,
        cache_read: usage.cached,
        reasoning: usage.thoughts,
        audio_input: audio,
        audio_output: audio_out,
        image_input: image,
        image_output: image_out,
        ..Tokens::default()
    };
    Ok(Usage {
        tokens,
        buckets,
        served: usage
            .traffic_type
            .as_ref()
            .or(usage.service_tier.as_ref())
            .map(Name::served),
        uniform: Uniform::All,
        // The protocol leaves a count of 0 out: no candidates is no output, not a missing figure.
        missing: None,
        ..Usage::default()
    })
}
