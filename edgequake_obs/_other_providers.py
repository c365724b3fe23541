"""Providers of litellm's that our client does not call: their ids, and the public base URL of those that have one.

`get_llm_provider` and the functions about models know their names all the same.
"""

from __future__ import annotations

BASES: dict[str, str | None] = {
    "ai21": "https://api.ai21.com/studio/v1",
    "ai21_chat": "https://api.ai21.com/studio/v1",
    "anthropic_text": None,
    "azure_text": None,
    "baseten": None,
    "bedrock": None,
    "bedrock_mantle": "https://bedrock-mantle.us-east-1.api.aws/v1",
    "clarifai": None,
    "cloudflare": None,
    "codestral": "https://codestral.mistral.ai/v1",
    "cohere": None,
    "cohere_chat": None,
    "crusoe": "https://managed-inference-api-proxy.crusoecloud.com/v1",
    "dashscope": "https://dashscope.aliyuncs.com/compatible-mode/v1",
    "deepgram": None,
    "deepinfra": "https://api.deepinfra.com/v1/openai",
    "elevenlabs": None,
    "fal_ai": None,
    "featherless_ai": "https://api.featherless.ai/v1",
    "friendliai": "https://api.friendli.ai/serverless/v1",
    "galadriel": "https://api.galadriel.com/v1",
    "github": "https://models.inference.ai.azure.com",
    "github_copilot": "https://api.githubcopilot.com",
    "gradient_ai": None,
    "heroku": None,
    "hyperbolic": "https://api.hyperbolic.xyz/v1",
    "infinity": None,
    "lambda_ai": "https://api.lambda.ai/v1",
    "libertai": "https://api.libertai.io/v1",
    "llamagate": "https://api.llamagate.dev/v1",
    "maritalk": None,
    "meta": "https://api.meta.ai/v1",
    "meta_llama": "https://api.llama.com/compat/v1",
    "minimax": None,
    "morph": "https://api.morphllm.com/v1",
    "nebius": "https://api.studio.nebius.ai/v1",
    "nlp_cloud": None,
    "novita": "https://api.novita.ai/v3/openai",
    "oci": None,
    "oobabooga": None,
    "openai_like": None,
    "ovhcloud": None,
    "petals": None,
    "predibase": None,
    "qwen_ai_platform": "https://dashscope.aliyuncs.com/compatible-mode/v1",
    "qwencloud": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    "recraft": None,
    "replicate": None,
    "sagemaker": None,
    "sagemaker_chat": None,
    "scaleway": "https://api.scaleway.ai/v1",
    "stability": None,
    "text-completion-openai": None,
    "triton": None,
    "v0": "https://api.v0.dev/v1",
    "vertex_ai": None,
    "vertex_ai_beta": None,
    "volcengine": "https://ark.cn-beijing.volces.com/api/v3",
    "wandb": "https://api.inference.wandb.ai/v1",
    "watsonx": None,
}

# What the price table calls a provider's models otherwise, by how its name begins.
_OTHERWISE = (
    ("bedrock", "bedrock"),
    ("vertex_ai", "vertex_ai"),
    ("ai21", "ai21_chat"),
)


def named(provider: str) -> str:
    """litellm's id for what the price table names as a model's provider."""
    if provider in BASES and provider not in ("ai21", "bedrock_mantle"):
        return provider
    return next((id for start, id in _OTHERWISE if provider.startswith(start)), provider)
