"""The patched call that is being made in this context, from its start to its return."""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token

    from edgequake_obs._native import Call, StreamTap


class Frame:
    """One patched call under way.

    Attributes:
        call: The native call; None once its outcome is known, and for a call inside another one, which owns the record.
        tap: The native end of the answer, if that is a stream.
        streaming: The program gets a stream.
        asynchronous: The program awaits.
        hide_usage: We asked for the usage, not the program.
        options: What is sent instead of the program's options where we did.
        retrying: An attempt has failed and another will follow.
        active: False once the call has returned. A task that was started inside the call still sees it afterwards.
    """

    __slots__ = ("active", "asynchronous", "call", "hide_usage", "options", "retrying", "streaming", "tap")

    def __init__(self, call: Call | None, streaming: bool, asynchronous: bool) -> None:
        self.call = call
        self.tap: StreamTap | None = None
        self.streaming = streaming
        self.asynchronous = asynchronous
        self.hide_usage = False
        self.options: object = None
        self.retrying = False
        self.active = True


current: ContextVar[Frame | None] = ContextVar("edgequake_obs_frame", default=None)


def leave(frame: Frame, token: Token[Frame | None]) -> None:
    """End what `current.set(frame)` began. It does not raise: a coroutine may be closed in a context not its own."""
    frame.active = False
    try:
        current.reset(token)
    except ValueError:
        if current.get() is frame:
            current.set(None)
