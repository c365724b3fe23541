"""The one thread that runs callbacks. It waits on a descriptor that native threads write to, never inside native code,
so that an interpreter may end while it waits."""

from __future__ import annotations

from threading import Condition, Thread, current_thread
from time import monotonic, sleep

from edgequake_obs import _native

from . import awaiting

_AT_ONCE = 64  # events taken before the thread looks whether it shall go on

_progress = Condition()
_done = 0

# Whoever waits for the first event wakes up this much later: a busy program is interrupted 200 times a second at most.
_GATHERING_SECONDS = 0.005


class State:
    """The thread of this process."""

    is_running = False
    thread: Thread | None = None


def start() -> None:
    """Have the thread run; without effect where it does."""
    with _progress:
        if State.is_running:
            return
        descriptor = _native.events_descriptor()
        if descriptor is None:
            return
        State.thread = Thread(target=_run, args=(descriptor,), name="edgequake-callbacks", daemon=True)
        State.thread.start()
        State.is_running = True


def in_child() -> None:
    """After a fork: the thread, its lock and its work are the parent's."""
    global _progress, _done  # noqa: PLW0603 - one for the process
    from edgequake_obs.redaction import Program

    from .observing import open_calls

    awaiting.in_child()
    _progress = Condition()
    _done = 0
    State.is_running, State.thread = False, None
    open_calls.clear()
    if Program.redact is not None:
        start()


def flush(deadline: float) -> bool:
    """Wait until the callbacks of everything that happened before have run.

    Args:
        deadline: On the monotonic clock, in seconds.

    Returns:
        Whether they have. False at once on the callbacks' own thread.
    """
    if State.thread is None:
        return True
    if current_thread() is State.thread:
        return False
    due = _native.events_so_far()
    with _progress:
        while _done < due:
            left = deadline - monotonic()
            if left <= 0 or not _progress.wait(left):
                return False
    return awaiting.finish(deadline)


def _run(descriptor: int) -> None:
    global _done  # noqa: PLW0603 - as above
    from select import POLLIN, poll

    from .telling import tell

    waiting = poll()
    waiting.register(descriptor, POLLIN)
    while True:
        events = _native.take_events(_AT_ONCE)
        for kind, ticket, content in events:
            try:
                tell(kind, ticket, content)
            except BaseException as error:  # SystemExit of a callback too: the next call is told of all the same
                _contained(error)
            with _progress:
                _done += 1
                _progress.notify_all()
        if not events:
            waiting.poll()
            sleep(_GATHERING_SECONDS)


def _contained(error: BaseException) -> None:
    try:
        _native.note_internal_error("callbacks", error)
    except Exception:  # raised for tests of ours; on this thread nobody would see it
        from logging import getLogger

        getLogger("edgequake_obs").exception("callbacks")
