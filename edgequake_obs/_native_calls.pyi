"""`_native`'s ways to make a call, by endpoint."""

from collections.abc import Mapping
from typing import Literal, overload

from ._native import Caller, ChunkStream, EventLoop, Pending, Tries
from ._native_answers import (
    EmbeddingResponse,
    HttpxBinaryResponseContent,
    ImageResponse,
    ModelResponse,
    ModerationCreateResponse,
    RerankResponse,
    ResponsesAPIResponse,
    TextCompletionResponse,
    TranscriptionResponse,
)

@overload
def call_sync(
    op: Literal["chat"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    tries: Tries | None = None,
) -> ModelResponse | ChunkStream: ...
@overload
def call_sync(
    op: Literal["text_completion"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> TextCompletionResponse | ChunkStream: ...
@overload
def call_sync(
    op: Literal["embeddings"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> EmbeddingResponse: ...
@overload
def call_sync(
    op: Literal["responses"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> ResponsesAPIResponse | ChunkStream: ...
@overload
def call_sync(
    op: Literal["transcription"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> TranscriptionResponse | ChunkStream: ...
@overload
def call_sync(
    op: Literal["speech"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> HttpxBinaryResponseContent: ...
@overload
def call_sync(
    op: Literal["rerank"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> RerankResponse: ...
@overload
def call_sync(
    op: Literal["moderation"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> ModerationCreateResponse: ...
@overload
def call_sync(
    op: Literal["image_generation", "image_edit", "image_variation"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> ImageResponse: ...
@overload
def call_async(
    op: Literal["chat"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
    tries: Tries | None = None,
) -> Pending[ModelResponse | ChunkStream]: ...
@overload
def call_async(
    op: Literal["text_completion"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[TextCompletionResponse | ChunkStream]: ...
@overload
def call_async(
    op: Literal["embeddings"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[EmbeddingResponse]: ...
@overload
def call_async(
    op: Literal["responses"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[ResponsesAPIResponse | ChunkStream]: ...
@overload
def call_async(
    op: Literal["transcription"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[TranscriptionResponse | ChunkStream]: ...
@overload
def call_async(
    op: Literal["speech"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[HttpxBinaryResponseContent]: ...
@overload
def call_async(
    op: Literal["rerank"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[RerankResponse]: ...
@overload
def call_async(
    op: Literal["moderation"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[ModerationCreateResponse]: ...
@overload
def call_async(
    op: Literal["image_generation", "image_edit", "image_variation"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[ImageResponse]: ...
