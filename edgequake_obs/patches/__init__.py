"""Recording what programs do through other people's libraries, without a change to them."""

from __future__ import annotations

import sys
from _thread import RLock  # threading and importlib cost 5 ms where nobody has imported them yet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Protocol

    from edgequake_obs.patches.hooks import Hook

    class LibraryPatch(Protocol):
        """What a module `edgequake_obs.patches.<library>` has.

        Attributes:
            recorded: Calls that the program makes are; else only those that another library makes are heard.
        """

        recorded: bool

        def install(self, module: ModuleType) -> list[tuple[str, Hook | None]]:
            """Hook the library; each target's name and its hook."""
            ...

        def release(self) -> None:
            """Give back what was hooked later than at the installation."""
            ...


# Library -> the module of it that is hooked. The patch is `edgequake_obs.patches.<library>`.
_MODULES = {"openai": "openai._base_client", "litellm": "litellm", "anthropic": "anthropic._base_client"}
# Library -> what it sends its requests with: hooked too, so that its calls have their attempts.
_BENEATH = {"litellm": "openai"}


def instrument(*libraries: str) -> None:
    """Record the calls that this process makes through other libraries.

    A library that is not imported yet is patched when it is. Calling it again changes nothing. With
    `EDGEQUAKE_OBS_DISABLED=1` nothing is patched.

    Args:
        *libraries: Names of libraries; all that are known if none is given.

    Raises:
        ValueError: A library is not known.
    """
    for library in libraries:
        if library not in _MODULES:
            raise ValueError(f"unknown library {library!r}; known: {', '.join(sorted(_MODULES))}")
    from edgequake_obs import _native

    if not _native.enabled():
        return
    for library in libraries or _MODULES:
        _patches[library].want(True)
        if library in _BENEATH:
            _patches[_BENEATH[library]].want(False)


def uninstrument() -> None:
    """Put every function back as it was found.

    A stream under way is recorded to its end; a call that is still waiting for its answer is recorded as abandoned.
    """
    for patch in _patches.values():
        patch.drop()


def hooked() -> dict[str, dict[str, bool]]:
    """What is hooked now: of each patched library its functions, and whether this version of it has them."""
    return {name: patch.targets() for name, patch in _patches.items() if patch.module is not None}


class _Patch:
    """One library's patch, from the wish for it to its removal."""

    def __init__(self, library: str, name: str) -> None:
        self._library = library
        self._name = name
        self._wanted = False
        self._recorded = False  # its own calls, not only those that another library makes with it
        self._awaited = False  # wrapt will tell us of the import
        self._hooks: list[tuple[str, Hook | None]] = []
        self.module: ModuleType | None = None

    def want(self, recorded: bool) -> None:
        with _lock:
            self._wanted = True
            self._recorded = self._recorded or recorded
        module = sys.modules.get(self._name)
        if module is None:
            self._await()
            return
        if getattr(module.__spec__, "_initializing", False):
            from importlib import import_module

            import_module(self._name)  # another thread is importing it: wait until it is whole
        self._install(module)

    def drop(self) -> None:
        with _lock:
            self._wanted = self._recorded = False
            if self._hooks:
                self._patch().release()
            for _, hook in reversed(self._hooks):
                if hook is not None:
                    hook.remove()
            self._hooks = []
            self.module = None

    def targets(self) -> dict[str, bool]:
        return {name: hook is not None for name, hook in self._hooks}

    def _await(self) -> None:
        from wrapt import when_imported

        with _lock:
            if self._awaited:
                return
            self._awaited = True
        when_imported(self._name)(self._imported)

    def _imported(self, module: ModuleType) -> None:
        self._awaited = False
        try:
            self._install(module)
        except Exception as error:  # it would make the program's import fail
            from edgequake_obs import _native

            _native.note_internal_error(f"patch of {self._library}", error)

    def _install(self, module: ModuleType) -> None:
        with _lock:
            if not self._wanted:
                return
            patch = self._patch()
            patch.recorded = self._recorded
            if self.module is not module:
                self._hooks = patch.install(module)
                self.module = module

    def _patch(self) -> LibraryPatch:
        from importlib import import_module

        return import_module(f"{__name__}.{self._library}")  # type: ignore[return-value]


_lock = RLock()
_patches = {library: _Patch(library, name) for library, name in _MODULES.items()}
