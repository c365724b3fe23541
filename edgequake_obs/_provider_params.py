"""Which of OpenAI's parameters a provider takes, by litellm's id: the public names in litellm 1.106's order."""

from __future__ import annotations


def _of(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _without(params: tuple[str, ...], left_out: str) -> tuple[str, ...]:
    return tuple(name for name in params if name not in left_out.split())


# What OpenAI's chat completions take, but for `user` and `reasoning_effort`, which hang on the model.
OPENAI = _of(
    "frequency_penalty logit_bias logprobs top_logprobs max_tokens max_completion_tokens modalities prediction n"
    " presence_penalty seed stop stream stream_options temperature top_p tools tool_choice function_call functions"
    " max_retries extra_headers parallel_tool_calls audio web_search_options service_tier safety_identifier"
    " prompt_cache_key prompt_cache_retention store response_format"
)
# What models that reason all the time do not take.
_SAMPLING = "logprobs top_logprobs frequency_penalty presence_penalty"
O_SERIES = _without(OPENAI, f"{_SAMPLING} top_p parallel_tool_calls")
GPT_5 = _without(OPENAI, f"{_SAMPLING} logit_bias modalities prediction audio web_search_options stop top_p")
_REASONING = _of("reasoning_effort thinking")

_ANTHROPIC = _of(
    "stream stop temperature top_p max_tokens max_completion_tokens tools tool_choice extra_headers parallel_tool_calls"
    " response_format user web_search_options speed context_management cache_control"
)
AZURE = _of(
    "temperature n stream stream_options stop max_tokens max_completion_tokens tools tool_choice presence_penalty"
    " frequency_penalty logit_bias user function_call functions tools tool_choice top_p logprobs top_logprobs"
    " response_format seed extra_headers parallel_tool_calls prediction modalities audio web_search_options"
    " prompt_cache_key store"
)
_BEDROCK = _of(
    "max_tokens max_completion_tokens stream stream_options stop temperature top_p extra_headers response_format"
    " requestMetadata service_tier parallel_tool_calls"
)
_FIREWORKS = _of(
    "stream max_completion_tokens max_tokens temperature top_p top_k frequency_penalty presence_penalty n stop"
    " response_format user logprobs prompt_truncate_len context_length_exceeded_behavior seed top_logprobs min_p"
    " typical_p repetition_penalty mirostat_target mirostat_lr logit_bias echo echo_last ignore_eos prompt_cache_key"
    " prompt_cache_isolation_key raw_output perf_metrics_in_response return_token_ids safe_tokenization service_tier"
    " speculation prediction stream_options sampling_mask tools parallel_tool_calls"
)
_GEMINI = _of(
    "temperature top_p max_tokens max_completion_tokens stream tools tool_choice functions response_format n stop"
    " logprobs frequency_penalty presence_penalty seed modalities parallel_tool_calls web_search_options"
    " include_server_side_tool_invocations service_tier"
)
_VERTEX_GEMINI = _of(
    "temperature top_p top_k max_tokens max_completion_tokens stream tools functions tool_choice response_format n stop"
    " extra_headers seed logprobs top_logprobs modalities audio parallel_tool_calls web_search_options"
    " include_server_side_tool_invocations service_tier"
)
_HUGE = _of("encoding_format dimensions")
_MISTRAL = _of(
    "stream temperature top_p max_tokens max_completion_tokens tools tool_choice seed stop response_format"
    " parallel_tool_calls"
)
_TEXT_OPENAI = _of(
    "functions function_call temperature top_p n stream stream_options stop max_tokens presence_penalty"
    " frequency_penalty logit_bias user response_format seed tools tool_choice max_retries logprobs top_logprobs"
    " extra_headers"
)
_COHERE = _of(
    "stream temperature max_tokens max_completion_tokens top_p frequency_penalty presence_penalty stop n tools"
    " tool_choice seed extra_headers"
)

# Whatever the model; `supported_params` adds what hangs on it.
CHAT: dict[str, tuple[str, ...]] = {
    "ai21": _of(
        "tools response_format max_tokens max_completion_tokens temperature stop n stream seed tool_choice",
    ),
    "anthropic": _ANTHROPIC,
    "anthropic_text": _of("stream max_tokens max_completion_tokens stop temperature top_p extra_headers user"),
    "azure": AZURE,
    "baseten": _of(
        "max_tokens max_completion_tokens response_format seed stop stream temperature top_p tool_choice tools user"
        " presence_penalty frequency_penalty stream_options"
    ),
    "bedrock": _BEDROCK,
    "bedrock_converse": _BEDROCK,
    "cerebras": _of(
        "max_tokens max_completion_tokens response_format seed stop stream temperature top_p tool_choice tools user"
        " max_retries extra_headers"
    ),
    "clarifai": _of(
        "max_tokens max_completion_tokens response_format stream temperature top_p tool_choice tools presence_penalty"
        " frequency_penalty stream_options"
    ),
    "codestral": _MISTRAL,
    "cohere": _COHERE,
    "cohere_chat": _COHERE,
    "custom_openai": _TEXT_OPENAI,
    "databricks": _of(
        "stream stop temperature top_p max_tokens max_completion_tokens n response_format tools tool_choice"
        " reasoning_effort thinking"
    ),
    "deepinfra": _of(
        "stream frequency_penalty function_call functions logit_bias max_tokens max_completion_tokens n"
        " presence_penalty stop temperature top_p response_format tools tool_choice"
    ),
    "deepseek": (*OPENAI, "thinking", "reasoning_effort"),
    "fireworks_ai": _FIREWORKS,
    "gemini": _GEMINI,
    "gradient_ai": _of(
        "frequency_penalty max_tokens max_completion_tokens presence_penalty stop stream stream_options temperature"
        " top_p k kb_filters filter_kb_content_by_query_metadata instruction_override include_functions_info"
        " include_retrieval_info include_guardrails_info provide_citations retrieval_method"
    ),
    "groq": _without(OPENAI, "max_retries web_search_options"),
    "hosted_vllm": (*OPENAI, *_REASONING),
    "hyperbolic": _of(
        "messages model stream temperature top_p max_tokens frequency_penalty presence_penalty stop n tools"
        " tool_choice response_format seed user"
    ),
    "infinity": _of("encoding_format modality dimensions"),
    "jina_ai": _of("dimensions"),
    "maritalk": _of(
        "frequency_penalty presence_penalty top_p top_k temperature max_tokens n stop stream stream_options tools"
        " tool_choice"
    ),
    "minimax": (*OPENAI, "reasoning_split"),
    "mistral": _MISTRAL,
    "moonshot": _without(OPENAI, "functions"),
    "morph": _of("messages model stream"),
    "nvidia_nim": _of(
        "stream temperature top_p frequency_penalty presence_penalty max_tokens max_completion_tokens stop seed tools"
        " tool_choice parallel_tool_calls response_format"
    ),
    "oci": _of(
        "stream max_tokens max_completion_tokens temperature tools frequency_penalty presence_penalty seed stop top_p"
        " response_format top_k"
    ),
    "ollama": _of(
        "max_tokens stream top_p temperature seed frequency_penalty stop response_format max_completion_tokens"
        " reasoning_effort"
    ),
    "ollama_chat": _of(
        "max_tokens max_completion_tokens stream top_p temperature seed frequency_penalty stop tools tool_choice"
        " functions response_format reasoning_effort"
    ),
    "openrouter": (*OPENAI, *_REASONING),
    "perplexity": _of(
        "frequency_penalty max_tokens max_completion_tokens presence_penalty response_format stream temperature top_p"
        " max_retries extra_headers"
    ),
    "petals": _of("max_tokens temperature top_p stream"),
    "predibase": _of("stream temperature max_completion_tokens max_tokens top_p stop n response_format"),
    "replicate": _of("stream temperature max_tokens top_p stop seed tools tool_choice functions function_call"),
    "sagemaker": _of("stream temperature max_tokens max_completion_tokens top_p stop n"),
    "sambanova": _of(
        "max_completion_tokens max_tokens response_format stop stream stream_options temperature top_p top_k"
    ),
    "snowflake": _of("temperature max_tokens max_completion_tokens top_p stream tools tool_choice"),
    "text-completion-openai": _TEXT_OPENAI,
    "triton": _of("max_tokens max_completion_tokens"),
    "v0": _of("messages model stream tools tool_choice"),
    "vercel_ai_gateway": (*OPENAI, "extra_body"),
    "vertex_ai": _without(OPENAI, "max_retries"),
    "vertex_ai_anthropic": _ANTHROPIC,
    "vertex_ai_gemini": _VERTEX_GEMINI,
    "vllm": (*OPENAI, *_REASONING),
    "volcengine": (
        *_of("frequency_penalty logit_bias logprobs top_logprobs max_completion_tokens max_tokens n presence_penalty"),
        *_of("seed stop stream stream_options temperature top_p tools tool_choice function_call functions max_retries"),
        *_of("extra_headers thinking"),
    ),
    "voyage": _HUGE,
    "watsonx": _of(
        "temperature max_tokens top_p frequency_penalty stop seed stream tools tool_choice logprobs top_logprobs n"
        " presence_penalty response_format reasoning_effort"
    ),
    "xai": _of(
        "logit_bias logprobs max_completion_tokens max_tokens n parallel_tool_calls presence_penalty response_format"
        " seed stream stream_options temperature tool_choice tools top_logprobs top_p user web_search_options"
    ),
    "zai": _of("max_tokens stream stream_options temperature top_p stop tools tool_choice"),
}
# These take what OpenAI takes.
LIKE_OPENAI = _of(
    "azure_ai bedrock_mantle cloudflare dashscope featherless_ai friendliai galadriel github github_copilot heroku"
    " huggingface lambda_ai libertai litellm_proxy llamafile lm_studio meta_llama nebius novita oobabooga openai_like"
    " ovhcloud qwen_ai_platform qwencloud scaleway together_ai wandb"
)
# Of those, the ones that take `reasoning_effort` for any model.
REASONING_LIKE_OPENAI = _of("bedrock_mantle dashscope qwen_ai_platform qwencloud scaleway")

# Of embeddings, where that is another list than the one for chat; None: litellm names none.
EMBEDDINGS: dict[str, tuple[str, ...] | None] = {
    "azure": _of("dimensions encoding_format user"),
    "codestral": _of("encoding_format"),
    "dashscope": None,
    "friendliai": None,
    "github": None,
    "jina_ai": _of("dimensions"),
    "llamafile": None,
    "mistral": _of("encoding_format"),
    "moonshot": None,
    "nebius": None,
    "openai": _of("dimensions encoding_format user"),
    "snowflake": None,
    "vertex_ai": _of("dimensions"),
}
# Of transcriptions, likewise.
TRANSCRIPTIONS: dict[str, tuple[str, ...] | None] = {
    "azure_ai": None,
    "azure_text": None,
    "clarifai": None,
    "codestral": _of("language temperature timestamp_granularities response_format"),
    "fireworks_ai": None,
    "github": None,
    "hyperbolic": None,
    "jina_ai": None,
    "litellm_proxy": None,
    "llamafile": None,
    "lm_studio": None,
    "mistral": _of("language temperature timestamp_granularities response_format"),
    "moonshot": None,
    "oobabooga": None,
    "snowflake": None,
}
