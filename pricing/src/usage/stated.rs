//! Providers that state what they charged: OpenRouter and gateways like it, Perplexity.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::openai;
use super::{SearchSize, Usage, decimal, parse};
use crate::decimal::Decimal;
use crate::error::PricingError;
use crate::tokens::Tokens;

/// The amount charged is certain even where the counts beside it contradict themselves.
pub(super) fn charged(
    counted: Result<Usage, PricingError>,
    tokens: Tokens,
    amount: Option<Decimal>,
) -> Result<Usage, PricingError> {
    match (counted, amount) {
        (Ok(usage), reported_usd) => Ok(Usage { reported_usd, ..usage }),
        (Err(problem), Some(_)) => Ok(Usage {
            tokens,
            reported_usd: amount,
            problem: Some(problem),
            ..Usage::default()
        }),
        (Err(problem), None) => Err(problem),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spelling {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

/// OpenAI's counts, under the names of either of its endpoints.
fn counted(json: &str, amount: Option<Decimal>) -> Result<Usage, PricingError> {
    let spelling: Spelling = parse(json)?;
    let usage = match spelling.input_tokens.or(spelling.output_tokens) {
        Some(_) => openai::responses(&parse(json)?),
        None => openai::chat(&parse(json)?),
    };
    charged(usage, super::reported_tokens(json), amount)
}

#[derive(Deserialize)]
struct Charged<'a> {
    #[serde(borrow)]
    cost: Option<&'a RawValue>,
}

/// `cost` is the amount charged in USD.
pub(super) fn openrouter(json: &str) -> Result<Usage, PricingError> {
    let Charged { cost } = parse(json)?;
    counted(json, decimal(cost)?)
}

#[derive(Deserialize)]
struct Searched<'a> {
    #[serde(borrow)]
    cost: Option<Total<'a>>,
    #[serde(borrow)]
    search_context_size: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Total<'a> {
    #[serde(borrow)]
    total_cost: Option<&'a RawValue>,
}

/// `cost.total_cost` is: tokens and a fee for the search that each answer is made from.
pub(super) fn perplexity(json: &str) -> Result<Usage, PricingError> {
    let Searched {
        cost,
        search_context_size,
    } = parse(json)?;
    let amount = decimal(cost.and_then(|cost| cost.total_cost))?;
    let usage = counted(json, amount)?;
    let search_size = search_context_size.as_deref().and_then(SearchSize::named);
    // Its embeddings have no output; its answers always have one.
    let missing = usage.missing.filter(|_| amount.is_none());
    Ok(Usage {
        missing,
        search_size,
        web_searches: search_size.map(|_| 1),
        ..usage
    })
}
