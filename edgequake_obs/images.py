"""`image_generation` and its kin: images painted, changed and varied."""

from __future__ import annotations

from . import _native
from ._caller import current
from .calls import _globals, _reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import ImageResponse

# OpenAI's own, where a request names none.
_DEFAULT = "dall-e-2"


def image_generation(prompt: str, model: str | None = None, **params: object) -> ImageResponse:
    """Paint images.

    Args:
        prompt: What they are to show.
        model: Its name, with the provider's prefix where it is not OpenAI's; None: `dall-e-2`.
        **params: The provider's parameters (`n`, `size`, `quality`, ...), and those that steer the call, as for
            `completion`.

    Returns:
        The images, each with a `url` or a `b64_json`.

    Raises:
        OpenAIError: As for `completion`.
    """
    return _native.call_sync("image_generation", model or _DEFAULT, prompt, params, _globals, current())


async def aimage_generation(prompt: str, model: str | None = None, **params: object) -> ImageResponse:
    """Paint images without blocking the event loop; as `image_generation`."""
    from ._event_loops import bridge

    asked = _native.call_async("image_generation", model or _DEFAULT, prompt, params, _globals, current(), bridge())
    return await _reply(asked)


def image_edit(image: object, prompt: str, model: str | None = None, **params: object) -> ImageResponse:
    """Change images.

    Args:
        image: A file opened in binary mode, bytes, a `pathlib.Path`, a tuple of name and content, or a list of these.
        prompt: What is to be changed.
        model: As for `image_generation`.
        **params: As for `image_generation`, and `mask`: a file whose clear parts are those to change.

    Raises:
        OpenAIError: As for `completion`.
    """
    given = {**params, "image": image}
    return _native.call_sync("image_edit", model or _DEFAULT, prompt, given, _globals, current())


async def aimage_edit(image: object, prompt: str, model: str | None = None, **params: object) -> ImageResponse:
    """Change images without blocking the event loop; as `image_edit`."""
    from ._event_loops import bridge

    given = {**params, "image": image}
    return await _reply(
        _native.call_async("image_edit", model or _DEFAULT, prompt, given, _globals, current(), bridge())
    )


def image_variation(image: object, model: str = _DEFAULT, **params: object) -> ImageResponse:
    """Vary an image.

    Args:
        image: As for `image_edit`.
        model: As for `image_generation`.
        **params: As for `image_generation`.

    Raises:
        OpenAIError: As for `completion`.
    """
    return _native.call_sync("image_variation", model, image, params, _globals, current())


async def aimage_variation(image: object, model: str = _DEFAULT, **params: object) -> ImageResponse:
    """Vary an image without blocking the event loop; as `image_variation`."""
    from ._event_loops import bridge

    return await _reply(_native.call_async("image_variation", model, image, params, _globals, current(), bridge()))
