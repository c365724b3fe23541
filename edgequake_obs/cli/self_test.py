"""Calls of the libraries that are installed, answered in memory: what `doctor` counts the rows of."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


def calls() -> Iterator[tuple[str, Callable[[], object]]]:
    """Each library that is installed, and a call of it."""
    if find_spec("openai") is not None:
        yield "openai", _openai
    if find_spec("litellm") is not None:
        yield "litellm", _litellm


def _openai() -> object:
    import openai  # pyright: ignore[reportMissingImports]

    # openai 3 runs on httpx2, before that on httpx.
    library: Any = sys.modules.get("httpx2") or sys.modules["httpx"]
    if not issubclass(openai.DefaultHttpxClient, library.Client):
        library = sys.modules["httpx"]

    def answer(_: object) -> object:
        return library.Response(200, json=_ANSWER)

    transport = library.MockTransport(answer)
    with library.Client(transport=transport) as client:
        made: Any = openai.OpenAI(api_key="none", base_url="http://doctor.invalid/v1", http_client=client)
        return made.chat.completions.create(model="gpt-4o-mini", messages=_MESSAGES)


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
