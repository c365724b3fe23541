"""`edgequake_obs.context(...)`: labels for the calls made inside, and their sums while it runs."""

from __future__ import annotations

from ._caller import active
from ._native import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextvars import Token
    from decimal import Decimal
    from types import TracebackType
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

_COROUTINE = 0x80  # CO_COROUTINE
_GENERATOR = 0x20 | 0x200  # CO_GENERATOR, CO_ASYNC_GENERATOR


class Run:
    """What the calls made inside a context came to so far, patched calls too."""

    __slots__ = ("_context",)

    def __init__(self, native: Context) -> None:
        self._context = native

    @property
    def cost_usd(self) -> Decimal:
        """USD, exact; calls without a known price are not in it (see `unpriced_calls`)."""
        from decimal import Decimal

        return Decimal(self._context.cost_text)

    @property
    def calls(self) -> int:
        """Finished calls."""
        return self._context.calls

    @property
    def unpriced_calls(self) -> int:
        """Calls with usage that no price is known for."""
        return self._context.unpriced_calls

    @property
    def input_tokens(self) -> int:
        """Tokens in, cached ones included; estimated where a stream reported none."""
        return self._context.input_tokens

    @property
    def output_tokens(self) -> int:
        """Tokens out, reasoning included; estimated where a stream reported none."""
        return self._context.output_tokens

    def __repr__(self) -> str:
        return f"Run(cost_usd={self.cost_usd}, calls={self.calls}, unpriced_calls={self.unpriced_calls})"


class context:
    """Label the calls made inside, and add them up.

    For `with`, `async with`, and as a decorator of functions and coroutine functions. Contexts nest: inner keys win.
    They cross `await`, and threads that copy the context.

    Args:
        user: Who the calls are made for.
        session: Which conversation or job they belong to.
        tags: Names and values to group spend by.
        metadata: Whatever else belongs to the record, as JSON.
        max_cost_usd: Not supported yet.

    Raises:
        ValueError: `max_cost_usd` was given.
        TypeError: `metadata` holds a value without a form in JSON, or a generator function was decorated.
    """

    def __init__(
        self,
        *,
        user: str | None = None,
        session: str | None = None,
        tags: Mapping[str, object] | Sequence[str] | None = None,
        metadata: Mapping[str, object] | None = None,
        max_cost_usd: Decimal | float | None = None,
    ) -> None:
        if max_cost_usd is not None:
            raise ValueError("max_cost_usd is not supported yet: leave it out, and watch run.cost_usd instead")
        self._user = user
        self._session = session
        self._tags = tags
        self._metadata = None if metadata is None else dict(metadata)
        self._native()  # what is wrong is said here, not when the block is entered
        self._entered: list[Token[Context | None]] = []

    def _native(self, parent: Context | None = None) -> Context:
        return Context(user=self._user, session=self._session, tags=self._tags, metadata=self._metadata, parent=parent)

    def __enter__(self) -> Run:
        native = self._native(active.get())
        self._entered.append(active.set(native))
        return Run(native)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        token = self._entered.pop()
        try:  # noqa: SIM105 - contextlib would be a fifth of the package's import time
            active.reset(token)
        except ValueError:
            # Left in another context than it was entered in, as by a generator that is closed elsewhere. There is
            # nothing of ours to take back there.
            pass

    async def __aenter__(self) -> Run:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        from functools import wraps

        flags: int = getattr(getattr(function, "__code__", None), "co_flags", 0)
        if flags & _GENERATOR:
            raise TypeError(
                "a generator function cannot be decorated, its consumer would share the context: use `with` inside it"
            )
        if flags & _COROUTINE:

            @wraps(function)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> object:
                with self._fresh():
                    return await function(*args, **kwargs)  # type: ignore[misc]

            return awaited  # type: ignore[return-value]

        @wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._fresh():
                return function(*args, **kwargs)

        return called

    def _fresh(self) -> context:
        # A decorated function may run many times at once: each run has a stack of its own.
        return context(user=self._user, session=self._session, tags=self._tags, metadata=self._metadata)
