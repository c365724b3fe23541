"""What concerns the process as a whole: settings, flush, the first call, the exit."""

from __future__ import annotations

import sys

from . import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike
    from threading import Thread

_AT_EXIT = 2.0  # seconds: the longest that the end of a program may wait for the disk

_FOR_THE_DISK = 0.5  # seconds of these, whatever callbacks take

_FORK_WAITS = 1.0  # seconds

is_first_call = True
_maker: Thread | None = None
_is_importing = False


def start() -> None:
    """Arrange for the end of the process, once, at import."""
    import atexit
    import os

    atexit.register(_shutdown)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork, after_in_child=_in_child)
    _flush_with_multiprocessing()


def first_call() -> None:
    """Make the ledger's file where there is none, in the background: a ledger that nobody read yet can be opened."""
    global is_first_call  # noqa: PLW0603 - a flag that every call looks at
    is_first_call = False
    _warn_of_settings()
    if not _native.enabled():
        return
    from os import environ

    if "EDGEQUAKE_OBS_PRICES" in environ:
        _say(_native.take_price_problem())
    path = _native.ledger_path()
    if path is None:
        warn()
        return
    from os.path import exists

    if not exists(path):
        global _maker  # noqa: PLW0603 - a fork waits for it
        from threading import Thread

        _maker = Thread(target=_make_ledger, args=(path,), name="edgequake-ledger")
        _maker.start()


def _warn_of_settings() -> None:
    # litellm's globals that are not ours: they stand in the package where the program set them, and only there.
    from .not_served import settings_among

    for sentence in settings_among(vars(sys.modules["edgequake_obs"])):
        _say(sentence)


def warn() -> None:
    """Log what the user should know and has not been told."""
    _say(_native.take_warning())


def _say(warning: str | None) -> None:
    if warning is not None:
        from logging import getLogger

        getLogger("edgequake_obs").warning("%s", warning)


def _shutdown() -> None:
    from time import monotonic

    _native.abandon_open_calls()
    deadline = monotonic() + _AT_EXIT
    _flush_callbacks(deadline)
    _native.flush(max(deadline - monotonic(), _FOR_THE_DISK))
    _native.flush_otlp(max(deadline - monotonic(), 0.0))
    warn()


def _flush_callbacks(deadline: float) -> bool:
    worker = sys.modules.get("edgequake_obs._callbacks.worker")
    return worker is None or worker.flush(deadline)


def _make_ledger(path: str) -> None:
    try:
        from .ledger import ensure

        ensure(path)
    except Exception as error:  # whoever opens the ledger first makes it, and is told what is wrong
        _native.note_internal_error("first creation of the ledger", error)


def _before_fork() -> None:
    global _is_importing  # noqa: PLW0603 - for the child
    # A child that is forked in the middle of an import waits for it for ever.
    wait_for_maker()
    _wait_for_imports()
    _is_importing = _maker is not None and _maker.is_alive()


def wait_for_maker() -> None:
    """Before a fork: let the ledger be made first, where that is under way, for a second at most."""
    if _maker is not None and _maker.is_alive():  # and not about to be started
        _maker.join(_FORK_WAITS)


def _wait_for_imports() -> None:
    # The same of calls that other threads make for the first time. Python has no public word for who imports what;
    # where its table is another one day, nothing is waited for.
    from importlib import _bootstrap  # type: ignore[attr-defined]
    from threading import get_ident
    from time import monotonic, sleep

    table: dict[str, Callable[[], object]] = getattr(_bootstrap, "_module_locks", {})
    deadline, own = monotonic() + _FORK_WAITS, get_ident()
    while monotonic() < deadline:
        locks = [lock() for name, lock in list(table.items()) if name.startswith("edgequake_obs")]
        if all(getattr(lock, "owner", None) in (None, own) for lock in locks):
            return
        sleep(0.001)


def _in_child() -> None:
    global is_first_call  # noqa: PLW0603 - as above
    # Where the parent's thread was not done, its half-made import cannot be used here: whoever reads makes the ledger.
    is_first_call = not _is_importing
    worker = sys.modules.get("edgequake_obs._callbacks.worker")
    if worker is not None:
        worker.in_child()
    spans = sys.modules.get("edgequake_obs._otel.spans")
    if spans is not None:
        spans.in_child()
    _flush_with_multiprocessing()


def _flush_with_multiprocessing() -> None:
    # multiprocessing's children end by `os._exit`, after its own finalizers only. Those are cleared when a forked child
    # begins, and what is registered for after the fork runs then.
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(_shutdown, _finalize)
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            _finalize(None)


def _finalize(_: object) -> None:
    from multiprocessing.util import Finalize

    Finalize(None, _shutdown, exitpriority=-100)


def configure(
    ledger: str | PathLike[str] | None = None,
    otel: str | None = None,
    prices: str | PathLike[str] | Mapping[str, object] | None = None,
    capture_content: bool | str | None = None,
    redact: Sequence[str] | Callable[[str], str] | None = None,
    service_name: str | None = None,
) -> None:
    """Set what the environment would set otherwise; what is given here wins, None leaves as it is.

    Args:
        ledger: Path of the `.duckdb` file, or `"off"`.
        otel: Who emits spans and metrics: `"auto"` (the program's own OpenTelemetry where it has set that up, else this
            package where an OTLP endpoint is configured), `"python"` (only the former), `"native"` (only the latter),
            `"off"`; or the URL of an OTLP endpoint, as `OTEL_EXPORTER_OTLP_ENDPOINT` would give it.
        prices: Further prices, aliases and discounts, laid over the shipped prices: the path of a price file, or its
            content as a dict. It stands in the place of the file that `EDGEQUAKE_OBS_PRICES` names.
        capture_content: Whether prompts and answers are recorded, after redaction: `True`, `False`, or one of
            OpenTelemetry's values (`"NO_CONTENT"`, `"SPAN_ONLY"`, `"EVENT_ONLY"`, `"SPAN_AND_EVENT"`). They go into the
            ledger's column `content`, and onto spans, into events, or both.
        redact: What further text must not leave the process: regular expressions, whose matches are masked, or a
            function from text to text. It runs on a thread of its own before a record is written and a callback is
            told, and on the caller's before an exception is raised. A text that it fails on is withheld. Credentials
            are masked before, whatever is given here; an empty list takes the program's own redaction back.
        service_name: Recorded with each call.

    Raises:
        ValueError: `otel` is neither a mode nor a URL, `capture_content` no value of OpenTelemetry's, `redact` holds a
            pattern that is none, or `prices` are none; nothing is changed then.
    """
    if capture_content is not None:
        capture_content = str(capture_content)
        if not _native.is_capture_setting(capture_content):
            raise ValueError(
                "capture_content must be True, False, 'NO_CONTENT', 'SPAN_ONLY', 'EVENT_ONLY' or 'SPAN_AND_EVENT', "
                f"not {capture_content!r}"
            )
    if otel is not None and not _native.is_otel_setting(otel):
        raise ValueError(f"otel must be 'auto', 'python', 'native', 'off', or an http URL, not {otel!r}")
    from os import fspath

    if redact is not None:
        from .redaction import use

        use(redact)
    if prices is not None:
        _use_prices(prices)
    if ledger is None and service_name is None and otel is None and capture_content is None:
        return
    global is_first_call  # noqa: PLW0603 - the new ledger may not exist yet
    is_first_call = True
    _native.configure(
        ledger=None if ledger is None else fspath(ledger),
        service_name=service_name,
        otel=otel,
        capture_content=capture_content,
    )


def _use_prices(prices: str | PathLike[str] | Mapping[str, object]) -> None:
    from os import PathLike, fspath

    if isinstance(prices, (str, PathLike)):
        _native.configure_prices(path=fspath(prices))
        return
    from json import dumps

    # Decimals as texts, which the price file takes for numbers.
    _native.configure_prices(content=dumps(prices, default=str))


def flush(timeout: float = 2.0) -> bool:
    """Wait until every call finished before is in the spool and at the collector, and its callbacks have run.

    Args:
        timeout: Seconds to wait at most.

    Returns:
        Whether it all is. Where the disk or the collector refused, the reason is logged.
    """
    from time import monotonic

    deadline = monotonic() + timeout
    told = _flush_callbacks(deadline)
    written = _native.flush(max(deadline - monotonic(), 0.0))
    exported = _native.flush_otlp(max(deadline - monotonic(), 0.0))
    warn()
    return written and exported and told


async def aflush(timeout: float = 2.0) -> bool:
    """Wait for `flush` without blocking the event loop."""
    from asyncio import get_running_loop

    return await get_running_loop().run_in_executor(None, flush, timeout)


def stats() -> dict[str, object]:
    """What became of this process's records: recorded, written, dropped (and why), queued bytes, hooked libraries.

    `otlp`: the same of exported spans; None where nothing is exported.
    """
    from .patches import hooked

    return {**_native.stats(), "hooked": hooked()}
