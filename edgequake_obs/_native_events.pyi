"""What `_native` tells callbacks and spans of calls."""

from collections.abc import Callable
from typing import TypedDict

from opentelemetry.util.types import AnyValue

from ._native_answers import EmbeddingResponse, ModelResponse, ModelResponseStream

class Facts(TypedDict):
    """What a call's record says, for its callbacks."""

    call_uid: str
    outcome: str
    provider: str
    model: str | None
    response_id: str | None
    streaming: bool
    start_ns: int
    duration_ns: int
    time_to_first_chunk_ns: int | None
    cost: float | None
    input_tokens: int | None
    output_tokens: int | None
    usage: str | None
    session: str | None
    trace_id: str
    headers: dict[str, str]

class OverCall:
    """A call that is over, as its callbacks see it."""

    def facts(self) -> Facts: ...
    def answer(self) -> ModelResponse | EmbeddingResponse | dict[str, object] | str | None: ...
    def chunks(self) -> list[ModelResponseStream | dict[str, object]]: ...
    def exception(self) -> Exception | None: ...

class EndedCall:
    """A call that is over, as its span and its metrics see it."""

    def span(
        self,
    ) -> tuple[
        dict[str, str | int | float | bool | tuple[str, ...]],
        list[tuple[str, int, dict[str, str | int | float]]],
        bool,
        str | None,
        int,
    ]: ...
    def measurements(self) -> list[tuple[int, float, dict[str, str | int]]]: ...
    def event(self) -> tuple[dict[str, AnyValue], int, int, int] | None: ...
    @property
    def measured(self) -> bool: ...
    @property
    def logged(self) -> bool: ...

class UnredactedRecord:
    """A call whose record waits for the program's own redactor."""

    def leave(self, redact: Callable[[str], str], redact_json: Callable[[str], str]) -> None: ...

def take_events(most: int) -> list[tuple[str, int, object]]: ...
def events_descriptor() -> int | None: ...
def events_so_far() -> int: ...
