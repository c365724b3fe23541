//! What was called, one endpoint or another: what the record calls it, and how its answers tell what the call used.

mod media;
mod messages;
mod path;
mod provider;
mod reading;
mod typed;

use pricing::UsageFormat;

use crate::providers::openai::{self, EventKind, Facts};

pub(crate) use reading::{SurfaceReading, TranscriptReading};

/// An endpoint that makes records. OpenAI's names, which others follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Chat,
    TextCompletion,
    Embeddings,
    Responses,
    ImageGeneration,
    ImageEdit,
    Speech,
    Transcription,
    Translation,
    Moderation,
    /// Anthropic's.
    Messages,
    Rerank,
    /// A provider's own endpoint, in its own dialect: of that only the usage is read.
    Provider,
}

const NAMES: [(Surface, &str); 13] = [
    (Surface::Chat, "chat"),
    (Surface::TextCompletion, "text_completion"),
    (Surface::Embeddings, "embeddings"),
    (Surface::Responses, "responses"),
    (Surface::ImageGeneration, "image_generation"),
    (Surface::ImageEdit, "image_edit"),
    (Surface::Speech, "speech"),
    (Surface::Transcription, "transcription"),
    (Surface::Translation, "translation"),
    (Surface::Moderation, "moderation"),
    (Surface::Messages, "messages"),
    (Surface::Rerank, "rerank"),
    (Surface::Provider, "provider"),
];

impl Surface {
    /// The surface that the hooks call so; what they do not know is chat.
    #[must_use]
    pub(crate) fn named(name: &str) -> Self {
        Self::find(name).unwrap_or(Self::Chat)
    }

    /// The surface of that name.
    #[must_use]
    pub(crate) fn find(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(surface, _)| *surface)
    }

    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(surface, _)| *surface == self)
            .map_or("chat", |(_, name)| name)
    }

    /// The operation, as the semantic conventions name it; they count responses as chat, and have no name for media.
    #[must_use]
    pub(crate) fn operation(self) -> &'static str {
        match self {
            Self::Responses | Self::Messages => "chat",
            other => other.name(),
        }
    }

    /// Which of OpenAI's interfaces to the same operation it is, as `openai.api.type` has it.
    #[must_use]
    pub(crate) fn api_type(self) -> Option<&'static str> {
        match self {
            Self::Chat => Some("chat_completions"),
            Self::Responses => Some("responses"),
            _ => None,
        }
    }

    /// The format of the usage that `provider` reports here, where the program called the surface `called`.
    #[must_use]
    pub(crate) fn usage_format(self, provider: &str, called: Self) -> UsageFormat {
        let name = match self {
            Self::Translation => "transcription",
            Self::Provider => called.name(),
            other => other.name(),
        };
        UsageFormat::for_call(provider, name).unwrap_or(UsageFormat::OpenAiChat)
    }

    /// Whether a model writes text here, whose length tells what a stream without usage came to.
    #[must_use]
    pub(crate) fn writes_text(self) -> bool {
        matches!(
            self,
            Self::Chat | Self::TextCompletion | Self::Responses | Self::Messages
        )
    }

    /// Whether an answer's bytes are media, of which nothing is to be read.
    #[must_use]
    pub(crate) fn answers_with_media(self, body: &[u8]) -> bool {
        self == Self::Speech && !media::is_event_stream(body)
    }

    /// Reads a whole answer.
    ///
    /// # Errors
    /// What is wrong with a body that should be JSON and is not, or that says that the call failed.
    pub(crate) fn read_answer(self, body: &[u8]) -> Result<Facts, AnswerProblem> {
        match self {
            Self::Embeddings => {
                let skimmed = openai::skim_embeddings(body);
                if skimmed.usage.is_some() {
                    return Ok(skimmed);
                }
                read_chat(body)
            }
            Self::Chat | Self::TextCompletion => read_chat(body),
            Self::Responses => typed::read_response(body),
            Self::ImageGeneration | Self::ImageEdit => media::read_images(body),
            Self::Speech => Ok(media::read_speech(body)),
            Self::Transcription | Self::Translation => Ok(media::read_transcript(body)),
            Self::Moderation => media::read_moderation(body),
            Self::Messages => messages::read_answer(body),
            Self::Rerank | Self::Provider => Ok(provider::read(body)),
        }
    }

    /// Reads one event of a stream into `facts`.
    pub(crate) fn read_event(self, facts: &mut Facts, data: &[u8]) -> EventKind {
        match self {
            Self::Chat | Self::TextCompletion | Self::Embeddings | Self::Moderation => openai::read_event(facts, data),
            Self::Messages => messages::read_event(facts, data),
            Self::Rerank | Self::Provider => provider::read_event(facts, data),
            _ => typed::read_event(facts, data),
        }
    }

    /// Whether an event may say more than text.
    pub(crate) fn is_telling(self, data: &[u8]) -> bool {
        match self {
            Self::Chat | Self::TextCompletion | Self::Embeddings | Self::Moderation => openai::is_telling(data),
            Self::Messages => messages::is_telling(data),
            Self::Rerank | Self::Provider => provider::is_telling(data),
            _ => typed::is_telling(data),
        }
    }

    /// Whether these bytes of a stream may hold its last event.
    pub(crate) fn may_end(self, data: &[u8]) -> bool {
        match self {
            Self::Chat | Self::TextCompletion | Self::Embeddings | Self::Moderation => openai::may_end(data),
            Self::Messages => messages::is_telling(data),
            Self::Rerank | Self::Provider => false,
            _ => typed::is_telling(data),
        }
    }
}

/// Why an answer is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AnswerProblem {
    Unreadable(String),
    /// It says itself that the call failed.
    Failed(Box<Facts>, openai::ProviderError),
}

fn read_chat(body: &[u8]) -> Result<Facts, AnswerProblem> {
    openai::read_answer(body)
        .map(|(facts, _)| facts)
        .map_err(AnswerProblem::Unreadable)
}
