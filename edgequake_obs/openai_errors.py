"""openai's hierarchy of exceptions, without openai.

litellm's exceptions are subclasses of openai's. These classes stand in for those until the program itself imports
openai; from then on each is a subclass of the class it is named after, and so is everything below it.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_PACKAGE = "openai"


class _Root(Exception):
    # Bases can only be given to a class whose own first base is a class written in Python.
    pass


class OpenAIError(_Root):
    """The base of everything that a call raises."""


class APIError(OpenAIError):
    """The provider failed, or could not be asked."""


class APIConnectionError(APIError):
    """No connection, or one that broke before the answer was whole."""


class APITimeoutError(APIConnectionError):
    """No answer within the timeout."""


class APIResponseValidationError(APIError):
    """The provider's answer cannot be read."""


class APIStatusError(APIError):
    """The provider answered with an error status."""


class BadRequestError(APIStatusError):
    """400."""


class AuthenticationError(APIStatusError):
    """401."""


class PermissionDeniedError(APIStatusError):
    """403."""


class NotFoundError(APIStatusError):
    """404."""


class UnprocessableEntityError(APIStatusError):
    """422."""


class RateLimitError(APIStatusError):
    """429."""


class InternalServerError(APIStatusError):
    """500 and above."""


_STAND_INS: tuple[type[OpenAIError], ...] = (
    OpenAIError,
    APIError,
    APIConnectionError,
    APITimeoutError,
    APIResponseValidationError,
    APIStatusError,
    BadRequestError,
    AuthenticationError,
    PermissionDeniedError,
    NotFoundError,
    UnprocessableEntityError,
    RateLimitError,
    InternalServerError,
)


def join(openai: ModuleType) -> None:
    """Make each stand-in a subclass of openai's own class of that name, where this version has one."""
    for stand_in in _STAND_INS:
        theirs: object = getattr(openai, stand_in.__name__, None)
        if isinstance(theirs, type) and theirs not in stand_in.__bases__:
            stand_in.__bases__ = (*stand_in.__bases__, theirs)


def await_openai() -> None:
    """Join openai's hierarchy now if the program has imported openai, else as soon as it does."""
    imported = sys.modules.get(_PACKAGE)
    if imported is None:
        sys.meta_path.insert(0, _Watch())  # type: ignore[arg-type] - a finder by its method
    else:
        join(imported)


class _Watch:
    """Notices the import of openai; finds nothing itself. wrapt's import hooks cost 3 ms that few programs need."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != _PACKAGE:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        spec = next((spec for finder in others if (spec := finder.find_spec(name, path, target)) is not None), None)
        if spec is not None:
            self._listen_to(spec.loader)
        return spec

    def _listen_to(self, loader: object) -> None:
        execute: Callable[[ModuleType], None] | None = getattr(loader, "exec_module", None)

        def executed(module: ModuleType) -> None:
            vars(loader).pop("exec_module", None)
            if execute is not None:
                execute(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)  # type: ignore[arg-type]
            join(module)

        try:  # noqa: SIM105 - contextlib would be a fifth of the package's import time
            # On the instance: the module keeps the loader that it would have had.
            vars(loader)["exec_module"] = executed
        except TypeError:
            pass  # a loader that takes no attributes: the classes stay as they are
