"""Observability and exact cost of LLM calls, inside the program that makes them.

Three ways in: `import edgequake_obs as litellm` (our own client, with litellm's names), `edgequake_obs.instrument()`
(the program's own calls through other libraries), and one record of each call in a local DuckDB ledger.
"""

from __future__ import annotations

from . import (
    _interpreter,  # noqa: F401  # pyright: ignore[reportUnusedImport] -- it refuses what cannot work
    _process,
)
from ._context import Run, context
from ._native import (
    ChatCompletionDeltaToolCall,
    ChatCompletionMessageToolCall,
    ChatCompletionTokenLogprob,
    ChoiceLogprobs,
    Choices,
    CompletionTokensDetailsWrapper,
    Delta,
    Embedding,
    EmbeddingResponse,
    Function,
    Message,
    ModelResponse,
    ModelResponseStream,
    PromptTokensDetailsWrapper,
    StreamingChoices,
    TextChoices,
    TextCompletionResponse,
    TopLogprob,
    Usage,
    __version__,
)
from ._process import aflush, configure, flush, stats
from .calls import acompletion, aembedding, completion, embedding, stream
from .chunks import stream_chunk_builder
from .exceptions import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    AuthenticationError,
    BadGatewayError,
    BadRequestError,
    BudgetExceededError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    ImageFetchError,
    InternalServerError,
    InvalidRequestError,
    JSONSchemaValidationError,
    LiteLLMUnknownProvider,
    MidStreamFallbackError,
    NotFoundError,
    OpenAIError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
    Timeout,
    UnprocessableEntityError,
    UnsupportedParamsError,
)
from .model_names import get_llm_provider
from .patches import instrument, uninstrument
from .streaming import CustomStreamWrapper
from .tokens import decode, encode, token_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .recording import patch as patch
    from .recording import record as record

# litellm's globals: defaults of every call that does not say otherwise. None: not set.
api_key: str | None = None
api_base: str | None = None
api_version: str | None = None
organization: str | None = None
request_timeout: float | None = None
num_retries: int | None = None
# TLS: False trusts anybody; a path is the authorities' PEM file or folder. True is the environment's.
ssl_verify: bool | str = True
# A client's certificate with its key: the path of a PEM file.
ssl_certificate: str | tuple[str, str] | None = None
drop_params: bool = False
modify_params: bool = False
# Sent with every request; a call's own `extra_headers` win.
headers: dict[str, str] | None = None
# Names of the program's own for models.
model_alias_map: dict[str, str] = {}
# Of one provider each, before the variables; any other has the same form: `<provider>_key`.
openai_key: str | None = None
azure_key: str | None = None
anthropic_key: str | None = None
groq_key: str | None = None
gemini_key: str | None = None
openrouter_key: str | None = None
huggingface_key: str | None = None
togetherai_api_key: str | None = None
callbacks: list[object] = []
success_callback: list[object] = []
failure_callback: list[object] = []
input_callback: list[object] = []
turn_off_message_logging: bool = False
# litellm's, read by nothing here: a program that sets them need not be changed.
set_verbose: bool = False
suppress_debug_info: bool = False
telemetry: bool = False

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "AuthenticationError",
    "BadGatewayError",
    "BadRequestError",
    "BudgetExceededError",
    "ChatCompletionDeltaToolCall",
    "ChatCompletionMessageToolCall",
    "ChatCompletionTokenLogprob",
    "ChoiceLogprobs",
    "Choices",
    "CompletionTokensDetailsWrapper",
    "ContentPolicyViolationError",
    "ContextWindowExceededError",
    "CustomStreamWrapper",
    "Delta",
    "Embedding",
    "EmbeddingResponse",
    "Function",
    "ImageFetchError",
    "InternalServerError",
    "InvalidRequestError",
    "JSONSchemaValidationError",
    "LiteLLMUnknownProvider",
    "Message",
    "MidStreamFallbackError",
    "ModelResponse",
    "ModelResponseStream",
    "NotFoundError",
    "OpenAIError",
    "PermissionDeniedError",
    "PromptTokensDetailsWrapper",
    "RateLimitError",
    "Run",
    "ServiceUnavailableError",
    "StreamingChoices",
    "TextChoices",
    "TextCompletionResponse",
    "Timeout",
    "TopLogprob",
    "UnprocessableEntityError",
    "UnsupportedParamsError",
    "Usage",
    "__version__",
    "acompletion",
    "aembedding",
    "aflush",
    "completion",
    "configure",
    "context",
    "decode",
    "embedding",
    "encode",
    "flush",
    "get_llm_provider",
    "instrument",
    "stats",
    "stream",
    "stream_chunk_builder",
    "token_counter",
    "uninstrument",
]

_process.start()


# What is imported when it is used, by the module that has it; most of it is litellm's about costs and models.
_LATER = {
    "HttpxBinaryResponseContent": "_native",
    "ImageObject": "_native",
    "ImageResponse": "_native",
    "ModerationCreateResponse": "_native",
    "RerankResponse": "_native",
    "ResponsesAPIResponse": "_native",
    "TranscriptionResponse": "_native",
    "acompletion_with_retries": "retrying",
    "aimage_edit": "images",
    "aimage_generation": "images",
    "aimage_variation": "images",
    "amoderation": "judging",
    "arerank": "judging",
    "aresponses": "responding",
    "aspeech": "audio",
    "atext_completion": "text_completions",
    "atranscription": "audio",
    "batch_completion": "batches",
    "batch_completion_models": "batches",
    "batch_completion_models_all_responses": "batches",
    "check_valid_key": "environment",
    "completion_cost": "costs",
    "completion_with_retries": "retrying",
    "cost_per_token": "costs",
    "get_api_base": "api_bases",
    "get_max_tokens": "models",
    "get_model_info": "models",
    "get_supported_openai_params": "supported_params",
    "get_valid_models": "environment",
    "image_edit": "images",
    "image_generation": "images",
    "image_variation": "images",
    "mock_completion": "mocks",
    "model_cost": "models",
    "model_list": "models",
    "models_by_provider": "models",
    "moderation": "judging",
    "patch": "recording",
    "record": "recording",
    "register_model": "models",
    "rerank": "judging",
    "responses": "responding",
    "speech": "audio",
    "text_completion": "text_completions",
    "transcription": "audio",
    "trim_messages": "trimming",
    "validate_environment": "environment",
}


def __getattr__(name: str) -> Any:  # modules, functions, mappings
    # Imported when used: neither the ledger's queries nor the price functions are needed to record.
    module = "models" if name.startswith("supports_") else _LATER.get(name)
    if module is not None or name in ("integrations", "ledger", "pricing", "types", "utils"):
        from importlib import import_module

        found = import_module(f"{__name__}.{module or name}")
        return getattr(found, name) if module else found
    from .not_served import remedy

    instead = remedy(name)
    why = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(why if instead is None else f"{why}: {instead}")
