"""`completion_with_retries` and its twin: litellm's names for a call that is tried again."""

from __future__ import annotations

from .calls import acompletion, completion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._native import ModelResponse
    from .streaming import CustomStreamWrapper

    Reply = ModelResponse | CustomStreamWrapper

_RETRIES = 3  # litellm's


def completion_with_retries(*args: Any, **params: Any) -> Reply:  # as completion's
    """As `completion`, tried again up to three times, or `num_retries` times, where another attempt can mend it."""
    return completion(*args, **_with_retries(params))


async def acompletion_with_retries(*args: Any, **params: Any) -> Reply:
    """As `completion_with_retries`, awaited."""
    return await acompletion(*args, **_with_retries(params))


def _with_retries(params: dict[str, Any]) -> dict[str, Any]:
    # Waits double from attempt to attempt, whichever strategy was meant.
    params.pop("retry_strategy", None)
    return {"num_retries": _RETRIES, **params}
