//! What is asked of a provider: one endpoint of OpenAI's API or another, which other providers follow.

use crate::surface::Surface;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Chat,
    /// The older endpoint: a prompt and the text that goes on from it.
    TextCompletion,
    Embeddings,
    Responses,
    ImageGeneration,
    ImageEdit,
    ImageVariation,
    Speech,
    Transcription,
    Moderation,
    Rerank,
}

/// Name, end of the URL's path, name of the field that the model is asked with, and what the record takes it for.
const OPERATIONS: [(Operation, &str, &str, &str, Surface); 11] = [
    (Operation::Chat, "chat", "/chat/completions", "messages", Surface::Chat),
    (
        Operation::TextCompletion,
        "text_completion",
        "/completions",
        "prompt",
        Surface::TextCompletion,
    ),
    (
        Operation::Embeddings,
        "embeddings",
        "/embeddings",
        "input",
        Surface::Embeddings,
    ),
    (
        Operation::Responses,
        "responses",
        "/responses",
        "input",
        Surface::Responses,
    ),
    (
        Operation::ImageGeneration,
        "image_generation",
        "/images/generations",
        "prompt",
        Surface::ImageGeneration,
    ),
    (
        Operation::ImageEdit,
        "image_edit",
        "/images/edits",
        "prompt",
        Surface::ImageEdit,
    ),
    (
        Operation::ImageVariation,
        "image_variation",
        "/images/variations",
        "image",
        Surface::ImageEdit,
    ),
    (Operation::Speech, "speech", "/audio/speech", "input", Surface::Speech),
    (
        Operation::Transcription,
        "transcription",
        "/audio/transcriptions",
        "file",
        Surface::Transcription,
    ),
    (
        Operation::Moderation,
        "moderation",
        "/moderations",
        "input",
        Surface::Moderation,
    ),
    (Operation::Rerank, "rerank", "/rerank", "query", Surface::Rerank),
];

impl Operation {
    /// The operation that the facade calls so.
    pub(crate) fn named(name: &str) -> Self {
        OPERATIONS
            .iter()
            .find(|(_, known, ..)| *known == name)
            .map_or(Self::Chat, |(operation, ..)| *operation)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, &'static str, Surface) {
        OPERATIONS
            .iter()
            .find(|(operation, ..)| *operation == self)
            .unwrap_or(&OPERATIONS[0])
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    /// The end of the URL's path, in OpenAI's dialect.
    pub(crate) fn path(self) -> &'static str {
        self.row().2
    }

    pub(crate) fn input_field(self) -> &'static str {
        self.row().3
    }

    pub(crate) fn surface(self) -> Surface {
        self.row().4
    }

    /// Whether providers that speak another dialect word it in theirs.
    pub(crate) fn is_in_dialects(self) -> bool {
        matches!(self, Self::Chat | Self::TextCompletion | Self::Embeddings)
    }

    /// Whether its request carries files, as a form.
    pub(crate) fn carries_files(self) -> bool {
        matches!(self, Self::ImageEdit | Self::ImageVariation | Self::Transcription)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_name() {
        for (operation, name, ..) in OPERATIONS {
            assert_eq!(Operation::named(name), operation);
            assert_eq!(operation.row().0, operation);
        }
    }
}
