"""Reading along with a response's body while the program reads it.

A tee stands in for the byte stream of an httpx response (openai before 3) or an httpx2 one. It hands each piece to a
reader, which is native for a stream of events, and gives the program what the reader returns. It does nothing of its
own accord: it reads when the program reads, and closes when the program closes.
"""

from __future__ import annotations

import sys

from edgequake_obs import _native
from edgequake_obs.patches.failure import error_type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from typing import Protocol

    class Reader(Protocol):
        """What a tee feeds: `_native.StreamTap`, or `Collected`."""

        def feed(self, data: bytes) -> bytes | tuple[bytes, bytes]: ...
        def eof(self) -> bytes: ...
        def closed(self) -> None: ...
        def failed(self, error_type: str, message: str) -> None: ...

    class Decoder(Protocol):
        """httpx's returns bytes, httpx2's iterates over them."""

        def decode(self, data: bytes) -> bytes | Iterator[bytes]: ...
        def flush(self) -> bytes | Iterator[bytes]: ...

    class SyncStream(Protocol):
        def __iter__(self) -> Iterator[bytes]: ...
        def close(self) -> None: ...

    class AsyncStream(Protocol):
        def __aiter__(self) -> AsyncIterator[bytes]: ...
        async def aclose(self) -> None: ...

    class Response(Protocol):
        """What we use of httpx's and httpx2's Response."""

        stream: object
        _content: bytes
        _decoder: object

        @property
        def status_code(self) -> int: ...
        @property
        def headers(self) -> Mapping[str, str]: ...
        def _get_content_decoder(self) -> Decoder: ...


_KEEP = 16 << 20  # bytes of a body that is no stream; of a longer one its end, where the usage stands
_KEEP_END = 256 << 10


def attach(response: Response, reader: Reader, asynchronous: bool) -> None:
    """Let `reader` read along with what the program will read of `response`.

    Raises:
        LookupError: The response is neither httpx's nor httpx2's.
    """
    content: bytes | None = getattr(response, "_content", None)
    if content is not None:  # read already: a mocked transport, or a response that was not to be streamed
        fed = reader.feed(content)
        seen = (b"".join(fed) if isinstance(fed, tuple) else fed) + reader.eof()
        if seen != content:
            response._content = seen  # pyright: ignore[reportPrivateUsage]
        return
    library = _library(response)
    decoder = response._get_content_decoder()  # pyright: ignore[reportPrivateUsage]
    identity = library.identity
    if isinstance(decoder, identity):
        decoder = None
    else:
        response._decoder = identity()  # pyright: ignore[reportPrivateUsage]
    tee = library.asynchronous if asynchronous else library.synchronous
    response.stream = tee(response.stream, reader, decoder)


class Collected:
    """The reader of a body that the program reads piece by piece though it is no stream of events."""

    def __init__(self, call: _native.Call | _native.Part, response: Response) -> None:
        self._call = call
        self._status = response.status_code
        self._headers = response.headers
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> bytes:
        self._pieces.append(data)
        self._size += len(data)
        if self._size > _KEEP:
            self._pieces = [b"".join(self._pieces)[-_KEEP_END:]]
            self._size = _KEEP_END
        return data

    def eof(self) -> bytes:
        self._call.answered(self._status, self._headers, b"".join(self._pieces))
        return b""

    def closed(self) -> None:
        self._call.tap(self._status, self._headers, False).closed()

    def failed(self, error_type: str, message: str) -> None:
        self._call.failed(error_type, message, self._status)


class _Progress:
    """How far a reader has come, and how its reading ends: once."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.ended = False

    def parts(self, before: bytes, last: bytes) -> Iterator[bytes]:
        """The last event, apart from what came in one piece with it.

        The SDK stops at the last event and never asks for the end of the body. In one piece, a program that left at the
        content before looks the same as one that has read everything; who asks for the last event has had the rest.
        """
        if before:
            yield before
        rest = self.eof()
        yield last + rest

    def eof(self) -> bytes:
        if self.ended:
            return b""
        self.ended = True
        try:
            return self.reader.eof()
        except Exception as error:
            _native.note_internal_error("stream end", error)
            return b""

    def failed(self, error: BaseException) -> None:
        if not isinstance(error, Exception):
            self.closed()  # a task's cancellation, Ctrl-C: the program left, the stream did not fail
            return
        if self.ended:
            return
        self.ended = True
        try:
            self.reader.failed(error_type_of(error), str(error) or type(error).__name__)
        except Exception as internal:
            _native.note_internal_error("stream failure", internal)

    def closed(self) -> None:
        if self.ended:
            return
        self.ended = True
        try:
            self.reader.closed()
        except Exception as error:
            _native.note_internal_error("stream close", error)


class _Tee:
    def __init__(self, stream: object, reader: Reader, decoder: Decoder | None) -> None:
        self._stream = stream
        self._decoder = decoder
        self._progress = _Progress(reader)

    def __getattr__(self, name: str) -> object:
        # Who looks at the stream itself (httpx2 for `elapsed`, a test for its transport's fields) finds the real one.
        if name == "_stream":
            raise AttributeError(name)
        return getattr(self._stream, name)


class _SyncTee(_Tee):
    _stream: SyncStream

    def __iter__(self) -> Iterator[bytes]:
        progress = self._progress
        feed = progress.reader.feed
        source = iter(self._stream if self._decoder is None else _decoded(self._stream, self._decoder))
        try:
            for piece in source:
                try:
                    data = feed(piece)
                except Exception as error:
                    _native.note_internal_error("stream", error)
                    data = piece
                if isinstance(data, tuple):
                    yield from progress.parts(*data)
                    break
                if data:
                    yield data
            yield from source
        except GeneratorExit:
            raise  # the program left; `close` follows, or nothing does
        except BaseException as error:
            progress.failed(error)
            raise
        rest = progress.eof()
        if rest:
            yield rest

    def close(self) -> None:
        self._progress.closed()
        self._stream.close()


class _AsyncTee(_Tee):
    _stream: AsyncStream

    # openai 3 reads a second time after the last event, while the first reading rests there.
    async def __aiter__(self) -> AsyncIterator[bytes]:
        progress = self._progress
        feed = _unread if progress.ended else progress.reader.feed
        source = (self._stream if self._decoder is None else _adecoded(self._stream, self._decoder)).__aiter__()
        advance = source.__anext__
        try:
            while True:
                # Not around the `yield`: what is raised there was thrown in by whoever closes this generator, which an
                # event loop that ends does with a cancellation.
                try:
                    piece = await advance()
                except StopAsyncIteration:
                    break
                except GeneratorExit:
                    raise  # the program left; `aclose` follows, or nothing does
                except BaseException as error:
                    progress.failed(error)
                    raise
                try:
                    data = feed(piece)
                except Exception as error:
                    _native.note_internal_error("stream", error)
                    data = piece
                if isinstance(data, tuple):
                    for part in progress.parts(*data):
                        yield part
                    feed = _unread
                elif data:
                    yield data
        finally:
            # As httpx2 does: an asynchronous generator that is only dropped would be closed later, by the event loop.
            aclose = getattr(source, "aclose", None)
            if aclose is not None:
                await aclose()
        rest = progress.eof()
        if rest:
            yield rest

    async def aclose(self) -> None:
        self._progress.closed()
        await self._stream.aclose()


def _unread(data: bytes) -> bytes:
    return data  # comes after the end of the record


def _decoded(stream: SyncStream, decoder: Decoder) -> Iterator[bytes]:
    for data in stream:
        yield from _pieces(decoder.decode(data))
    yield from _pieces(decoder.flush())


async def _adecoded(stream: AsyncStream, decoder: Decoder) -> AsyncIterator[bytes]:
    async for data in stream:
        for piece in _pieces(decoder.decode(data)):
            yield piece
    for piece in _pieces(decoder.flush()):
        yield piece


def _pieces(decoded: bytes | Iterator[bytes]) -> Iterator[bytes]:
    return iter((decoded,)) if isinstance(decoded, bytes) else decoded


class _Library:
    """httpx or httpx2."""

    def __init__(self, name: str) -> None:
        module = sys.modules[name]
        self.identity: type = sys.modules[f"{name}._decoders"].IdentityDecoder
        self.synchronous: type[_SyncTee] = type("SyncTee", (_SyncTee, module.SyncByteStream), {})
        self.asynchronous: type[_AsyncTee] = type("AsyncTee", (_AsyncTee, module.AsyncByteStream), {})


_libraries: dict[type, _Library] = {}


def _library(response: Response) -> _Library:
    kind = type(response)
    found = _libraries.get(kind)
    if found is None:
        roots = [base.__module__.partition(".")[0] for base in kind.__mro__]
        name = next((root for root in roots if root in ("httpx", "httpx2")), None)
        if name is None:
            raise LookupError(f"a response of {kind.__module__}")
        found = _libraries[kind] = _Library(name)
    return found
