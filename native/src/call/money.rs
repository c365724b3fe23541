//! What a call used, and what that costs.

use pricing::{Cost, Tokens, UsageFormat};

use super::State;
use crate::prices::Seen;
use crate::surface::Surface;

/// What OpenAI paints with where the request names no model.
const DEFAULT_IMAGE_MODEL: &str = "dall-e-2";

impl State {
    pub(super) fn money(&self) -> Money {
        let money = self.counted();
        let cost = match &self.given {
            Some(given) => given.cost(money.cost),
            None => money.cost,
        };
        Money { cost, ..money }
    }

    fn counted(&self) -> Money {
        let (provider, address, asked) = (self.provider(), self.server_address(), self.model_asked());
        let (start, asked) = (&self.start, asked.as_deref());
        let images = self.image_prices(asked);
        let seen = Seen {
            provider: &provider,
            served: images.as_deref().or(self.facts.model.as_deref()),
            asked,
            at_ns: self.start_ns,
            service_tier: self.facts.service_tier.as_deref(),
            host: address.as_deref(),
            key_alias: start.api_key_id.as_deref(),
            batch: self.given.as_ref().is_some_and(|given| given.batch),
            web_search_calls: Some(u64::from(self.facts.web_searches)),
            facts: start.asked.price.as_deref(),
        };
        let price = |usage: &pricing::Usage| match self.unsent {
            Some(_) => Cost::of_nothing(),
            None => seen.price(usage),
        };
        if let Some(json) = &self.facts.usage {
            let read = match start.surface {
                // Told of, under a name that is nobody's: the usage says itself what it is.
                Surface::Provider => pricing::read_usage_by_shape(json).map(|(_, usage)| usage),
                _ => pricing::read_usage(self.usage_format(), json),
            };
            return match read {
                // Anthropic's start of a message, which counts the input.
                Ok(usage) if usage.is_estimated() => {
                    let (usage, output) = usage.with_estimated_output(self.facts.written.tokens());
                    Money {
                        tokens: *usage.tokens(),
                        estimated: Estimated {
                            input: None,
                            output: Some(output),
                        },
                        cost: Some(price(&usage)),
                    }
                }
                Ok(usage) => Money {
                    tokens: *usage.tokens(),
                    estimated: Estimated::default(),
                    cost: Some(price(&usage)),
                },
                Err(why) => Money {
                    tokens: pricing::reported_tokens(json),
                    estimated: Estimated::default(),
                    cost: Some(Cost::of_invalid_usage(why)),
                },
            };
        }
        // Only a stream that brought text has been billed without saying so; what an error cost is not known. Verdicts
        // on text count no tokens at all.
        let surface = start.surface;
        let is_stream_of_text = start.streaming && surface.writes_text() && !self.facts.written.is_empty();
        let is_verdict = surface == Surface::Moderation && self.facts.response_id.is_some();
        if self.unsent.is_some() {
            let cost = Some(Cost::of_nothing());
            return Money {
                cost,
                ..Money::default()
            };
        }
        if !(is_stream_of_text || is_verdict) {
            return Money::default();
        }
        let (input, output) = (start.asked.input.tokens(), self.facts.written.tokens());
        let usage = pricing::estimated_usage(input, output);
        Money {
            tokens: Tokens::default(),
            estimated: Estimated {
                input: Some(input),
                output: Some(output),
            },
            cost: Some(price(&usage)),
        }
    }

    fn usage_format(&self) -> UsageFormat {
        if self.paid_by_image() {
            return UsageFormat::ImageCount;
        }
        let called = self.start.surface;
        if self.told.is_the_usage && self.given.is_none() {
            // The library's own counts, which it words as OpenAI does whoever answered.
            return called.usage_format("", called);
        }
        let asked = self.transported.unwrap_or(called);
        asked.usage_format(&self.provider(), called)
    }

    fn paid_by_image(&self) -> bool {
        self.facts.images.is_some() && self.facts.images_are_the_usage
    }

    /// The name of the prices of images that are paid by the piece.
    fn image_prices(&self, asked: Option<&str>) -> Option<String> {
        let images = self.facts.images.as_ref().filter(|_| self.paid_by_image())?;
        let names = images.price_names(asked.unwrap_or(DEFAULT_IMAGE_MODEL));
        let provider = self.provider();
        names
            .into_iter()
            .find(|name| pricing::resolve(&provider, name).is_some())
    }

    /// What an answer used that says nothing of it, because what was asked for, or what came, is what is paid for.
    pub(super) fn infer_usage(&mut self) {
        if self.facts.usage.is_some() {
            return;
        }
        if self.start.surface == Surface::Speech {
            self.facts.usage = self
                .start
                .asked
                .characters
                .map(|count| format!(r#"{{"characters":{count}}}"#));
        }
        if let Some(images) = &mut self.facts.images {
            let asked = &self.start.asked.images;
            images.size = images.size.take().or_else(|| asked.size.clone());
            images.quality = images.quality.take().or_else(|| asked.quality.clone());
            self.facts.usage = images.usage();
            self.facts.images_are_the_usage = true;
        }
    }
}

#[derive(Default)]
pub(super) struct Money {
    pub tokens: Tokens,
    pub estimated: Estimated,
    pub cost: Option<Cost>,
}

/// Tokens that nobody counted, by the length of what was said.
#[derive(Default)]
pub(super) struct Estimated {
    pub input: Option<u64>,
    pub output: Option<u64>,
}
