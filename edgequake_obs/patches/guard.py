"""Noticing the end of a stream that a library gave its caller, whatever object that is, without changing its type.

The methods that give the next item are hooked once in the stream's class; what is known of one stream lies in its own
`__dict__`, as a guard whose end is noticed with the stream's.
"""

from __future__ import annotations

from functools import lru_cache

from edgequake_obs import _native
from edgequake_obs.patches import hooks
from edgequake_obs.patches.frame import current, leave

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from contextvars import Token

    from edgequake_obs._native import Frame
    from edgequake_obs.patches.hooks import Args, Hook, Kwargs, Original
    from edgequake_obs.patches.library import LibraryFrame

_PLACE = "_edgequake_obs_guard"
_hooked: dict[type, list[Hook]] = {}


class Guard:
    """What a stream's end ends.

    Attributes:
        frame: The call.
        routes: The stream may make further calls of its own when one fails, which belong to this one.
    """

    def __init__(self, frame: LibraryFrame, routes: bool) -> None:
        self.frame = frame
        self.routes = routes
        self.read = False
        self.busy = False
        self.ended = False

    def enter(self) -> Token[Frame | None] | None:
        """The next item is about to be made; for that the stream may have to make a call."""
        self.busy = True
        if self.frame.sent and not self.routes:
            return None  # the one call has been made
        self.frame.active = True
        return current.set(self.frame)

    def leave(self, token: Token[Frame | None] | None) -> None:
        """The item is there, or the stream is over."""
        self.busy = False
        if token is None:
            return
        leave(self.frame, token, None)

    def item(self) -> None:
        self.read = True
        if self.frame.tap is None:
            self.frame.library_call.chunk()

    def end(self, how: str) -> None:
        if self.ended:
            return
        self.ended = True
        try:
            if self.frame.tap is not None:
                self.frame.tap.settle()
            getattr(self.frame.library_call, how)()
        except Exception as error:
            _native.note_internal_error("stream end", error)

    def raised(self, error: BaseException) -> None:
        if self.ended:
            return
        self.ended = True
        if isinstance(error, Exception):
            self.frame.raised(error)
            return
        self.ended = False
        self.end("closed_early")  # a task's cancellation, Ctrl-C: the program left

    def left(self) -> None:
        self.end("closed_early" if self.read else "abandoned")

    def __del__(self) -> None:
        self.left()


def watch(stream: object, frame: LibraryFrame, routes: bool = False) -> object:
    """Note how `stream` ends; gives the stream, or one of the same type that passes its items on."""
    guard = Guard(frame, routes)
    kind = type(stream).__name__
    if kind == "generator":
        return _passed(stream, guard)  # type: ignore[arg-type]
    if kind == "async_generator":
        return _apassed(stream, guard)  # type: ignore[arg-type]
    owner = type(stream)
    if owner not in _hooked:
        _hooked[owner] = _hook(owner)
    stream.__dict__[_PLACE] = guard
    return stream


def release() -> None:
    """Give every class of streams its methods back."""
    for taken in _hooked.values():
        for hook in taken:
            hook.remove()
    _hooked.clear()


# A pydantic class takes microseconds to say that it has no such attribute.
@lru_cache(maxsize=256)
def is_stream(kind: type[object]) -> bool:
    """Whether answers of this class are read item by item."""
    return hasattr(kind, "__anext__") or hasattr(kind, "__next__")


@lru_cache(maxsize=256)
def is_coroutine(kind: type[object]) -> bool:
    """Whether answers of this class are to be awaited."""
    return hasattr(kind, "cr_await")


def _hook(owner: type) -> list[Hook]:
    taken: list[Hook] = []
    handlers = {"__next__": _next, "__anext__": _anext, "close": _close, "aclose": _aclose}
    for name, handler in handlers.items():
        # The class that has the method may be another stream's base, hooked already.
        home = next((base for base in owner.__mro__ if name in vars(base)), None)
        if home is None or (home is not owner and home in _hooked):
            continue
        function = hooks.innermost(vars(home)[name])
        if function is not None:
            taken.append(hooks.InPlace(function, handler))
    return taken


def _guard_of(args: Args) -> Guard | None:
    guard: Guard | None = args[0].__dict__.get(_PLACE)
    # Within one of its methods a stream may use others of them.
    return None if guard is None or guard.busy or guard.ended else guard


def _next(original: Original, args: Args, kwargs: Kwargs) -> object:
    guard = _guard_of(args)
    if guard is None:
        return original(*args, **kwargs)
    token = guard.enter()
    try:
        item = original(*args, **kwargs)
    except StopIteration:
        guard.end("completed")
        raise
    except BaseException as error:
        guard.raised(error)
        raise
    finally:
        guard.leave(token)
    guard.item()
    return item


async def _anext(original: Original, args: Args, kwargs: Kwargs) -> object:
    guard = _guard_of(args)
    if guard is None:
        return await original(*args, **kwargs)
    token = guard.enter()
    try:
        item = await original(*args, **kwargs)
    except StopAsyncIteration:
        guard.end("completed")
        raise
    except BaseException as error:
        guard.raised(error)
        raise
    finally:
        guard.leave(token)
    guard.item()
    return item


def _close(original: Original, args: Args, kwargs: Kwargs) -> object:
    guard = _guard_of(args)
    if guard is not None:
        guard.left()
    return original(*args, **kwargs)


async def _aclose(original: Original, args: Args, kwargs: Kwargs) -> object:
    guard = _guard_of(args)
    if guard is not None:
        guard.left()
    return await original(*args, **kwargs)


def _passed(stream: Generator[object, object, object], guard: Guard) -> Generator[object, object, object]:
    try:
        for item in stream:
            guard.item()
            yield item
    except GeneratorExit:
        guard.left()
        stream.close()
        raise
    except BaseException as error:
        guard.raised(error)
        raise
    guard.end("completed")
    return None


async def _apassed(stream: AsyncGenerator[object, object], guard: Guard) -> AsyncGenerator[object, object]:
    try:
        async for item in stream:
            guard.item()
            yield item
    except GeneratorExit:
        guard.left()
        await stream.aclose()
        raise
    except BaseException as error:
        guard.raised(error)
        raise
    guard.end("completed")
