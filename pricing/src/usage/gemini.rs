//! Gemini's generateContent: thoughts beside the candidates, modalities in lists.

use serde::Deserialize;

use super::{Served, Uniform, Usage};
use crate::error::PricingError;
use crate::tokens::{Buckets, Tokens, remainder, sum};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct GenerateContentUsage {
    prompt_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    tool_use_prompt_token_count: Option<u64>,
    total_token_count: Option<u64>,
    prompt_tokens_details: Option<Vec<Modality>>,
    cache_tokens_details: Option<Vec<Modality>>,
    candidates_tokens_details: Option<Vec<Modality>>,
    tool_use_prompt_tokens_details: Option<Vec<Modality>>,
    traffic_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Modality {
    modality: String,
    token_count: Option<u64>,
}

fn of(name: &str, lists: &[Option<&Vec<Modality>>]) -> Result<Option<u64>, PricingError> {
    let mut total = None;
    for one in lists
        .iter()
        .flatten()
        .flat_map(|list| list.iter())
        .filter(|one| one.modality == name)
    {
        total = sum("tokenCount", &[total, one.token_count.or(Some(0))])?;
    }
    Ok(total)
}

pub(super) fn generate_content(usage: &GenerateContentUsage) -> Result<Usage, PricingError> {
    let (prompt, tools) = (usage.prompt_token_count, usage.tool_use_prompt_token_count);
    let (candidates, thoughts) = (usage.candidates_token_count, usage.thoughts_token_count);
    let cached = usage.cached_content_token_count;

    let visible = sum("totalTokenCount", &[prompt, candidates, tools])?;
    let included = thoughts > Some(0)
        && usage.total_token_count.is_some()
        && usage.total_token_count == visible;
    let output = if included {
        candidates
    } else {
        sum("candidatesTokenCount", &[candidates, thoughts])?
    };

    let cache_list = [usage.cache_tokens_details.as_ref()];
    let (audio_cached, image_cached) = (of("AUDIO", &cache_list)?, of("IMAGE", &cache_list)?);
    let prompt_lists = [
        usage.prompt_tokens_details.as_ref(),
        usage.tool_use_prompt_tokens_details.as_ref(),
    ];
    let (audio, image, video) = (
        of("AUDIO", &prompt_lists)?,
        of("IMAGE", &prompt_lists)?,
        of("VIDEO", &prompt_lists)?,
    );
    let output_list = [usage.candidates_tokens_details.as_ref()];
    let (audio_out, image_out) = (of("AUDIO", &output_list)?, of("IMAGE", &output_list)?);

    let input = sum("promptTokenCount", &[prompt, tools])?;
    let audio_in = remainder("AUDIO", audio.or(audio_cached), &[audio_cached])?;
    let image_in = remainder("IMAGE", image.or(image_cached), &[image_cached])?;
    let video_cached = of("VIDEO", &cache_list)?;
    let video_in = remainder("VIDEO", video.or(video_cached), &[video_cached])?;
    let buckets = Buckets {
        text_in: remainder(
            "promptTokenCount",
            input,
            &[cached, audio_in, image_in, video_in],
        )?,
        cache_read: remainder(
            "cachedContentTokenCount",
            cached,
            &[audio_cached, image_cached],
        )?,
        audio_in,
        audio_cached,
        image_in,
        image_cached,
        video_in,
        text_out: remainder(
            "candidatesTokenCount",
            output,
            &[thoughts, audio_out, image_out],
        )?,
        reasoning: thoughts,
        audio_out,
        image_out,
        ..Buckets::default()
    };
    let tokens = Tokens {
        input,
        output,
        cache_read: cached,
        reasoning: thoughts,
        audio_input: audio,
        audio_output: audio_out,
        image_input: image,
        image_output: image_out,
        ..Tokens::default()
    };
    Ok(Usage {
        tokens,
        buckets,
        served: usage.traffic_type.as_deref().map(Served::named),
        uniform: Uniform::All,
        // The protocol leaves a count of 0 out of its JSON: no candidates is no output, not a missing figure.
        output_missing: false,
        ..Usage::default()
    })
}
