"""Headers that tell a provider of its request's trace, and the requests of litellm's own HTTP clients with them."""

from __future__ import annotations

from edgequake_obs import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgequake_obs.patches.hooks import Args, Kwargs

# Of `post`, of both flavours: self, url, data, json, params, headers.
_HEADERS = 5


def added(
    carried: list[tuple[str, str]], own: Mapping[str, object], *others: Mapping[str, object]
) -> dict[str, object]:
    """A request's own headers and those that tell of its trace; what it or `others` have set stays."""
    taken = {name.lower() for given in (own, *others) for name in given}
    return {**own, **{name: value for name, value in carried if name.lower() not in taken}}


def carrying(part: _native.Part, args: Args, kwargs: Kwargs) -> tuple[Args, Kwargs]:
    """Add the headers to a request, where the program asks for that; what is set already stays.

    Args:
        part: The request under way.
        args: Of `HTTPHandler.post`, or of `AsyncHTTPHandler.post`.
        kwargs: As above.

    Returns:
        What to call it with instead.
    """
    try:
        carried = part.carried()
        if not carried:
            return args, kwargs
        given: Mapping[str, str] = (args[_HEADERS] if len(args) > _HEADERS else kwargs.get("headers")) or {}
        headers = added(carried, given)
        if len(args) > _HEADERS:
            return (*args[:_HEADERS], headers, *args[_HEADERS + 1 :]), kwargs
        return args, {**kwargs, "headers": headers}
    except Exception as error:
        _native.note_internal_error("litellm headers", error)
        return args, kwargs
