"""Calls of the libraries that are installed, answered in memory: what `doctor` counts the rows of."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .check import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MESSAGES = [{"role": "user", "content": "Is this recorded?"}]
_ANSWER = {
    "id": "doctor",
    "object": "chat.completion",
    "created": 0,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 4, "completion_tokens": 1, "total_tokens": 5},
}


_MESSAGE = {
    "id": "doctor",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "content": [{"type": "text", "text": "yes"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 4, "output_tokens": 1},
}


def checks() -> Iterator[Check]:
    """One call through each library that is there, to nobody, into a ledger that is thrown away."""
    import tempfile

    import edgequake_obs
    from edgequake_obs import _native
    from edgequake_obs.ledger import ensure

    before = _native.ledger_path()
    with tempfile.TemporaryDirectory(prefix="edgequake-obs-doctor-") as folder:
        path = os.path.join(folder, "ledger.duckdb")
        ensure(path)  # else the first call makes it, in a thread that may outlive the folder
        # Nor do its spans go to anybody.
        edgequake_obs.configure(ledger=path, otel="off")
        try:
            for library, call in calls():
                rows = rows_of(call, path)
                if rows == 1:
                    yield Check("self-test", "ok", f"a call through {library} gave one row")
                else:
                    remedy = "report this with the output of `edgequake-obs doctor --format json`"
                    what = rows if isinstance(rows, str) else f"{rows} rows instead of one"
                    yield Check("self-test", "wrong", f"a call through {library}: {what}", remedy)
        finally:
            edgequake_obs.configure(ledger=before or "off", otel=os.environ.get("EDGEQUAKE_OBS_OTEL") or "auto")


def calls() -> Iterator[tuple[str, Callable[[], object]]]:
    """Each library that is installed, and a call of it."""
    if find_spec("openai") is not None:
        yield "openai", _openai
    if find_spec("litellm") is not None:
        yield "litellm", _litellm
    if find_spec("anthropic") is not None:
        yield "anthropic", _anthropic


def _openai() -> object:
    import openai  # pyright: ignore[reportMissingImports]

    sdk: Any = openai
    library = _httpx_of(sdk)
    with _answering(library, _ANSWER) as client:
        made = sdk.OpenAI(api_key="none", base_url="http://doctor.invalid/v1", http_client=client)
        return made.chat.completions.create(model="gpt-4o-mini", messages=_MESSAGES)


def _anthropic() -> object:
    import anthropic  # pyright: ignore[reportMissingImports]

    sdk: Any = anthropic
    library = _httpx_of(sdk)
    with _answering(library, _MESSAGE) as client:
        made = sdk.Anthropic(api_key="none", base_url="http://doctor.invalid", http_client=client)
        return made.messages.create(model="claude-haiku-4-5", max_tokens=8, messages=_MESSAGES)


def _answering(library: Any, body: object) -> Any:
    """An HTTP client that asks nobody."""

    def answer(_: object) -> object:
        return library.Response(200, json=body)

    return library.Client(transport=library.MockTransport(answer))


def _httpx_of(sdk: Any) -> Any:
    """What the SDK sends with: httpx2 since openai 3, before that httpx."""
    library: Any = sys.modules.get("httpx2") or sys.modules["httpx"]
    return library if issubclass(sdk.DefaultHttpxClient, library.Client) else sys.modules["httpx"]


def _litellm() -> object:
    import litellm  # pyright: ignore[reportMissingImports]

    made: Any = litellm
    return made.completion("gpt-4o-mini", messages=_MESSAGES, mock_response="yes")


def rows_of(call: Callable[[], object], ledger: str) -> int | str:
    """How many records a call makes, or what it raised."""
    from edgequake_obs import _native

    spool = Path(ledger).with_suffix(".spool")

    def recorded() -> int:
        _native.flush(5.0)
        files = spool.glob(f"*.v{_native.SPOOL_SCHEMA}.jsonl")
        return sum(line.startswith(b"{") for file in files for line in file.read_bytes().splitlines())

    before = recorded()
    try:
        call()
    except Exception as error:
        return f"it raised {type(error).__name__}: {error}"
    return recorded() - before
