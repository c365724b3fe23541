"""`litellm.utils`, by the name that programs import it under: what of it is ours, from the modules that have it."""

from __future__ import annotations

from ._native import (
    ChatCompletionDeltaToolCall,
    ChatCompletionMessageToolCall,
    Choices,
    Delta,
    Embedding,
    EmbeddingResponse,
    Function,
    Message,
    ModelResponse,
    ModelResponseStream,
    StreamingChoices,
    Usage,
)
from .api_bases import get_api_base
from .environment import check_valid_key, get_valid_models, validate_environment
from .model_names import get_llm_provider
from .models import get_max_tokens, get_model_info, register_model
from .streaming import CustomStreamWrapper
from .supported_params import get_supported_openai_params
from .tokens import decode, encode, token_counter
from .trimming import trim_messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "ChatCompletionDeltaToolCall",
    "ChatCompletionMessageToolCall",
    "Choices",
    "CustomStreamWrapper",
    "Delta",
    "Embedding",
    "EmbeddingResponse",
    "Function",
    "Message",
    "ModelResponse",
    "ModelResponseStream",
    "StreamingChoices",
    "Usage",
    "check_valid_key",
    "decode",
    "encode",
    "get_api_base",
    "get_llm_provider",
    "get_max_tokens",
    "get_model_info",
    "get_supported_openai_params",
    "get_valid_models",
    "register_model",
    "token_counter",
    "trim_messages",
    "validate_environment",
]


def __getattr__(name: str) -> Any:
    if name.startswith("supports_"):
        from . import models

        return getattr(models, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
