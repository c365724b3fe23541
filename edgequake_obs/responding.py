"""`responses` and `aresponses`: OpenAI's Responses API.

OpenAI, Azure, xAI, OpenRouter and litellm's proxy have it; any other provider is asked by its chat, and its answer put
as a response. Such a provider keeps no responses: `previous_response_id` is refused.
"""

from __future__ import annotations

from . import _native
from ._caller import current
from ._native import ChunkStream
from .calls import _globals, _reply
from .streaming import CustomStreamWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._native import ResponsesAPIResponse

# litellm hands out ids of responses that hold whose they are; a provider knows its own only.
_PREFIX = "resp_"
_OWN_ID = "response_id:"


def responses(
    input: str | Sequence[object], model: str, **params: object
) -> ResponsesAPIResponse | CustomStreamWrapper:
    """Ask a model by the Responses API.

    Args:
        input: A text, or a list of items: messages, function calls, their outputs.
        model: Its name, with the provider's prefix where it is not OpenAI's.
        **params: The API's parameters, and those that steer the call, as for `completion`; `text_format`: a pydantic
            class whose objects the answer's text is to hold.

    Returns:
        The response, with the provider's own id; with `stream=True` an iterator over its events.

    Raises:
        OpenAIError: As for `completion`.
    """
    made = _native.call_sync("responses", model, input, _worded(params), _globals, current())
    return CustomStreamWrapper(made) if isinstance(made, ChunkStream) else made


async def aresponses(
    input: str | Sequence[object], model: str, **params: object
) -> ResponsesAPIResponse | CustomStreamWrapper:
    """Ask a model by the Responses API without blocking the event loop; as `responses`."""
    from ._event_loops import bridge

    asked = _native.call_async("responses", model, input, _worded(params), _globals, current(), bridge())
    made = await _reply(asked)
    return CustomStreamWrapper(made) if isinstance(made, ChunkStream) else made


def _worded(params: dict[str, object]) -> dict[str, object]:
    previous = params.get("previous_response_id")
    if isinstance(previous, str):
        params["previous_response_id"] = _providers_id(previous)
    form = params.pop("text_format", None)
    if isinstance(form, type):
        from ._pydantic import response_format

        schema: dict[str, object] = response_format(form, True)["json_schema"]  # type: ignore[assignment]
        params["text"] = {"format": {"type": "json_schema", **schema}}
    return params


def _providers_id(response_id: str) -> str:
    """The provider's id in one of litellm's; any other is the provider's already."""
    from base64 import b64decode

    try:
        said = b64decode(response_id.removeprefix(_PREFIX), validate=True).decode()
    except ValueError:
        return response_id
    own = said.rpartition(_OWN_ID)[2]
    return own if said.startswith("litellm:") and own else response_id
