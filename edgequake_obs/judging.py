"""`rerank` and `moderation`: what a model says about texts."""

from __future__ import annotations

from . import _native
from ._caller import current
from .calls import _globals, _reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._native import ModerationCreateResponse, RerankResponse

# OpenAI's own, where a request names none.
_MODERATOR = "omni-moderation-latest"


def rerank(
    model: str, query: str, documents: Sequence[object], *, return_documents: bool | None = True, **params: object
) -> RerankResponse:
    """Order documents by how well they answer a question.

    Args:
        model: Its name, with the provider's prefix.
        query: The question.
        documents: Texts, or dicts with a `text`.
        return_documents: Whether the answer holds the documents.
        **params: The provider's parameters (`top_n`, ...), and those that steer the call, as for `completion`.

    Returns:
        The `results`, the best first: dicts of `index` (into `documents`), `relevance_score`, `document`.

    Raises:
        OpenAIError: As for `completion`.
    """
    given = {**params, "documents": documents, "return_documents": return_documents}
    return _native.call_sync("rerank", model, query, given, _globals, current())


async def arerank(
    model: str, query: str, documents: Sequence[object], *, return_documents: bool | None = True, **params: object
) -> RerankResponse:
    """Order documents without blocking the event loop; as `rerank`."""
    from ._event_loops import bridge

    given = {**params, "documents": documents, "return_documents": return_documents}
    return await _reply(_native.call_async("rerank", model, query, given, _globals, current(), bridge()))


def moderation(input: str | Sequence[object], model: str | None = None, **params: object) -> ModerationCreateResponse:
    """Ask whether texts may do harm.

    Args:
        input: A text, or a list of texts, or of parts with a type.
        model: Its name; None: `omni-moderation-latest`.
        **params: Those that steer the call, as for `completion`.

    Returns:
        The `results`, one for each text: `flagged`, `categories`, `category_scores`.

    Raises:
        OpenAIError: As for `completion`.
    """
    return _native.call_sync("moderation", model or _MODERATOR, input, params, _globals, current())


async def amoderation(
    input: str | Sequence[object], model: str | None = None, **params: object
) -> ModerationCreateResponse:
    """Ask whether texts may do harm without blocking the event loop; as `moderation`."""
    from ._event_loops import bridge

    asked = _native.call_async("moderation", model or _MODERATOR, input, params, _globals, current(), bridge())
    return await _reply(asked)
