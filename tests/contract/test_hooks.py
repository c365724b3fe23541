"""The two ways to put a handler in the way of a function."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import pytest
import wrapt

from edgequake_obs.patches import hooks


def test_another_tool_that_replaced_the_code_after_us() -> None:
    """As Datadog's tracer does. Ours stays beneath and passes through once it is off."""
    calls: list[str] = []

    def function(a: int, *, b: int = 2) -> int:
        return a + b

    def ours(original: Any, args: Any, kwargs: Any) -> Any:
        calls.append("ours")
        return original(*args, **kwargs)

    def theirs(original: Any, args: Any, kwargs: Any) -> Any:
        calls.append("theirs")
        return original(*args, **kwargs)

    first = hooks.InPlace(function, ours)
    second = hooks.InPlace(function, theirs)
    assert (function(1), calls) == (3, ["theirs", "ours"])
    first.remove()
    calls.clear()
    assert (function(1, b=5), calls) == (6, ["theirs"])
    second.remove()
    assert (function(1), calls) == (3, ["theirs"])


def test_function_that_closes_over_variables() -> None:
    def made(x: int, y: int) -> Any:
        class Base:
            def method(self, z: int) -> int:
                return z

        class Derived(Base):
            def method(self, z: int, *, w: int = 1) -> int:
                return super().method(z) + x + y + w

            async def amethod(self, z: int) -> int:
                return super().method(z) + x

        return Derived

    derived = made(1, 2)
    seen: list[object] = []

    def handler(original: Any, args: Any, kwargs: Any) -> Any:
        sys._getframe(1).f_locals  # noqa: B018 - a debugger reads them
        seen.append(original.__name__)
        return original(*args, **kwargs)

    installed = [hooks.InPlace(vars(derived)[name], handler) for name in ("method", "amethod")]
    for _ in range(50):  # past the interpreter's specialising
        assert derived().method(4) == 8
        coroutine = derived().amethod(4)
        with pytest.raises(StopIteration) as stopped:
            coroutine.send(None)
        assert stopped.value.value == 5
    assert set(seen) == {"method", "amethod"}
    for hook in installed:
        hook.remove()
    assert derived().method(4) == 8
    assert len(seen) == 100


def test_generators_are_refused() -> None:
    def generator() -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match="generator"):
        hooks.InPlace(generator, lambda original, args, kwargs: original(*args, **kwargs))


class Thing:
    def method(self, a: int) -> int:
        return a + 1


class Inherits(Thing):
    pass


def test_wrapping_a_method_and_giving_it_back() -> None:
    seen: list[tuple[str, int]] = []

    def handler(original: Any, args: Any, kwargs: Any) -> Any:
        seen.append((type(args[0]).__name__, args[1]))
        return original(*args, **kwargs)

    own = hooks.Wrapped(Thing, "method", handler)
    inherited = hooks.Wrapped(Inherits, "method", handler)
    assert Thing().method(1) == 2
    assert Inherits().method(2) == 3
    assert seen == [("Thing", 1), ("Inherits", 2), ("Inherits", 2)]
    inherited.remove()
    own.remove()
    own.remove()
    assert "method" not in vars(Inherits)
    assert isinstance(vars(Thing)["method"], FunctionType)


def test_wrapping_a_function_that_another_tool_wraps_after_us() -> None:
    module: Any = types.ModuleType("module")
    module.function = lambda a: a
    hook = hooks.Wrapped(module, "function", lambda original, args, kwargs: original(*args, **kwargs) * 10)
    wrapt.wrap_function_wrapper(module, "function", lambda wrapped, _, args, kwargs: wrapped(*args, **kwargs) + 1)
    assert module.function(2) == 21
    hook.remove()
    assert module.function(2) == 3
