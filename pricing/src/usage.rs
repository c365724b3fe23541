//! What a provider says a call used.

mod anthropic;
mod bedrock;
mod cohere;
mod compatible;
mod format;
mod gemini;
mod openai;
mod shape;
mod split;
mod stated;
mod stream;
mod units;

use serde::Deserialize;
use serde_json::value::RawValue;

pub use self::format::UsageFormat;
pub use self::units::Unit;
use crate::decimal::Decimal;
use crate::error::PricingError;
use crate::field::{Base, Tier};
use crate::tokens::{Buckets, Tokens};

/// What one call used, in whatever units it is billed by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Usage {
    pub(crate) tokens: Tokens,
    pub(crate) buckets: Buckets,
    pub(crate) units: Option<Units>,
    pub(crate) reported_usd: Option<Decimal>,
    pub(crate) served: Option<Served>,
    pub(crate) us_only: bool,
    pub(crate) fast: bool,
    pub(crate) web_searches: Option<u64>,
    pub(crate) search_size: Option<SearchSize>,
    pub(crate) uniform: Uniform,
    pub(crate) estimated: bool,
    /// A format that always counts both sides counted one: what the call cost is not known.
    pub(crate) missing: Option<Side>,
    /// Counts that contradict themselves, in a usage whose cost the provider states all the same.
    pub(crate) problem: Option<PricingError>,
    /// The longest prompt, where a call made several requests: each has a long-context tier of its own.
    pub(crate) longest_prompt: Option<u64>,
    /// A part was served by a model other than the one the call names.
    pub(crate) other_model: bool,
}

/// Billed by something else than tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Units {
    pub(crate) unit: Unit,
    pub(crate) quantity: Decimal,
    /// The field of the resolution or size, where the usage names one; `Err` if no field is known for it.
    pub(crate) variant: Option<Result<Base, ()>>,
    /// How many pixels the images have, where the usage says.
    pub(crate) pixels: Option<Decimal>,
    /// How many results were asked for, where a query's price depends on it.
    pub(crate) results: Option<u64>,
}

/// The tier that served the call, as the usage itself tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Served {
    By(Tier),
    /// Provisioned capacity and the like: no price per token applies.
    Unknown,
}

impl Served {
    pub(crate) fn named(name: &str) -> Self {
        Tier::served(name).map_or(Self::Unknown, Self::By)
    }
}

/// One side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Input,
    Output,
}

impl Side {
    /// The side that is not reported, where the other one is.
    pub(crate) fn missing(input: Option<u64>, output: Option<u64>) -> Option<Self> {
        match (input, output) {
            (None, Some(_)) => Some(Self::Input),
            (Some(_), None) => Some(Self::Output),
            _ => None,
        }
    }
}

/// How much context a web search brings, where its price depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SearchSize {
    Low,
    Medium,
    High,
}

impl SearchSize {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            _ => return None,
        })
    }
}

/// Which modalities a provider bills like text unless it states another price for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Uniform {
    /// Each modality has a price of its own.
    None,
    /// Images are tokens like any other (chat endpoints).
    #[default]
    Images,
    /// So are audio and video (Gemini, whose price list names a modality only where it differs).
    All,
}

impl Usage {
    /// A response that carried no usage: its cost is unknown, not 0.
    #[must_use]
    pub fn absent() -> Self {
        Self::default()
    }

    /// The counts as reported.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The same tokens, each counted once.
    #[must_use]
    pub fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// The amount that the provider says it charged.
    #[must_use]
    pub fn reported_usd(&self) -> Option<crate::Usd> {
        self.reported_usd.and_then(crate::Usd::rounded)
    }

    /// The same usage without what the provider says it charged.
    #[must_use]
    pub fn without_report(self) -> Self {
        Self {
            reported_usd: None,
            ..self
        }
    }

    /// What else than tokens the call is billed by, and how much of it.
    #[must_use]
    pub fn units(&self) -> Option<(Unit, Decimal)> {
        self.units.map(|units| (units.unit, units.quantity))
    }

    /// Web searches that the provider made for the call.
    #[must_use]
    pub fn web_searches(&self) -> Option<u64> {
        self.web_searches
    }

    /// Whether nothing at all was reported.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.units.is_none() && self.reported_usd.is_none() && self.buckets == Buckets::default()
    }

    /// Whether these are no final counts of the provider's.
    #[must_use]
    pub fn is_estimated(&self) -> bool {
        self.estimated
    }

    /// The usage of a stream that broke off before its output was counted, with what its text makes of it: no count, so
    /// that [`Self::tokens`] has none. Gives the estimate as well, which is no less than what was counted at the start.
    #[must_use]
    pub fn with_estimated_output(mut self, written: u64) -> (Self, u64) {
        let output = self.tokens.output.take().unwrap_or(0).max(written);
        self.buckets.text_out = Some(output);
        self.estimated = true;
        (self, output)
    }

    /// The same usage, marked as our own estimate; a stream that broke off has counts that are not final.
    #[must_use]
    pub fn into_estimated(self) -> Self {
        Self {
            estimated: true,
            ..self
        }
    }
}

/// Reads a provider's own usage object, or the list of stream events that carry it.
///
/// `null` and a list without usage are [`Usage::absent`]. Unknown fields are ignored. An object that has not one field
/// of its format is read by its shape: Bedrock's `invoke` and compatible endpoints answer with other providers' objects.
///
/// # Errors
/// If the text is not JSON, a count is negative, too large or no number, or the parts exceed their whole.
pub fn read_usage(format: UsageFormat, json: &str) -> Result<Usage, PricingError> {
    match json.trim_ascii_start().as_bytes().first() {
        Some(b'[') => stream::read(format, json),
        Some(b'n') if json.trim_ascii() == "null" => Ok(Usage::absent()),
        _ => {
            let usage = read_object(format, json)?;
            if !usage.is_absent() {
                return Ok(usage);
            }
            match UsageFormat::recognise(json) {
                Ok(other) if other != format => read_object(other, json),
                _ => Ok(usage),
            }
        }
    }
}

/// Like [`read_usage`], for a usage object whose format is recognised by its fields.
///
/// # Errors
/// `UnknownShape` if no format has these fields, and the errors of [`read_usage`].
pub fn read_usage_by_shape(json: &str) -> Result<(UsageFormat, Usage), PricingError> {
    let format = UsageFormat::recognise(json)?;
    Ok((format, read_usage(format, json)?))
}

/// The counts of a usage object whose parts contradict each other, as they stand there: what the provider said is a fact
/// even where it cannot be priced. Formats that count like OpenAI's; of others, and of what is no JSON, nothing.
#[must_use]
pub fn reported_tokens(json: &str) -> Tokens {
    let (chat, responses) = (parse(json).unwrap_or_default(), parse(json).unwrap_or_default());
    openai::reported(&chat, &responses)
}

/// Counts of our own for a stream that reported nothing.
#[must_use]
pub fn estimated_usage(input: u64, output: u64) -> Usage {
    Usage {
        tokens: Tokens {
            input: Some(input),
            output: Some(output),
            ..Tokens::default()
        },
        buckets: Buckets {
            text_in: Some(input),
            text_out: Some(output),
            ..Buckets::default()
        },
        estimated: true,
        ..Usage::default()
    }
}

fn read_object(format: UsageFormat, json: &str) -> Result<Usage, PricingError> {
    match format {
        UsageFormat::OpenAiChat => openai::chat(&parse(json)?),
        UsageFormat::OpenAiEmbeddings => openai::embeddings(&parse(json)?),
        UsageFormat::OpenAiResponses => openai::responses(&parse(json)?),
        UsageFormat::OpenAiRealtime => split::read(&parse(json)?),
        UsageFormat::OpenAiImages => split::images(&parse(json)?),
        UsageFormat::OpenAiTranscription => split::transcription(json),
        UsageFormat::AnthropicMessages => anthropic::messages(&parse(json)?),
        UsageFormat::GeminiGenerateContent => gemini::generate_content(&parse(json)?),
        UsageFormat::BedrockConverse => bedrock::converse(&parse(json)?),
        UsageFormat::XaiChat => compatible::xai(&parse(json)?),
        UsageFormat::DeepSeekChat => compatible::deepseek(&parse(json)?),
        UsageFormat::OllamaChat => compatible::ollama(&parse(json)?),
        UsageFormat::OpenRouterChat => stated::openrouter(json),
        UsageFormat::PerplexityChat => stated::perplexity(json),
        UsageFormat::CohereChat => cohere::chat(&parse(json)?),
        UsageFormat::CohereRerank => cohere::rerank(json),
        UsageFormat::MistralOcr
        | UsageFormat::ImageCount
        | UsageFormat::VideoDuration
        | UsageFormat::SpeechCharacters
        | UsageFormat::Search
        | UsageFormat::TranscriptionDuration => units::read(format, json),
    }
}

fn parse<'j, T: Deserialize<'j>>(json: &'j str) -> Result<T, PricingError> {
    serde_json::from_str(json).map_err(malformed)
}

fn malformed(why: serde_json::Error) -> PricingError {
    PricingError::Malformed(why.to_string())
}

/// A number, digit for digit.
fn decimal(value: Option<&RawValue>) -> Result<Option<Decimal>, PricingError> {
    value.map(|value| Decimal::parse(value.get())).transpose()
}
