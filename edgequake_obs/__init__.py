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
    TopLogprob,
    Usage,
    __version__,
)
from ._process import aflush, configure, flush, stats
from .calls import acompletion, aembedding, completion, embedding
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
    InternalServerError,
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

# litellm's globals: defaults of every call that does not say otherwise. None: not set.
api_key: str | None = None
api_base: str | None = None
api_version: str | None = None
organization: str | None = None
request_timeout: float | None = None
num_retries: int | None = None

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
    "InternalServerError",
    "Message",
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
    "embedding",
    "flush",
    "get_llm_provider",
    "instrument",
    "stats",
    "uninstrument",
]

_process.start()


def __getattr__(name: str) -> object:
    # Imported when used: neither the ledger's queries nor the price functions are needed to record.
    if name in ("ledger", "pricing"):
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
