//! OpenAI's chat, embeddings and responses: counts that include their details.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Served, Side, Usage};
use crate::error::PricingError;
use crate::tokens::{Buckets, Tokens, remainder, sum};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ChatUsage<'a> {
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: Option<u64>,
    pub(super) total_tokens: Option<u64>,
    pub(super) prompt_tokens_details: Option<InputDetails>,
    /// The assistants' spelling.
    pub(super) prompt_token_details: Option<InputDetails>,
    pub(super) completion_tokens_details: Option<OutputDetails>,
    /// Moonshot's and Together's place for it.
    pub(super) cached_tokens: Option<u64>,
    /// Mistral's.
    pub(super) num_cached_tokens: Option<u64>,
    #[serde(borrow)]
    pub(super) service_tier: Option<Cow<'a, str>>,
}

impl ChatUsage<'_> {
    fn inputs(&self) -> InputDetails {
        let details = self
            .prompt_tokens_details
            .or(self.prompt_token_details)
            .unwrap_or_default();
        let elsewhere = self.cached_tokens.or(self.num_cached_tokens);
        InputDetails {
            cached_tokens: details.cached_tokens.or(elsewhere),
            ..details
        }
    }
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
    let input_parts = [cached_tokens, cache_write_tokens, audio_tokens, image_tokens];
    let output_parts = [outputs.reasoning_tokens, outputs.audio_tokens, outputs.image_tokens];
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
    Ok(Usage {
        tokens: tokens(input, inputs, output, outputs),
        buckets,
        missing: Side::missing(input, output),
        ..Usage::default()
    })
}

fn tokens(input: Option<u64>, inputs: InputDetails, output: Option<u64>, outputs: OutputDetails) -> Tokens {
    Tokens {
        input,
        output,
        cache_read: inputs.cached_tokens,
        cache_write_5m: inputs.cache_write_tokens,
        reasoning: outputs.reasoning_tokens,
        audio_input: inputs.audio_tokens,
        audio_output: outputs.audio_tokens,
        image_input: inputs.image_tokens,
        image_output: outputs.image_tokens,
        ..Tokens::default()
    }
}

/// The counts under the names of either endpoint, as they stand there, whether they agree with each other or not.
pub(super) fn reported(chat: &ChatUsage<'_>, responses: &ResponsesUsage) -> Tokens {
    if chat.prompt_tokens.or(chat.completion_tokens).is_some() {
        let outputs = chat.completion_tokens_details.unwrap_or_default();
        return tokens(chat.prompt_tokens, chat.inputs(), chat.completion_tokens, outputs);
    }
    tokens(
        responses.input_tokens,
        responses.input_tokens_details.unwrap_or_default(),
        responses.output_tokens,
        responses.output_tokens_details.unwrap_or_default(),
    )
}

pub(super) fn chat(usage: &ChatUsage<'_>) -> Result<Usage, PricingError> {
    let details = usage.completion_tokens_details.unwrap_or_default();
    let inputs = usage.inputs();
    let (input, output) = (usage.prompt_tokens, usage.completion_tokens);
    // The total tells what a provider counts beside the whole that OpenAI counts it in, or leaves out.
    let apart = |part: Option<u64>| -> Result<bool, PricingError> {
        let whole = sum("total_tokens", &[input, output, part])?;
        Ok(part > Some(0) && input.is_some() && output.is_some() && usage.total_tokens == whole)
    };
    let output = match (output, input, usage.total_tokens) {
        (None, Some(input), Some(total)) => total.checked_sub(input),
        _ if apart(details.reasoning_tokens)? => sum("completion_tokens", &[output, details.reasoning_tokens])?,
        _ => output,
    };
    let input = match apart(inputs.audio_tokens)? {
        true => sum("prompt_tokens", &[input, inputs.audio_tokens])?,
        false => input,
    };
    let read = inclusive(("prompt_tokens", input, inputs), ("completion_tokens", output, details))?;
    Ok(Usage {
        served: usage.service_tier.as_deref().map(Served::named),
        ..read
    })
}

pub(super) fn embeddings(usage: &ChatUsage<'_>) -> Result<Usage, PricingError> {
    let read = inclusive(
        (
            "prompt_tokens",
            usage.prompt_tokens.or(usage.total_tokens),
            usage.inputs(),
        ),
        ("completion_tokens", usage.completion_tokens, OutputDetails::default()),
    )?;
    Ok(Usage { missing: None, ..read })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ResponsesUsage {
    pub(super) input_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
    pub(super) output_tokens: Option<u64>,
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
