"""`fallbacks=` and `context_window_fallback_dict=`: other models to ask where one fails, as litellm asks them.

All of it is one call with one record: each model asked is an attempt of it.
"""

from __future__ import annotations

from ._native import Tries
from .exceptions import ContextWindowExceededError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from ._native import ModelResponse
    from .streaming import CustomStreamWrapper

    Reply = TypeVar("Reply", bound=ModelResponse | CustomStreamWrapper)
    Params = dict[str, object]


def asks_for_fallbacks(params: Mapping[str, object]) -> bool:
    """Whether a call names other models for when its own fails."""
    return bool(params.get("fallbacks") or params.get("context_window_fallback_dict"))


def with_fallbacks(
    ask: Callable[..., Reply], model: str, messages: Sequence[object], params: Mapping[str, object]
) -> Reply:
    """The first answer that one of the models gives.

    Args:
        ask: Asks one of them.
        model: The first to ask.
        messages: The conversation.
        params: Of the call, with `fallbacks` (names of models, or dicts of parameters with a `model`), or with
            `context_window_fallback_dict`, which names a model for one whose context is too short.

    Raises:
        Exception: None of the models gave an answer; of this class, as in litellm.
    """
    last: Exception | None = None
    tries = Tries()
    try:
        for asked, changed in _models(model, params):
            try:
                return ask(asked, messages, changed, tries)
            except Exception as error:
                last = error
                longer = _longer(asked, params, error)
                if longer is not None:
                    return ask(longer, messages, changed, tries)
                if not params.get("fallbacks"):
                    raise
    finally:
        tries.end()
    raise _all_failed(last) from last


async def awith_fallbacks(
    ask: Callable[..., Awaitable[Reply]], model: str, messages: Sequence[object], params: Mapping[str, object]
) -> Reply:
    """As `with_fallbacks`, without blocking the event loop."""
    last: Exception | None = None
    tries = Tries()
    try:
        for asked, changed in _models(model, params):
            try:
                return await ask(asked, messages, changed, tries)
            except Exception as error:
                last = error
                longer = _longer(asked, params, error)
                if longer is not None:
                    return await ask(longer, messages, changed, tries)
                if not params.get("fallbacks"):
                    raise
    finally:
        tries.end()
    raise _all_failed(last) from last


def _models(model: str, params: Mapping[str, object]) -> Iterator[tuple[str, Params]]:
    own = {name: value for name, value in params.items() if name not in ("fallbacks", "context_window_fallback_dict")}
    yield model, own
    others = params.get("fallbacks") or ()
    if not isinstance(others, (list, tuple)):
        raise TypeError("fallbacks must be a list of models, or of dicts of parameters with a model")
    for other in others:  # pyright: ignore[reportUnknownVariableType]
        if isinstance(other, dict):
            changed: Params = {**own, **other}
            yield str(changed.pop("model", model)), changed
        else:
            yield str(other), own  # pyright: ignore[reportUnknownArgumentType]


def _longer(model: str, params: Mapping[str, object], error: Exception) -> str | None:
    """The model with the longer context that the program named for this one."""
    named = params.get("context_window_fallback_dict")
    if not isinstance(error, ContextWindowExceededError) or not isinstance(named, dict):
        return None
    table: dict[str, str] = named  # type: ignore[assignment]
    return table.get(model)


def _all_failed(last: Exception | None) -> Exception:
    return Exception(f"{last}. All fallback attempts failed.")
