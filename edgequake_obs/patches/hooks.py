"""Putting a handler in the way of somebody else's function, and taking it out again.

Two ways, one for each situation:

- `InPlace` replaces the function's own `__code__`. The function object stays the same object, so whoever took a
  reference earlier (a bound method, a partial, another instrumentor's captured original) comes through us too.
- `Wrapped` puts a wrapt `FunctionWrapper` where the function was found. For places where nobody can hold an earlier
  reference, and for what has no `__code__`.

Both call `handler(original, args, kwargs)`, where `original` does what the function did before and `args` includes
`self`. For a coroutine function the handler must return an awaitable. A handler is called inside the program's call, so
it contains its own failures.
"""

from __future__ import annotations

import sys
from types import CodeType, FunctionType

TYPE_CHECKING = False  # the typing module costs a third of what `import edgequake_obs` may take
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, TypeAlias

    Args: TypeAlias = tuple[Any, ...]
    Kwargs: TypeAlias = dict[str, Any]
    Original: TypeAlias = Callable[..., Any]
    Handler: TypeAlias = Callable[[Original, Args, Kwargs], Any]

    class Hook(Protocol):
        """A handler in the way of one function."""

        def remove(self) -> None:
            """Give the function back as it was found; does nothing the second time."""
            ...


class InPlace:
    """A handler in the way of a function, by replacing the function's code.

    Args:
        function: A plain or coroutine function written in Python.
        handler: What is called instead.

    Raises:
        TypeError: The function is a generator, which has no template yet.
    """

    def __init__(self, function: FunctionType, handler: Handler) -> None:
        if function.__code__.co_flags & _GENERATORS:
            raise TypeError(f"{function.__qualname__} is a generator")
        self._function = function
        self._found = function.__code__
        self._switch = [handler]
        original = _as_found(function)
        self._replacement = _code(function, self._switch, original)
        # Else `inspect` would show the template's parameters and source.
        self._names_original = not ({"__signature__", "__wrapped__"} & function.__dict__.keys())
        if self._names_original:
            function.__dict__["__wrapped__"] = original
        function.__code__ = self._replacement

    def remove(self) -> None:
        # Another tool may have copied the replacement, or put its own in its place: what stays of ours passes through.
        self._switch[0] = _pass_through
        if self._function.__code__ is self._replacement:
            self._function.__code__ = self._found
            if self._names_original:
                self._function.__dict__.pop("__wrapped__", None)
                self._names_original = False


class Wrapped:
    """A handler in the way of an attribute of a class or module, by a wrapt `FunctionWrapper`.

    Args:
        owner: The class or module; the attribute may be inherited.
        name: The attribute's name.
        handler: What is called instead.
    """

    def __init__(self, owner: object, name: str, handler: Handler) -> None:
        from wrapt import FunctionWrapper

        def wrapper(wrapped: Original, instance: object, args: Args, kwargs: Kwargs) -> object:
            if instance is None:
                return self._switch[0](wrapped, args, kwargs)

            # wrapt gives what is bound to the object; the handler gets function and self, as from `InPlace`. Not by
            # `__func__`: another tool's wrapper would hand out the function beneath itself.
            def original(_: object, *args: object, **kwargs: object) -> object:
                return wrapped(*args, **kwargs)

            return self._switch[0](original, (instance, *args), kwargs)

        self._switch = [handler]
        self._owner, self._name = owner, name
        self._own = name in vars(owner)
        self._found: Original = vars(owner)[name] if self._own else getattr(owner, name)
        self._wrapper: object = FunctionWrapper(self._found, wrapper)
        setattr(owner, name, self._wrapper)

    def remove(self) -> None:
        self._switch[0] = _pass_through
        if vars(self._owner).get(self._name) is not self._wrapper:
            return  # somebody has wrapped us: theirs stays
        if self._own:
            setattr(self._owner, self._name, self._found)
        else:
            delattr(self._owner, self._name)


def innermost(function: object) -> FunctionType | None:
    """The Python function beneath other tools' wrappers, or None where there is none."""
    for _ in range(32):  # a wrapper may name itself
        beneath: object = getattr(function, "__wrapped__", None)
        if beneath is None or _is_hooked(function):
            break
        function = beneath
    function = getattr(function, "__func__", function)
    return function if isinstance(function, FunctionType) else None


def _is_hooked(function: object) -> bool:
    """Whether it names as wrapped only what `InPlace` keeps of it."""
    return isinstance(function, FunctionType) and function.__code__.co_filename == _FILE


def _pass_through(original: Original, args: Args, kwargs: Kwargs) -> object:
    return original(*args, **kwargs)


# The code that takes a function's place runs with the *function's* globals, so it can name nothing of ours: what it
# needs stands in its constants, put there by `_code`. It is compiled for each function because it must close over as
# many variables as the function's own code does (CPython 3.11 crashes where `co_freevars` are only written in).
_TEMPLATE = """
def enclosing({variables}):
    {kind} hook(*args, **kwargs):
        switch = {switch!r}
        original = {original!r}
        return {wait} switch[0](original, args, kwargs)
        {variables}
    return hook
"""
_FILE = "<edgequake_obs hook>"
_SWITCH, _ORIGINAL = "edgequake_obs: the switch", "edgequake_obs: the original"
_COROUTINE, _GENERATORS = 0x80, 0x20 | 0x200  # inspect.CO_COROUTINE; CO_GENERATOR | CO_ASYNC_GENERATOR


def _as_found(function: FunctionType) -> FunctionType:
    """Another function that does what this one does."""
    code = function.__code__
    original = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    original.__kwdefaults__ = function.__kwdefaults__
    original.__qualname__ = function.__qualname__
    original.__annotations__ = function.__annotations__
    original.__doc__ = function.__doc__
    return original


def _code(function: FunctionType, switch: list[Handler], original: FunctionType) -> CodeType:
    found = function.__code__
    code = _template(bool(found.co_flags & _COROUTINE), found.co_freevars)
    ours = {_SWITCH: switch, _ORIGINAL: original}
    consts = tuple(ours.get(c, c) if isinstance(c, str) else c for c in code.co_consts)
    if sys.version_info >= (3, 11):
        code = code.replace(co_qualname=found.co_qualname)
    return code.replace(co_consts=consts, co_name=found.co_name)


_templates: dict[tuple[bool, tuple[str, ...]], CodeType] = {}


def _template(is_coroutine: bool, variables: tuple[str, ...]) -> CodeType:
    """The template for functions of a kind that close over these variables; compiling takes 0.1 ms."""
    known = _templates.get((is_coroutine, variables))
    if known is None:
        kind, wait = ("async def", "await") if is_coroutine else ("def", "")
        source = _TEMPLATE.format(
            variables=", ".join(variables), kind=kind, wait=wait, switch=_SWITCH, original=_ORIGINAL
        )
        names: dict[str, Callable[..., FunctionType]] = {}
        exec(compile(source, _FILE, "exec"), names)
        known = _templates[is_coroutine, variables] = names["enclosing"](*variables).__code__
    return known
