"""The redaction pass, for text that is on its way out through Python."""

from __future__ import annotations

from . import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from re import Pattern

_MASK = "[redacted]"
_WITHHELD = "[withheld: the redactor failed]"


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


def redacted_json(text: str) -> str:
    """JSON text with each of its texts redacted."""
    from json import dumps, loads

    return dumps(redacted(loads(text)), ensure_ascii=False, separators=(",", ":"))


def redacted(value: object) -> object:
    """A copy of dicts, lists, models and texts, each text redacted; anything else as it is."""
    return _native.redacted(value, None if Program.redact is None else redacted_text)


def use(redact: Sequence[str | Pattern[str]] | Callable[[str], object]) -> None:
    """Have every text that leaves go through the program's own redactor, after the pass for credentials.

    Args:
        redact: A function from text to text, or regular expressions whose matches are masked; an empty list for none.

    Raises:
        TypeError: It is neither.
        ValueError: One of the patterns is no regular expression.
    """
    Program.redact = redact if callable(redact) else _by_patterns(redact)
    Program.has_warned = False
    if Program.redact is not None:
        # Records wait for the Python thread that redacts them.
        from ._callbacks import worker

        worker.start()
    _native.set_programs_redactor(Program.redact is not None)


def _by_patterns(patterns: Sequence[str | Pattern[str]]) -> Callable[[str], object] | None:
    import re

    if isinstance(patterns, (str, bytes)):
        raise TypeError("redact must be a list of patterns, or a function: put the pattern into a list")
    try:
        compiled = [re.compile(pattern) for pattern in patterns]
    except re.error as error:
        raise ValueError(f"redact holds a pattern that is no regular expression: {error}") from error

    if not compiled:
        return None

    def masked(text: str) -> str:
        for pattern in compiled:
            text = pattern.sub(_MASK, text)
        return text

    return masked


def _withheld(why: str) -> str:
    if not Program.has_warned:
        Program.has_warned = True
        from logging import getLogger

        getLogger("edgequake_obs").warning("the redactor failed (%s): its texts are withheld", why)
    return _WITHHELD
