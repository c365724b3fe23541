"""What hooks of other libraries, and `record()`, tell `_native` of calls."""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from typing_extensions import Self

from ._native import Caller

class Call:
    """A call that somebody else's client makes. Every ending is idempotent: the first one wins."""

    @property
    def call_uid(self) -> str: ...
    @property
    def span(self) -> int: ...
    def attempt(self) -> None: ...
    def attempt_failed(self, status: int | None, error_type: str | None, request_id: str | None = None) -> None: ...
    def answered(self, status: int, headers: object, body: bytes) -> None: ...
    def failed(
        self,
        error_type: str,
        message: str,
        status: int | None = None,
        body: bytes | None = None,
        headers: object = None,
    ) -> None: ...
    def cancelled(self) -> None: ...
    def tap(self, status: int, headers: object, hide_usage: bool) -> StreamTap: ...

class Service:
    """Who answers a client of somebody else's SDK, and what all calls from that client have in common."""

    def __init__(
        self,
        *,
        origin: str,
        origin_version: str | None,
        base_url: str,
        server_address: str | None,
        provider: str | None = None,
    ) -> None: ...
    @property
    def provider(self) -> str: ...
    @property
    def server_address(self) -> str | None: ...

class Fetched:
    """In the place of a call: hears what a program fetches later of other calls, and makes their records."""

    def answered(self, status: int, headers: object, body: bytes) -> None: ...
    def feed(self, data: bytes) -> bytes: ...
    def eof(self) -> bytes: ...
    def closed(self) -> None: ...
    def attempt(self) -> None: ...
    def attempt_failed(self, status: int | None, error_type: str | None, request_id: str | None = None) -> None: ...
    def failed(
        self,
        error_type: str,
        message: str,
        status: int | None = None,
        body: bytes | None = None,
        headers: object = None,
    ) -> None: ...
    def cancelled(self) -> None: ...

class Frame:
    """One patched call under way.

    Attributes:
        call: The native call; None once its outcome is known, and for a call inside another one, which owns the record.
        tap: The native end of the answer, if that is a stream.
        streaming: The program gets a stream.
        asynchronous: The program awaits.
        hide_usage: We asked for the usage, not the program.
        options: What is sent instead of the program's options, where that is something else.
        retrying: An attempt has failed and another will follow.
        within: The library's call that this one is a part of.
        span: The ticket of its span in the program's own OpenTelemetry; 0: there is none.
        active: False once the call has returned. A task that was started inside the call still sees it afterwards.
    """

    call: Call | Part | Fetched | None
    tap: StreamTap | None
    streaming: bool
    asynchronous: bool
    hide_usage: bool
    options: Any
    retrying: bool
    within: Frame | None
    span: int
    active: bool

    def __new__(cls, call: Call | Part | Fetched | None, streaming: bool, asynchronous: bool) -> Self: ...

class SdkHooks:
    """The handlers of an SDK's `request` and `_process_response`; what is rare is left to functions of `module`."""

    def __init__(self, module: ModuleType) -> None: ...
    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any], asynchronous: bool) -> Frame | None: ...
    def request(self, original: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]) -> object: ...
    def process_response(
        self, original: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> object: ...

class LibraryCall:
    """A call made through a library whose transports are hooked too; it owns the record."""

    def __init__(self, call: Call) -> None: ...
    @property
    def call_uid(self) -> str: ...
    def part(
        self, surface: str, provider: str, model: str | None, server_address: str | None, api_key: str | None = None
    ) -> Part: ...
    def serves(self, surface: str, provider: str, model: str | None) -> None: ...
    def told(
        self, response_id: str | None, model: str | None, finish_reasons: list[str], usage: str | None
    ) -> None: ...
    def unsent(self, cached: bool) -> None: ...
    def chunk(self) -> None: ...
    def completed(self) -> None: ...
    def closed_early(self) -> None: ...
    def abandoned(self) -> None: ...
    def cancelled(self) -> None: ...
    def failed(self, error_type: str, message: str, status: int | None) -> None: ...

class Part:
    """One HTTP call of a transport beneath a library; it tells, and ends nothing."""

    def carried(self) -> list[tuple[str, str]]: ...
    def attempt(self) -> None: ...
    def attempt_failed(self, status: int | None, error_type: str | None, request_id: str | None = None) -> None: ...
    def answered(self, status: int, headers: object, body: bytes) -> None: ...
    def failed(
        self,
        error_type: str,
        message: str,
        status: int | None = None,
        body: bytes | None = None,
        headers: object = None,
    ) -> None: ...
    def cancelled(self) -> None: ...
    def tap(self, status: int, headers: object, hide_usage: bool) -> StreamTap: ...

class StreamTap:
    """Where the bytes of somebody else's stream pass by."""

    def feed(self, data: bytes) -> bytes | tuple[bytes, bytes]: ...
    def eof(self) -> bytes: ...
    def settle(self) -> None: ...
    def closed(self) -> None: ...
    def failed(self, error_type: str, message: str) -> None: ...

def begin_call(
    *,
    origin: str,
    origin_version: str | None,
    provider: str,
    operation: str,
    server_address: str | None,
    model: str | None,
    streaming: bool,
    params: Mapping[str, object] | None,
    caller: Caller | None,
    api_key: str | None = None,
    headers: Sequence[object] | None = None,
    asynchronous: bool = False,
) -> Call: ...
