//! litellm's ids of providers, which the record holds, as the conventions name them.

/// `gen_ai.provider.name`: the conventions' well-known values; a provider that they do not know keeps its id.
#[must_use]
pub fn provider_name(id: &str) -> &str {
    match id {
        "azure" | "azure_text" => "azure.ai.openai",
        "azure_ai" => "azure.ai.inference",
        "bedrock" | "bedrock_converse" => "aws.bedrock",
        "cohere_chat" => "cohere",
        "gemini" => "gcp.gemini",
        "mistral" | "codestral" => "mistral_ai",
        "moonshot" => "moonshot_ai",
        "ollama_chat" => "ollama",
        "text-completion-openai" => "openai",
        "vertex_ai" | "vertex_ai_beta" => "gcp.vertex_ai",
        "watsonx" | "watsonx_text" => "ibm.watsonx.ai",
        "xai" => "x_ai",
        id => id,
    }
}
