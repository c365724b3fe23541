"""The redaction pass, for text that is on its way out through Python."""

from __future__ import annotations

from . import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_WITHHELD = "[withheld: the redactor failed]"
_DEEPEST = 32


class Program:
    """The program's own redactor."""

    redact: Callable[[str], object] | None = None
    has_warned = False


def redacted_text(text: str) -> str:
    """`text` without credentials, and through the program's own redactor: withheld where that fails."""
    text = _native.mask_credentials(text)
    own = Program.redact
    if own is None:
        return text
    try:
        redacted: object = own(text)
    except Exception as error:
        return _withheld(type(error).__name__)
    return redacted if isinstance(redacted, str) else _withheld(f"a return of {type(redacted).__name__}")


def redacted(value: object, depth: int = 0) -> object:
    """A copy of dicts, lists and texts, each text redacted; anything else as it is."""
    if isinstance(value, str):
        return redacted_text(value)
    if depth > _DEEPEST:
        return "[withheld: too deep]"
    dump: Callable[[], object] | None = getattr(value, "model_dump", None)
    if dump is not None and not isinstance(value, type):
        return redacted(dump(), depth + 1)
    if isinstance(value, dict):
        pairs: dict[object, object] = value  # type: ignore[assignment]
        return {key: redacted(item, depth + 1) for key, item in pairs.items()}
    if isinstance(value, (list, tuple)):
        items: list[object] = list(value)  # type: ignore[arg-type]
        return [redacted(item, depth + 1) for item in items]
    return value


def _withheld(why: str) -> str:
    if not Program.has_warned:
        Program.has_warned = True
        from logging import getLogger

        getLogger("edgequake_obs").warning("the redactor failed (%s): its texts are withheld", why)
    return _WITHHELD
