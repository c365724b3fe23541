//! The Responses API for providers that have only chat: the request as chat takes it, what comes back as responses.

mod answer;
mod events;
mod input;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::dialect::{Answered, Events};
use super::{Reading, openai};
use crate::failure::Failure;

use answer::Echo;
use events::ResponseEvents;

/// Whether a provider has the Responses API itself.
pub(crate) fn is_native(provider: &str) -> bool {
    matches!(provider, "openai" | "azure" | "xai" | "openrouter" | "litellm_proxy")
}

/// A request of the Responses API as chat takes it; and what its answer says again of what was asked.
pub(crate) fn as_chat(body: Map<String, Value>) -> Result<(Map<String, Value>, Echo), Failure> {
    let echo = Echo::of(&body);
    Ok((input::as_chat(body)?, echo))
}

/// Chat's answers and streams, read as responses.
#[derive(Debug)]
pub(crate) struct ResponsesReading {
    /// How the provider's chat is read; None: as OpenAI's.
    chat: Option<Box<dyn Reading>>,
    echo: Echo,
}

impl ResponsesReading {
    pub(crate) fn new(chat: Option<Box<dyn Reading>>, echo: Echo) -> Self {
        Self { chat, echo }
    }
}

impl Reading for ResponsesReading {
    fn answer(&self, body: &Bytes) -> Result<Answered, String> {
        let read = match &self.chat {
            Some(chat) => chat.answer(body)?,
            None => match openai::read_answer(body)? {
                (_, Some(error)) => Answered::Error(error),
                (facts, None) => Answered::Whole(facts, body.clone()),
            },
        };
        Ok(match read {
            Answered::Whole(facts, chat) => Answered::Whole(facts, self.echo.response_of(&chat)?),
            Answered::Failed(facts, chat, error) => Answered::Failed(facts, self.echo.response_of(&chat)?, error),
            Answered::Error(error) => Answered::Error(error),
        })
    }

    fn events(&self) -> Box<dyn Events> {
        Box::new(ResponseEvents::new(
            self.chat.as_ref().map(|chat| chat.events()),
            self.echo.clone(),
        ))
    }

    fn streams_lines(&self) -> bool {
        self.chat.as_ref().is_some_and(|chat| chat.streams_lines())
    }
}
