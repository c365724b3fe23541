"""Calling what a program registered: functions and objects, on this thread."""

from __future__ import annotations

from inspect import iscoroutinefunction
from logging import getLogger

from edgequake_obs.redaction import redacted_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from .observing import Observed

    # A function, an object with litellm's methods, or the name of a service.
    Callback: TypeAlias = Any

_warned: set[object] = set()

# Services by the name that litellm's users register, and what serves them here.
_INSTEAD = {
    "langfuse": "send spans to langfuse's OTLP endpoint, or register a CustomLogger",
    "langfuse_otel": "send spans to langfuse's OTLP endpoint, or register a CustomLogger",
    "arize_phoenix": "send spans to Phoenix' OTLP endpoint, or register a CustomLogger",
    "datadog": "send spans to the agent's OTLP port, or register a CustomLogger",
    "prometheus": "query the ledger, or register a CustomLogger that counts",
}
_ANYTHING = "register a function or a CustomLogger object instead"


def is_served(callback: Callback) -> bool:
    """Whether there is something to call; a name gets its one warning."""
    if not isinstance(callback, str):
        return True
    if callback == "otel":  # spans and metrics, which take no callback
        return False
    if callback not in _warned:
        _warned.add(callback)
        instead = _INSTEAD.get(callback, _ANYTHING)
        getLogger("edgequake_obs").warning("the callback %r is not served: %s", callback, instead)
    return False


def run(observed: Observed, callback: Callable[..., object], *arguments: object) -> None:
    """Call it in the caller's context; what it raises is logged, once for each callback."""
    try:
        observed.context.copy().run(callback, *arguments)
    except BaseException as error:  # the thread is ours: it ends for nobody's SystemExit
        note_raised(callback, error)


def note_raised(callback: object, error: BaseException) -> None:
    """Log it, once for each callback."""
    name = getattr(callback, "__qualname__", None) or type(callback).__qualname__
    if name in _warned:
        return
    _warned.add(name)
    getLogger("edgequake_obs").warning(
        "the callback %s raised %s: %s; the call went on, and this is said once",
        name,
        type(error).__name__,
        redacted_text(str(error)),
    )


def is_asynchronous(callback: Callback) -> bool:
    """Whether calling it gives something to await."""
    return iscoroutinefunction(callback) or iscoroutinefunction(getattr(callback.__class__, "__call__", None))  # noqa: B004 - of objects
