//! Vendors: one entry each. Ids are litellm's.

mod adapted;

use super::{Dialect, anthropic, gemini, ollama};

/// What differs between vendors.
#[derive(Debug)]
pub(crate) struct Vendor {
    /// litellm's provider id, and the prefix of its model names.
    pub id: &'static str,
    /// Where its API lives; empty where only the user knows.
    pub base_url: &'static str,
    /// Environment variables that hold the key, the first one set wins.
    pub key_variables: &'static [&'static str],
    /// Environment variables that hold the base URL.
    pub base_variables: &'static [&'static str],
    /// Ends of the host names its API answers at.
    pub hosts: &'static [&'static str],
    /// Whether `stream_options: {"include_usage": true}` is documented, or was seen, to be accepted.
    pub stream_usage: bool,
    /// What it speaks where that is not OpenAI's dialect.
    pub dialect: Option<&'static dyn Dialect>,
}

impl PartialEq for Vendor {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Vendor {}

const fn vendor(
    id: &'static str,
    base_url: &'static str,
    key_variables: &'static [&'static str],
    base_variables: &'static [&'static str],
    hosts: &'static [&'static str],
    stream_usage: bool,
) -> Vendor {
    Vendor {
        id,
        base_url,
        key_variables,
        base_variables,
        hosts,
        stream_usage,
        dialect: None,
    }
}

impl Vendor {
    /// Whether what the openai package gets at the vendor's address is recorded as the vendor's.
    pub(crate) fn answers_openai(&self) -> bool {
        !matches!(self.id, "anthropic" | "gemini" | "ollama_chat")
    }

    const fn speaking(self, dialect: &'static dyn Dialect) -> Self {
        Self {
            dialect: Some(dialect),
            ..self
        }
    }
}

pub(crate) const OPENAI: Vendor = vendor(
    "openai",
    "https://api.openai.com/v1",
    &["OPENAI_API_KEY"],
    &["OPENAI_BASE_URL", "OPENAI_API_BASE"],
    &["api.openai.com", "eu.api.openai.com", "us.api.openai.com"],
    true,
);

/// Mistral, Perplexity, Azure AI and Hugging Face report usage on every stream and some reject the option: not asked.
pub(crate) const VENDORS: &[Vendor] = &[
    OPENAI,
    vendor(
        "anthropic",
        "https://api.anthropic.com",
        &["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"],
        &["ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"],
        &["api.anthropic.com"],
        false,
    )
    .speaking(&anthropic::Anthropic),
    vendor(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta",
        &["GOOGLE_API_KEY", "GEMINI_API_KEY"],
        &["GEMINI_API_BASE"],
        &["generativelanguage.googleapis.com"],
        false,
    )
    .speaking(&gemini::Gemini),
    vendor(
        "azure",
        "",
        &["AZURE_API_KEY", "AZURE_OPENAI_API_KEY"],
        &["AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT"],
        &["openai.azure.com", "cognitiveservices.azure.com"],
        true,
    ),
    vendor(
        "azure_ai",
        "",
        &["AZURE_AI_API_KEY"],
        &["AZURE_AI_API_BASE"],
        &[
            "models.ai.azure.com",
            "services.ai.azure.com",
            "models.inference.ai.azure.com",
        ],
        false,
    ),
    vendor(
        "deepseek",
        "https://api.deepseek.com/beta",
        &["DEEPSEEK_API_KEY"],
        &["DEEPSEEK_API_BASE"],
        &["api.deepseek.com"],
        true,
    )
    .speaking(&adapted::DEEPSEEK),
    vendor(
        "groq",
        "https://api.groq.com/openai/v1",
        &["GROQ_API_KEY"],
        &["GROQ_API_BASE"],
        &["api.groq.com"],
        true,
    )
    .speaking(&adapted::GROQ),
    vendor(
        "mistral",
        "https://api.mistral.ai/v1",
        &["MISTRAL_API_KEY"],
        &["MISTRAL_API_BASE"],
        &["api.mistral.ai", "codestral.mistral.ai"],
        false,
    )
    .speaking(&adapted::MISTRAL),
    vendor(
        "together_ai",
        "https://api.together.ai/v1",
        &["TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_API_KEY"],
        &["TOGETHER_AI_API_BASE"],
        &["api.together.xyz", "api.together.ai"],
        true,
    )
    .speaking(&adapted::TOGETHER_AI),
    vendor(
        "fireworks_ai",
        "https://api.fireworks.ai/inference/v1",
        &["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"],
        &["FIREWORKS_API_BASE"],
        &["api.fireworks.ai"],
        true,
    )
    .speaking(&adapted::FIREWORKS_AI),
    vendor(
        "openrouter",
        "https://openrouter.ai/api/v1",
        &["OPENROUTER_API_KEY", "OR_API_KEY"],
        &["OPENROUTER_API_BASE"],
        &["openrouter.ai"],
        true,
    )
    .speaking(&adapted::OPENROUTER),
    vendor(
        "perplexity",
        "https://api.perplexity.ai",
        &["PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"],
        &["PERPLEXITY_API_BASE"],
        &["api.perplexity.ai"],
        false,
    )
    .speaking(&adapted::PERPLEXITY),
    vendor(
        "xai",
        "https://api.x.ai/v1",
        &["XAI_API_KEY"],
        &["XAI_API_BASE"],
        &["api.x.ai"],
        true,
    )
    .speaking(&adapted::XAI),
    vendor(
        "cerebras",
        "https://api.cerebras.ai/v1",
        &["CEREBRAS_API_KEY"],
        &["CEREBRAS_API_BASE"],
        &["api.cerebras.ai"],
        true,
    )
    .speaking(&adapted::CEREBRAS),
    vendor(
        "nvidia_nim",
        "https://integrate.api.nvidia.com/v1",
        &["NVIDIA_NIM_API_KEY", "NVIDIA_API_KEY"],
        &["NVIDIA_NIM_API_BASE"],
        &["integrate.api.nvidia.com"],
        true,
    )
    .speaking(&adapted::NVIDIA_NIM),
    vendor(
        "huggingface",
        "https://router.huggingface.co/v1",
        &["HF_TOKEN", "HUGGINGFACE_API_KEY"],
        &["HF_API_BASE", "HUGGINGFACE_API_BASE"],
        &["router.huggingface.co", "api-inference.huggingface.co"],
        false,
    )
    .speaking(&adapted::HUGGINGFACE),
    vendor(
        "moonshot",
        "https://api.moonshot.ai/v1",
        &["MOONSHOT_API_KEY"],
        &["MOONSHOT_API_BASE"],
        &["api.moonshot.ai", "api.moonshot.cn"],
        true,
    )
    .speaking(&adapted::MOONSHOT),
    vendor(
        "sambanova",
        "https://api.sambanova.ai/v1",
        &["SAMBANOVA_API_KEY"],
        &["SAMBANOVA_API_BASE"],
        &["api.sambanova.ai"],
        true,
    )
    .speaking(&adapted::SAMBANOVA),
    vendor(
        "zai",
        "https://api.z.ai/api/paas/v4",
        &["ZAI_API_KEY"],
        &["ZAI_API_BASE"],
        &["api.z.ai"],
        false,
    ),
    vendor(
        "vercel_ai_gateway",
        "https://ai-gateway.vercel.sh/v1",
        &["VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"],
        &["VERCEL_AI_GATEWAY_API_BASE"],
        &["ai-gateway.vercel.sh"],
        true,
    ),
    vendor(
        "voyage",
        "https://api.voyageai.com/v1",
        &["VOYAGE_API_KEY"],
        &["VOYAGE_API_BASE"],
        &["api.voyageai.com"],
        false,
    ),
    vendor(
        "jina_ai",
        "https://api.jina.ai/v1",
        &["JINA_AI_API_KEY"],
        &["JINA_AI_API_BASE"],
        &["api.jina.ai"],
        false,
    ),
    vendor(
        "databricks",
        "",
        &["DATABRICKS_API_KEY"],
        &["DATABRICKS_API_BASE"],
        &["databricks.com", "azuredatabricks.net"],
        false,
    ),
    vendor(
        "snowflake",
        "",
        &["SNOWFLAKE_JWT"],
        &["SNOWFLAKE_API_BASE"],
        &["snowflakecomputing.com"],
        false,
    ),
    vendor(
        "litellm_proxy",
        "",
        &["LITELLM_PROXY_API_KEY"],
        &["LITELLM_PROXY_API_BASE"],
        &[],
        true,
    ),
    vendor(
        "hosted_vllm",
        "",
        &["HOSTED_VLLM_API_KEY"],
        &["HOSTED_VLLM_API_BASE"],
        &[],
        true,
    )
    .speaking(&adapted::HOSTED_VLLM),
    vendor(
        "llamafile",
        "http://127.0.0.1:8080/v1",
        &["LLAMAFILE_API_KEY"],
        &["LLAMAFILE_API_BASE"],
        &[],
        true,
    ),
    vendor(
        "lm_studio",
        "",
        &["LM_STUDIO_API_KEY"],
        &["LM_STUDIO_API_BASE"],
        &[],
        true,
    )
    .speaking(&adapted::LM_STUDIO),
    // Through the openai package its own port answers OpenAI's dialect, and is recorded as Ollama's.
    vendor(
        "ollama",
        "http://localhost:11434",
        &["OLLAMA_API_KEY"],
        &["OLLAMA_API_BASE"],
        &[],
        true,
    )
    .speaking(&ollama::Ollama { as_messages: false }),
    vendor(
        "ollama_chat",
        "http://localhost:11434",
        &["OLLAMA_API_KEY"],
        &["OLLAMA_API_BASE"],
        &[],
        true,
    )
    .speaking(&ollama::Ollama { as_messages: true }),
    vendor("custom_openai", "", &[], &[], &[], true).speaking(&adapted::CUSTOM_OPENAI),
];

/// litellm's other spellings.
const ALIASES: &[(&str, &str)] = &[
    ("lmstudio", "lm_studio"),
    ("vllm", "hosted_vllm"),
    ("openai_compatible", "custom_openai"),
];

/// Providers of litellm's that speak another dialect: their prefix must not be taken for a part of a model's name.
#[rustfmt::skip] // a list of names, not a column
const NOT_YET: &[&str] = &[
    "bedrock", "cohere", "cohere_chat", "vertex_ai", "vertex_ai_beta", "replicate", "sagemaker", "sagemaker_chat",
    "watsonx", "cloudflare", "palm", "ai21", "ai21_chat", "nlp_cloud", "aleph_alpha", "petals", "baseten",
    "predibase", "triton", "deepgram", "elevenlabs", "oci", "clarifai", "text-completion-openai", "azure_text",
    "github_copilot",
];

pub(crate) fn find(id: &str) -> Option<&'static Vendor> {
    let id = ALIASES.iter().find(|(alias, _)| *alias == id).map_or(id, |(_, id)| id);
    VENDORS.iter().find(|vendor| vendor.id == id)
}

/// Whose model a name without a prefix is, as litellm's model table has it.
pub(crate) fn by_model(model: &str) -> Option<&'static Vendor> {
    find(pricing::Snapshot::embedded().entry(model)?.provider())
}

pub(crate) fn speaks_another_dialect(id: &str) -> bool {
    NOT_YET.contains(&id)
}

/// The vendor that answers at `host` (and `port`); None for a host nobody is known to answer at.
pub(crate) fn at(host: &str, port: Option<u16>) -> Option<&'static Vendor> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_at = |end: &&str| host == **end || host.strip_suffix(*end).is_some_and(|head| head.ends_with('.'));
    if let Some(vendor) = VENDORS.iter().find(|vendor| vendor.hosts.iter().any(is_at)) {
        return Some(vendor);
    }
    // The port Ollama listens at by default, on whatever machine.
    if port == Some(11434) { find("ollama") } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_name_their_vendor_and_nobody_elses() {
        assert_eq!(at("API.groq.com", None).map(|v| v.id), Some("groq"));
        assert_eq!(at("my-res.openai.azure.com", None).map(|v| v.id), Some("azure"));
        assert_eq!(at("notopenrouter.ai", None), None);
        assert_eq!(at("127.0.0.1", Some(8000)), None);
        assert_eq!(at("localhost", Some(11434)).map(|v| v.id), Some("ollama"));
    }

    #[test]
    fn every_id_is_found_and_stands_once() {
        for vendor in VENDORS {
            assert_eq!(find(vendor.id), Some(vendor));
            assert!(!speaks_another_dialect(vendor.id));
        }
        assert_eq!(find("lmstudio").map(|v| v.id), Some("lm_studio"));
    }
}
