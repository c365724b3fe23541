//! The shapes of usage objects.

/// Whose usage object it is. A list of stream events has the format of the object it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each variant is the name of its format")]
pub enum UsageFormat {
    OpenAiChat,
    OpenAiEmbeddings,
    OpenAiResponses,
    OpenAiRealtime,
    OpenAiImages,
    OpenAiTranscription,
    AnthropicMessages,
    GeminiGenerateContent,
    BedrockConverse,
    XaiChat,
    DeepSeekChat,
    CohereChat,
    CohereRerank,
    OpenRouterChat,
    MistralOcr,
    ImageCount,
    VideoDuration,
    SpeechCharacters,
    Search,
    TranscriptionDuration,
}

const NAMES: [(UsageFormat, &str); 20] = [
    (UsageFormat::OpenAiChat, "openai.chat"),
    (UsageFormat::OpenAiEmbeddings, "openai.embeddings"),
    (UsageFormat::OpenAiResponses, "openai.responses"),
    (UsageFormat::OpenAiRealtime, "openai.realtime"),
    (UsageFormat::OpenAiImages, "openai.images"),
    (UsageFormat::OpenAiTranscription, "openai.transcription"),
    (UsageFormat::AnthropicMessages, "anthropic.messages"),
    (
        UsageFormat::GeminiGenerateContent,
        "gemini.generate_content",
    ),
    (UsageFormat::BedrockConverse, "bedrock.converse"),
    (UsageFormat::XaiChat, "xai.chat"),
    (UsageFormat::DeepSeekChat, "deepseek.chat"),
    (UsageFormat::CohereChat, "cohere.chat"),
    (UsageFormat::CohereRerank, "cohere.rerank"),
    (UsageFormat::OpenRouterChat, "openrouter.chat"),
    (UsageFormat::MistralOcr, "mistral.ocr"),
    (UsageFormat::ImageCount, "image.count"),
    (UsageFormat::VideoDuration, "video.duration"),
    (UsageFormat::SpeechCharacters, "speech.characters"),
    (UsageFormat::Search, "search"),
    (UsageFormat::TranscriptionDuration, "transcription.duration"),
];

impl UsageFormat {
    /// The format of a provider's answers (litellm's provider id) to an operation (`chat`, `embeddings`, ...).
    #[must_use]
    pub fn for_call(provider: &str, operation: &str) -> Option<Self> {
        Some(match (provider, operation) {
            (_, "messages") => Self::AnthropicMessages,
            (_, "generate_content") => Self::GeminiGenerateContent,
            (_, "converse") => Self::BedrockConverse,
            ("anthropic", "chat") => Self::AnthropicMessages,
            ("gemini" | "vertex_ai", "chat") => Self::GeminiGenerateContent,
            ("bedrock", "chat") => Self::BedrockConverse,
            ("xai", "chat") => Self::XaiChat,
            ("deepseek", "chat") => Self::DeepSeekChat,
            ("openrouter", "chat") => Self::OpenRouterChat,
            ("cohere" | "cohere_chat", "chat") => Self::CohereChat,
            (_, "chat" | "completion" | "text_completion") => Self::OpenAiChat,
            (_, "embedding" | "embeddings") => Self::OpenAiEmbeddings,
            (_, "responses") => Self::OpenAiResponses,
            (_, "realtime") => Self::OpenAiRealtime,
            (_, "image_generation" | "images") => Self::OpenAiImages,
            (_, "transcription") => Self::OpenAiTranscription,
            (_, "speech") => Self::SpeechCharacters,
            (_, "rerank") => Self::CohereRerank,
            (_, "ocr") => Self::MistralOcr,
            (_, "search") => Self::Search,
            (_, "video" | "video_generation") => Self::VideoDuration,
            _ => return None,
        })
    }

    /// The format of a name such as `openai.chat` or `anthropic.messages.stream`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.strip_suffix(".stream").unwrap_or(name);
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(format, _)| *format)
    }

    /// The name, such as `openai.chat`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES
            .iter()
            .find(|(format, _)| *format == self)
            .map_or("", |(_, name)| name)
    }
}
