from collections.abc import Sequence
from typing import Literal, TypeVar, overload

from ._native import EmbeddingResponse, ModelResponse, Pending
from .streaming import CustomStreamWrapper

_A = TypeVar("_A")

_globals: dict[str, object]

async def _reply(pending: Pending[_A]) -> _A: ...
@overload
def completion(
    model: str, messages: Sequence[object] = ..., *, stream: Literal[False] | None = ..., **params: object
) -> ModelResponse: ...
@overload
def completion(
    model: str, messages: Sequence[object] = ..., *, stream: Literal[True], **params: object
) -> CustomStreamWrapper: ...
@overload
def completion(
    model: str, messages: Sequence[object] = ..., *, stream: bool | None, **params: object
) -> ModelResponse | CustomStreamWrapper: ...
@overload
async def acompletion(
    model: str, messages: Sequence[object] = ..., *, stream: Literal[False] | None = ..., **params: object
) -> ModelResponse: ...
@overload
async def acompletion(
    model: str, messages: Sequence[object] = ..., *, stream: Literal[True], **params: object
) -> CustomStreamWrapper: ...
@overload
async def acompletion(
    model: str, messages: Sequence[object] = ..., *, stream: bool | None, **params: object
) -> ModelResponse | CustomStreamWrapper: ...
def embedding(model: str, input: str | Sequence[object] = ..., **params: object) -> EmbeddingResponse: ...
async def aembedding(model: str, input: str | Sequence[object] = ..., **params: object) -> EmbeddingResponse: ...
def stream(model: str, messages: Sequence[object] = ..., **params: object) -> CustomStreamWrapper: ...
