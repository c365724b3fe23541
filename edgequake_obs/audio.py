"""`speech` and `transcription`: text spoken, and speech written down."""

from __future__ import annotations

from . import _native
from ._caller import current
from .calls import _globals, _reply
from .streaming import CustomStreamWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import HttpxBinaryResponseContent, TranscriptionResponse


def speech(model: str, input: str, voice: object = None, **params: object) -> HttpxBinaryResponseContent:
    """Speak a text.

    Args:
        model: Its name, with the provider's prefix where it is not OpenAI's.
        input: The text.
        voice: The provider's name of it.
        **params: The provider's parameters (`response_format`, `speed`, `instructions`), and those that steer the call,
            as for `completion`.

    Returns:
        The sound: `content`, `stream_to_file(path)`.

    Raises:
        OpenAIError: As for `completion`.
    """
    return _native.call_sync("speech", model, input, {**params, "voice": voice}, _globals, current())


async def aspeech(model: str, input: str, voice: object = None, **params: object) -> HttpxBinaryResponseContent:
    """Speak a text without blocking the event loop; as `speech`."""
    from ._event_loops import bridge

    given = {**params, "voice": voice}
    return await _reply(_native.call_async("speech", model, input, given, _globals, current(), bridge()))


def transcription(model: str, file: object, **params: object) -> TranscriptionResponse | CustomStreamWrapper:
    """Write speech down.

    Args:
        model: Its name, with the provider's prefix where it is not OpenAI's.
        file: The recording: a file opened in binary mode, bytes, a `pathlib.Path`, or a tuple of name and content.
        **params: The provider's parameters (`language`, `prompt`, `response_format`, ...), and those that steer the
            call, as for `completion`. OpenAI's models that are paid by the second are asked for `verbose_json` where no
            format is given: only that says how long the recording was.

    Returns:
        What was said, as `text`; with `stream=True` an iterator over the events.

    Raises:
        OpenAIError: As for `completion`.
    """
    made = _native.call_sync("transcription", model, file, params, _globals, current())
    return CustomStreamWrapper(made) if isinstance(made, _native.ChunkStream) else made


async def atranscription(model: str, file: object, **params: object) -> TranscriptionResponse | CustomStreamWrapper:
    """Write speech down without blocking the event loop; as `transcription`."""
    from ._event_loops import bridge

    made = await _reply(_native.call_async("transcription", model, file, params, _globals, current(), bridge()))
    return CustomStreamWrapper(made) if isinstance(made, _native.ChunkStream) else made
