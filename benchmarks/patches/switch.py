"""Turning somebody's instrumentation on and off between two calls, by nothing but assignments.

Instrumentors put wrappers into classes and modules, or other code into functions. What one has changed is found by
looking before and after, whoever it is; from then on changing it back takes microseconds, leaves every cache as it was,
and is the same for all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

_MISSING = object()

Owner = ModuleType | type
Attributes = dict[tuple[Owner, str], object]
Codes = dict[FunctionType, CodeType]


class Switch:
    """What `instrument` changes in the modules and classes of `libraries`: done when made, then as it is set.

    Args:
        instrument: Instruments them.
        *libraries: Names of packages, imported already.
    """

    def __init__(self, instrument: Callable[[], object], *libraries: str) -> None:
        owners = list(_owners(libraries))  # what is loaded meanwhile was not changed
        attributes, codes = _state(owners)
        instrument()
        attributes_now, codes_now = _state(owners)
        self._attributes = [
            (owner, name, attributes.get((owner, name), _MISSING), value)
            for (owner, name), value in attributes_now.items()
            if attributes.get((owner, name), _MISSING) is not value
            # What a module has only now, it has loaded meanwhile.
            and ((owner, name) in attributes or isinstance(owner, type))
        ]
        # The code of what was there before: a wrapper's own functions stay as they are.
        self._codes = [
            (function, codes[function], code)
            for function, code in codes_now.items()
            if codes.get(function, code) is not code
        ]
        if not (self._attributes or self._codes):
            raise RuntimeError("nothing was instrumented")
        self._is_on = True

    def set(self, turned_on: bool) -> bool:
        """Turn it on or off; whether that was a change."""
        if turned_on == self._is_on:
            return False
        self._is_on = turned_on
        for function, before, after in self._codes:
            function.__code__ = after if turned_on else before
        for owner, name, before, after in self._attributes:
            value = after if turned_on else before
            if value is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
        return True


def _state(owners: list[Owner]) -> tuple[Attributes, Codes]:
    attributes: Attributes = {}
    codes: Codes = {}
    for owner in owners:
        for name, value in list(vars(owner).items()):
            function: Any = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
            if isinstance(function, FunctionType):
                codes[function] = function.__code__
            if callable(function) and not name.startswith("__"):
                attributes[owner, name] = value
    return attributes, codes


def _owners(libraries: tuple[str, ...]) -> Iterator[Owner]:
    found: set[int] = set()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in libraries:
            continue
        yield module
        for value in list(vars(module).values()):
            is_of_theirs = isinstance(value, type) and value.__module__.partition(".")[0] in libraries
            if is_of_theirs and id(value) not in found:
                found.add(id(value))
                yield value
