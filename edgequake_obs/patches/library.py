"""A call made through a library whose transports are hooked too: litellm over the openai SDK. One record for both.

The library's frame owns the record. What is sent beneath it, by whichever transport and however often, are its
attempts.
"""

from __future__ import annotations

from edgequake_obs import _native
from edgequake_obs.patches.failure import error_type_of, message_of
from edgequake_obs.patches.frame import Frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgequake_obs._native import LibraryCall


class LibraryFrame(Frame):
    """One call of a library under way.

    Attributes:
        surface: What the native side calls the operation.
        library_call: The native call, from the start of the frame to the end of its answer.
        provider: litellm's id of who is asked, as far as the library has said.
        serving: Operation, provider and model of what the library does, as the native call was told last.
        sent: A transport was heard.
        in_own_words: The last transport spoke the provider's own dialect, of which only the usage is read.
        mocked: The program asked for a made-up answer.
    """

    surface: str
    library_call: LibraryCall
    provider: str | None
    serving: tuple[str, str | None, str | None]
    sent = False
    in_own_words = False
    mocked = False

    def part(
        self, surface: str, provider: str, model: str | None, server_address: str | None, api_key: str | None
    ) -> _native.Part:
        """A transport is about to send a request for this call."""
        self.sent = True
        self.in_own_words = surface in ("provider", "messages", "rerank")
        self.tap = None
        return self.library_call.part(surface, self.provider or provider, model, server_address, api_key)

    def raised(self, error: BaseException) -> None:
        """The library gives up: the record's end."""
        try:
            if self.tap is not None:
                self.tap.settle()
            if not isinstance(error, Exception):
                self.library_call.cancelled()
                return
            status: object = getattr(error, "status_code", None)
            if not (self.sent and isinstance(status, int) and 100 <= status < 600):
                status = None
            self.library_call.failed(error_type_of(error), message_of(error), status)
        except Exception as internal:
            _native.note_internal_error("library failure", internal)

    def answered(self, answer: object) -> None:
        """The library has its answer, whole: the record's end."""
        hidden = hidden_of(answer)
        if hidden.get("cache_hit") is True:
            self.library_call.unsent(True)
        elif self.mocked and not self.sent:
            self.library_call.unsent(False)
        if self.in_own_words or not self.sent:
            self.tell(answer, hidden)
        self.library_call.completed()

    def tell(self, answer: object, hidden: Mapping[str, object]) -> None:
        """Hand on what the answer itself says, where no transport was understood."""
        provider = hidden.get("custom_llm_provider")
        model: object = getattr(answer, "model", None)
        if self.provider is None and isinstance(provider, str):
            self.library_call.serves(self.surface, provider, model if isinstance(model, str) else None)
        response_id: object = getattr(answer, "id", None)
        usage: object = getattr(answer, "usage", None)
        dump = getattr(usage, "model_dump_json", None)
        counted: str | None = dump(exclude_none=True) if dump is not None else None
        self.library_call.told(
            response_id if isinstance(response_id, str) else None,
            model if isinstance(model, str) else None,
            _finish_reasons(answer),
            counted,
        )


def hidden_of(answer: object) -> Mapping[str, object]:
    """litellm's `_hidden_params` of an answer; empty where there are none."""
    # A pydantic model's private attributes: reading one by its name takes it microseconds.
    private: Mapping[str, object] = getattr(answer, "__pydantic_private__", None) or {}
    hidden: object = private.get("_hidden_params") or getattr(answer, "_hidden_params", None)
    if isinstance(hidden, dict):
        return hidden  # pyright: ignore[reportUnknownVariableType]
    return vars(hidden) if hasattr(hidden, "__dict__") else {}


def _finish_reasons(answer: object) -> list[str]:
    choices: object = getattr(answer, "choices", None)
    if not isinstance(choices, list):
        return []
    reasons: list[object] = [getattr(choice, "finish_reason", None) for choice in choices]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return [reason for reason in reasons if isinstance(reason, str)]
