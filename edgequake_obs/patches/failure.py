"""What an exception of somebody else's client is called in the record: as our own client calls the same thing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from edgequake_obs.patches.tee import Response

# By the names of an exception's classes: nothing is imported to ask, and httpx and httpx2 have the same ones.
_NAMES = {
    "APITimeoutError": "timeout",
    "TimeoutException": "timeout",
    "APIConnectionError": "connection_error",
    "TransportError": "connection_error",
}


def error_type_of(error: BaseException) -> str:
    """`cancelled`, `timeout`, `connection_error`, or the exception's own name."""
    if not isinstance(error, Exception):
        return "cancelled"  # a task's cancellation, Ctrl-C, a coroutine that was closed
    for kind in type(error).__mro__:
        if kind.__name__ in _NAMES:
            return _NAMES[kind.__name__]
    return type(error).__name__


def message_of(error: BaseException) -> str:
    """What the exception says; of one that says nothing ("Connection error.") what its cause says too."""
    cause = error.__cause__
    return str(error) if cause is None else f"{error} ({type(cause).__name__}: {cause})"


def error_type_of_status(response: Response) -> str:
    """The provider's code for an error status, where it gave one that has been read; else the status."""
    import json

    content: bytes | None = getattr(response, "_content", None)
    try:
        error: object = json.loads(content or b"null")["error"]
        for name in ("code", "type"):
            if isinstance(error, dict) and isinstance(code := error.get(name), str) and not code.isdigit():  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
                return code
    except (ValueError, TypeError, LookupError):
        pass
    return str(response.status_code)
