"""Recording by hand: calls of libraries that we do not know, and costs of services that are no models."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from functools import partial
from uuid import UUID

from . import _native
from ._caller import current as caller
from .patches import hooks
from .patches.failure import error_type_of, message_of
from .patches.frame import Frame, current, leave

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import TracebackType

    from typing_extensions import Self

    from .patches.hooks import Args, Hook, Kwargs, Original

    Usage = Mapping[str, object]
    Amount = Decimal | str | int | float


def record(
    *,
    provider: str,
    operation: str = "chat",
    model: str | None = None,
    usage: Usage | None = None,
    cost_usd: Amount | None = None,
    started_at: datetime | None = None,
    duration: float | None = None,
    response_model: str | None = None,
    response_id: str | None = None,
    server_address: str | None = None,
    error: BaseException | str | None = None,
    http_status: int | None = None,
    user: str | None = None,
    tags: Mapping[str, str] | list[str] | None = None,
    metadata: Mapping[str, object] | None = None,
    call_uid: UUID | None = None,
) -> UUID:
    """Record a call that was made without us. The context around it applies, as to any call.

    Args:
        provider: litellm's id of it (`openai`, `bedrock`, ...), or a name of your own.
        operation: `chat`, `embeddings`, ... by the semantic conventions, or a name of your own, such as `search`.
        model: As it was asked for.
        usage: The provider's own usage object; priced if provider and model are known.
        cost_usd: What it cost, in USD, where you know; it wins over the price table. A float is taken by its digits.
        started_at: When; naive is UTC. None: `duration` before now.
        duration: Seconds.
        response_model: The model that answered.
        response_id: The provider's id of the answer.
        server_address: The host.
        error: Why it failed, if it did.
        http_status: Of the answer.
        user: Whom it was made for.
        tags: As in `context`.
        metadata: As in `context`.
        call_uid: The id of the record: recording the same id again adds nothing. None: a new one.

    Returns:
        The id of the record.

    Raises:
        ValueError: `cost_usd` is no amount, or `duration` is negative.
        TypeError: `usage` or `metadata` have no JSON form.
    """
    seconds = 0.0 if duration is None else duration
    if seconds < 0:
        raise ValueError(f"duration must be seconds from 0, not {duration}")
    lasted = round(seconds * 1e9)
    params: dict[str, object] = {}
    if user is not None:
        params["user"] = user
    if tags is not None or metadata is not None:
        params["metadata"] = {**(metadata or {}), **({} if tags is None else {"tags": tags})}
    failed = isinstance(error, BaseException)
    uid = _native.record_told(
        origin="record",
        origin_version=None,
        provider=provider,
        operation=operation,
        model=model,
        response_model=response_model,
        response_id=response_id,
        server_address=server_address,
        params=params or None,
        caller=caller(),
        uid=None if call_uid is None else call_uid.bytes,
        start_ns=time.time_ns() - lasted if started_at is None else _nanoseconds(started_at),
        duration_ns=lasted,
        usage=None if usage is None else json.dumps(usage),
        body=None,
        cost_usd=None if cost_usd is None else format(Decimal(str(cost_usd)), "f"),
        batch=False,
        http_status=http_status,
        error_type=error_type_of(error) if isinstance(error, BaseException) else error,
        error_message=message_of(error) if failed else error,  # type: ignore[arg-type]
    )
    return UUID(uid)


def _nanoseconds(moment: datetime) -> int:
    from datetime import datetime, timedelta, timezone

    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1) * 1000


class Patched:
    """A function whose calls are recorded, until `remove()` or the end of the `with`."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook

    def remove(self) -> None:
        """Give the function back as it was found."""
        self._hook.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def patch(
    target: str | Callable[..., object],
    *,
    provider: str,
    operation: str,
    model: str | Callable[..., str | None] | None = None,
    usage: Callable[[object], Usage | None] | None = None,
    cost_usd: Amount | Callable[[object], Amount | None] | None = None,
) -> Patched:
    """Record each call of a function that we do not know: of a library, or of the program's own.

    Calls that it makes through libraries which are hooked too are parts of it and make no records of their own.

    Args:
        target: The function, or where it is: `"package.module:function"`, `"package.module:Class.method"`.
        provider: As in `record`.
        operation: As in `record`.
        model: Its name, or a function of the call's arguments that gives it. None: the argument `model`, if any.
        usage: From what the function returned to the provider's usage object; None where there is none.
        cost_usd: What each call costs, in USD, or a function of what was returned that gives it.

    Returns:
        What takes the hook away again: `remove()`, or a `with`.

    Raises:
        ValueError: There is no such function.
        TypeError: It is a generator.
    """
    teller = partial(_tell, provider, operation, model, usage, cost_usd)

    def handler(original: Original, args: Args, kwargs: Kwargs) -> object:
        with _Timed(teller, args, kwargs) as timed:
            timed.answer = original(*args, **kwargs)
        return timed.answer

    async def ahandler(original: Original, args: Args, kwargs: Kwargs) -> object:
        with _Timed(teller, args, kwargs) as timed:
            timed.answer = await original(*args, **kwargs)
        return timed.answer

    function, owner, name = _found(target)
    python = hooks.innermost(function)
    if python is not None:
        is_coroutine = bool(python.__code__.co_flags & 0x80)  # inspect.CO_COROUTINE
        return Patched(hooks.InPlace(python, ahandler if is_coroutine else handler))
    if owner is None:
        raise ValueError(f"{target!r} is not written in Python: say where it is, as 'package.module:name'")
    return Patched(hooks.Wrapped(owner, name, handler))


def _found(target: str | Callable[..., object]) -> tuple[object, object | None, str]:
    if not isinstance(target, str):
        return target, None, ""
    from importlib import import_module

    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    try:
        owner: object = import_module(module)
        for part in owners:
            owner = getattr(owner, part)
        return getattr(owner, name), owner, name
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"there is no function {target!r} ({error}): write it as 'package.module:Class.name'"
        ) from None


class _Timed:
    """The time that a call takes, and its record at the end."""

    def __init__(self, tell: Callable[..., None], args: Args, kwargs: Kwargs) -> None:
        self._tell, self._args, self._kwargs = tell, args, kwargs
        self.answer: object = None

    def __enter__(self) -> _Timed:
        outer = current.get()
        # A call within another one that is recorded is a part of that.
        self._frame = None if outer is not None and outer.active else Frame(None, False, False)
        if self._frame is not None:
            self._token = current.set(self._frame)
        self._wall, self._began = time.time_ns(), time.perf_counter_ns()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        lasted = time.perf_counter_ns() - self._began
        if self._frame is None:
            return
        leave(self._frame, self._token, None)
        try:
            self._tell(self._args, self._kwargs, self.answer, error, self._wall, lasted)
        except Exception as internal:
            _native.note_internal_error("patch", internal)


def _tell(
    provider: str,
    operation: str,
    model: str | Callable[..., str | None] | None,
    usage: Callable[[object], Usage | None] | None,
    cost_usd: Amount | Callable[[object], Amount | None] | None,
    args: Args,
    kwargs: Kwargs,
    answer: object,
    error: BaseException | None,
    wall: int,
    lasted: int,
) -> None:
    named = model(*args, **kwargs) if callable(model) else model or kwargs.get("model")
    counted = usage(answer) if usage is not None and error is None else None
    cost = (cost_usd(answer) if error is None else None) if callable(cost_usd) else cost_usd
    _native.record_told(
        origin="record",
        origin_version=None,
        provider=provider,
        operation=operation,
        model=named if isinstance(named, str) else None,
        response_model=None,
        response_id=None,
        server_address=None,
        params=None,
        caller=caller(),
        uid=None,
        start_ns=wall,
        duration_ns=lasted,
        usage=None if counted is None else json.dumps(counted),
        body=None,
        cost_usd=None if cost is None or error is not None else format(Decimal(str(cost)), "f"),
        batch=False,
        http_status=None,
        error_type=None if error is None else error_type_of(error),
        error_message=None if error is None else message_of(error),
    )
