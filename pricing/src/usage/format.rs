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
    OllamaChat,
    CohereChat,
    CohereRerank,
    OpenRouterChat,
    PerplexityChat,
    MistralOcr,
    ImageCount,
    VideoDuration,
    SpeechCharacters,
    Search,
    TranscriptionDuration,
}

const NAMES: [(UsageFormat, &str); 22] = [
    (UsageFormat::OpenAiChat, "openai.chat"),
    (UsageFormat::OpenAiEmbeddings, "openai.embeddings"),
    (UsageFormat::OpenAiResponses, "openai.responses"),
    (UsageFormat::OpenAiRealtime, "openai.realtime"),
    (UsageFormat::OpenAiImages, "openai.images"),
    (UsageFormat::OpenAiTranscription, "openai.transcription"),
    (UsageFormat::AnthropicMessages, "anthropic.messages"),
    (UsageFormat::GeminiGenerateContent, "gemini.generate_content"),
    (UsageFormat::BedrockConverse, "bedrock.converse"),
    (UsageFormat::XaiChat, "xai.chat"),
    (UsageFormat::DeepSeekChat, "deepseek.chat"),
    (UsageFormat::OllamaChat, "ollama.chat"),
    (UsageFormat::CohereChat, "cohere.chat"),
    (UsageFormat::CohereRerank, "cohere.rerank"),
    (UsageFormat::OpenRouterChat, "openrouter.chat"),
    (UsageFormat::PerplexityChat, "perplexity.chat"),
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
        // A gateway that states what it charged does so whatever the operation.
        if matches!(provider, "openrouter" | "vercel_ai_gateway") {
            return Some(Self::OpenRouterChat);
        }
        Some(match (provider, operation) {
            (_, "messages") => Self::AnthropicMessages,
            (_, "generate_content" | "stream_generate_content" | "interactions") => Self::GeminiGenerateContent,
            (_, "converse" | "converse_stream") => Self::BedrockConverse,
            ("anthropic", "chat") => Self::AnthropicMessages,
            ("gemini" | "vertex_ai", "chat" | "embedding" | "embeddings") => Self::GeminiGenerateContent,
            ("bedrock", "chat" | "invoke" | "invoke_stream" | "embedding" | "embeddings") => Self::BedrockConverse,
            ("xai", "chat" | "responses") => Self::XaiChat,
            ("deepseek", "chat") => Self::DeepSeekChat,
            ("perplexity", "chat" | "embedding" | "embeddings") => Self::PerplexityChat,
            ("ollama" | "ollama_chat", "chat" | "text_completion" | "embedding" | "embeddings") => Self::OllamaChat,
            ("cohere" | "cohere_chat", "chat" | "text_completion" | "embedding" | "embeddings") => Self::CohereChat,
            (_, "chat" | "completion" | "text_completion") => Self::OpenAiChat,
            (_, "embedding" | "embeddings") => Self::OpenAiEmbeddings,
            (_, "responses") => Self::OpenAiResponses,
            (_, "realtime") => Self::OpenAiRealtime,
            (_, "image_generation" | "image_edit" | "images") => Self::OpenAiImages,
            (_, "transcription") => Self::OpenAiTranscription,
            (_, "speech") => Self::SpeechCharacters,
            (_, "rerank") => Self::CohereRerank,
            (_, "ocr") => Self::MistralOcr,
            (_, "search") => Self::Search,
            (_, "video" | "video_generation" | "videos") => Self::VideoDuration,
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

    /// Every name that [`UsageFormat::from_name`] takes, but for `.stream`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(_, name)| *name)
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
