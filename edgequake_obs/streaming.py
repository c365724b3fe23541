"""The answer to `stream=True`: litellm's `CustomStreamWrapper`, for `for` and for `async for`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from types import TracebackType

    from ._native import ChunkStream, ModelResponseStream


class CustomStreamWrapper:
    """Chunks as they arrive.

    Leaving it early (`break`, `close()`, the end of a `with` block) closes the connection; the call is recorded with
    what was received.
    """

    __slots__ = ("__weakref__", "_batch", "_chunks", "_stream")

    def __init__(self, stream: ChunkStream) -> None:
        self._stream = stream
        self._batch: list[ModelResponseStream] = []  # what an `async for` has yet to give out
        self._chunks: AsyncGenerator[ModelResponseStream] | None = None

    @property
    def model(self) -> str | None:
        """The model asked for."""
        return self._stream.model

    @property
    def custom_llm_provider(self) -> str:
        """litellm's id of the provider."""
        return self._stream.provider

    @property
    def _hidden_params(self) -> dict[str, object]:
        """litellm's: `response_cost` (USD, once the stream is over), provider, headers."""
        return self._stream.hidden_params

    def __iter__(self) -> Iterator[ModelResponseStream]:
        return self._stream

    def __next__(self) -> ModelResponseStream:
        return next(self._stream)

    def __aiter__(self) -> AsyncGenerator[ModelResponseStream]:
        # One generator for all loops over this stream: a second `async for` goes on where the first one left.
        if self._chunks is None:
            self._chunks = _arriving(self._stream, self._batch)
        return self._chunks

    async def __anext__(self) -> ModelResponseStream:
        return await self.__aiter__().__anext__()

    def close(self) -> None:
        """Leave the stream."""
        self._batch.clear()
        self._stream.close()

    async def aclose(self) -> None:
        """Leave the stream."""
        self.close()

    def __enter__(self) -> CustomStreamWrapper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> CustomStreamWrapper:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


async def _arriving(stream: ChunkStream, batch: list[ModelResponseStream]) -> AsyncGenerator[ModelResponseStream]:
    from ._event_loops import bridge

    while (arrived := stream.batch()) is not None:
        if arrived:
            batch.extend(arrived)
            for chunk in batch:  # which `close()` empties
                yield chunk
            batch.clear()
            continue
        arrival = stream.arrival(bridge())
        if arrival is not None:
            try:
                await arrival
            except BaseException:  # the task was cancelled
                stream.close()
                raise
