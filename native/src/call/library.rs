//! A call made through a library that has transports beneath it: litellm over the openai SDK, or over its own HTTP client.

use std::sync::Arc;

use super::State;
use crate::providers::openai::Facts;
use crate::surface::Surface;

/// Whom an attempt asks.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub provider: Arc<str>,
    pub model: Option<Arc<str>>,
    pub server_address: Option<Arc<str>>,
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    Cached,
    Mocked,
}

/// What the library's own answer says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub response_id: Option<String>,
    pub model: Option<String>,
    pub finish_reasons: Vec<String>,
    /// The library's count, as JSON text.
    pub usage: Option<String>,
    /// There was no other.
    pub is_the_usage: bool,
}

impl State {
    /// What the library says of its answer.
    pub(crate) fn library_told(&mut self, told: Told) {
        // Of Gemini's vectors, which nobody counts, litellm guesses by the text that was asked.
        let is_guess = self.start.surface == Surface::Embeddings && &*self.provider() == "gemini";
        self.told = Told {
            usage: told.usage.filter(|_| !is_guess),
            ..told
        };
    }
}

impl Told {
    /// Fills in what the transport's bytes did not tell.
    pub(super) fn complete(&mut self, facts: &mut Facts) {
        if facts.response_id.is_none() {
            facts.response_id = self.response_id.take();
        }
        if facts.model.is_none() {
            facts.model = self.model.take();
        }
        if facts.finish_reasons.is_empty() {
            facts.finish_reasons = std::mem::take(&mut self.finish_reasons);
        }
        if facts.usage.is_none() && self.usage.is_some() {
            facts.usage = self.usage.take();
            self.is_the_usage = true;
        }
    }
}
