//! Which endpoint a request is for, told by the ending of its path: what generates or bills makes a record.

use super::Surface;

const ENDINGS: [(&str, Surface); 14] = [
    ("/chat/completions", Surface::Chat),
    ("/completions", Surface::TextCompletion), // the longer one of two comes first
    ("/responses", Surface::Responses),
    ("/responses/compact", Surface::Responses),
    ("/decisions", Surface::Responses), // asked otherwise, counted alike
    ("/embeddings", Surface::Embeddings),
    ("/images/generations", Surface::ImageGeneration),
    ("/images/edits", Surface::ImageEdit),
    ("/images/variations", Surface::ImageEdit),
    ("/audio/speech", Surface::Speech),
    ("/audio/transcriptions", Surface::Transcription),
    ("/audio/translations", Surface::Translation),
    ("/moderations", Surface::Moderation),
    // Anthropic's; a thread of OpenAI's assistants has messages too, at another path.
    ("/v1/messages", Surface::Messages),
];

impl Surface {
    /// The surface at a URL; clients' own `post` takes paths without the slash, with a query, and whole URLs.
    #[must_use]
    pub(crate) fn at(url: &str) -> Option<Self> {
        let path = url.split('?').next().unwrap_or(url);
        ENDINGS
            .iter()
            .find(|(ending, _)| path.ends_with(ending) || path == &ending[1..])
            .map(|(_, surface)| *surface)
    }

    /// Whether its stream tells the usage only where `stream_options` ask for it.
    #[must_use]
    pub(crate) fn reports_usage_on_request(self) -> bool {
        matches!(self, Self::Chat | Self::TextCompletion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_and_without_a_host_a_query_and_a_slash() {
        for url in [
            "/chat/completions",
            "chat/completions",
            "https://x/v1/chat/completions?api-version=1",
            "/deployments/gpt/chat/completions",
        ] {
            assert_eq!(Surface::at(url), Some(Surface::Chat), "{url}");
        }
        assert_eq!(Surface::at("/completions"), Some(Surface::TextCompletion));
        assert_eq!(Surface::at("/responses/compact"), Some(Surface::Responses));
        assert_eq!(Surface::at("/decisions"), Some(Surface::Responses));
        for url in [
            "/responses/resp_1",
            "/threads/t/messages",
            "/files",
            "",
            "xchat/completions/",
        ] {
            assert_eq!(Surface::at(url), None, "{url}");
        }
    }
}
