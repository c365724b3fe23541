"""litellm's `kwargs` of callbacks: what a call was asked, what came of it, and what of that a callback may see."""

from __future__ import annotations

import sys
from datetime import datetime

from edgequake_obs.chunks import stream_chunk_builder
from edgequake_obs.redaction import redacted

from .payload import standard_logging_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeVar

    from edgequake_obs._native import Facts, OverCall

    from .observing import Observed
    from .targets import Callback

    T = TypeVar("T")

_package = vars(sys.modules["edgequake_obs"])

# Arguments that steer the call: not among the model's parameters.
_STEERING = frozenset(
    (
        "additional_drop_params",
        "allowed_openai_params",
        "api_base",
        "api_key",
        "api_version",
        "azure_ad_token",
        "base_url",
        "cache",
        "caching",
        "callbacks",
        "custom_llm_provider",
        "drop_params",
        "extra_headers",
        "failure_callback",
        "fallbacks",
        "headers",
        "input",
        "input_callback",
        "input_cost_per_second",
        "input_cost_per_token",
        "max_retries",
        "messages",
        "metadata",
        "mock_response",
        "mock_timeout",
        "mock_tool_calls",
        "model",
        "model_info",
        "num_retries",
        "organization",
        "output_cost_per_second",
        "output_cost_per_token",
        "prompt",
        "request_timeout",
        "ssl_certificate",
        "ssl_verify",
        "success_callback",
        "timeout",
    )
)

_CALL_TYPES = {"chat": "completion", "embeddings": "embedding", "text_completion": "text_completion"}

_HIDDEN = "redacted-by-litellm"  # litellm's own words, which programs look for


class Ending:
    """How a call ended.

    Attributes:
        facts: What its record says.
        answer: The answer; of a stream the whole of it, put together; None where the call failed.
        exception: What the caller got instead.
        plain: The answer as dicts and lists.
    """

    def __init__(self, observed: Observed, over: OverCall) -> None:
        self.facts: Facts = over.facts()
        self.start_ns = self.facts["start_ns"]
        self.duration_ns = self.facts["duration_ns"]
        self.exception = over.exception()
        self.answer: object = None
        chunks = over.chunks()
        if self.exception is None:
            self.answer = over.answer()
            if chunks and hasattr(chunks[0], "choices"):
                self.answer = stream_chunk_builder(chunks, usage=self.facts["usage"], cost=self.facts["cost"])
            elif chunks:
                self.answer = chunks
        self.answer, self.plain = _redacted_answer(self.answer)
        self.answered = bool(chunks) or self.facts["outcome"] == "completed"


class CallDetails:
    """What callbacks are told of one call, and when it began.

    Attributes:
        observed: The call as it began.
    """

    def __init__(self, observed: Observed) -> None:
        self.model = observed.model or ""
        self.started = datetime.now()
        self.observed = observed
        params = observed.params
        call_type = _CALL_TYPES.get(observed.operation, observed.operation)
        self._call_type = call_type if observed.loop is None else f"a{call_type}"
        self.streaming = bool(params.get("stream"))
        given = {name: value for name, value in params.items() if name not in _STEERING and value is not None}
        if not self.streaming:
            given.pop("stream", None)
        self.params: object = redacted(given)
        self.metadata: object = redacted(params.get("metadata") or {})
        self.messages = _messages(redacted(observed.input))

    def begun(self) -> dict[str, object]:
        """litellm's keys before the call is sent. The API key is not among them."""
        params = self.observed.params
        base = params.get("api_base") or params.get("base_url") or self.observed.address
        return {
            "model": self.model,
            "messages": self.messages,
            "input": self.messages,
            "optional_params": self.params,
            "litellm_params": {
                "custom_llm_provider": self.observed.provider,
                "api_base": base,
                "metadata": self.metadata,
            },
            "custom_llm_provider": self.observed.provider,
            "call_type": self._call_type,
            "stream": self.streaming,
            "user": params.get("user"),
            "start_time": self.started,
            "completion_start_time": self.started,
            "additional_args": {"api_base": base, "complete_input_dict": self.params},
            "standard_callback_dynamic_params": {},
        }

    def answered(self, ending: Ending) -> dict[str, object]:
        """litellm's keys once the provider has answered."""
        dump = getattr(ending.answer, "model_dump_json", None)
        return {
            **self.begun(),
            "litellm_call_id": ending.facts["call_uid"],
            "original_response": None if dump is None else dump(),
            "log_event_type": "post_api_call",
        }

    def ended(
        self, answered: Mapping[str, object], ending: Ending, started: datetime, ended: datetime
    ) -> dict[str, object]:
        """litellm's keys of a call that is over, after those of its answer."""
        first = ending.facts["time_to_first_chunk_ns"]
        cost = ending.facts["cost"]
        kwargs = {
            **answered,
            "start_time": started,
            "end_time": ended,
            "completion_start_time": ended
            if first is None
            else datetime.fromtimestamp((ending.start_ns + first) / 1e9),
            "response_cost": cost if ending.exception is None else cost or 0,
            "cache_hit": False if self.streaming and ending.exception is None else None,
            "outcome": ending.facts["outcome"],
        }
        if ending.exception is not None:
            kwargs["log_event_type"] = "failed_api_call"
            kwargs["exception"] = ending.exception
            kwargs["traceback_exception"] = ""
        else:
            kwargs["log_event_type"] = "successful_api_call"
            if self.streaming:
                name = "complete_streaming_response"
                kwargs[name if self.observed.loop is None else f"async_{name}"] = ending.answer
        kwargs["standard_logging_object"] = standard_logging_object(kwargs, ending, self)
        return kwargs

    def seen_by(self, callback: Callback, kwargs: Mapping[str, object]) -> dict[str, object]:
        """`kwargs` for one callback: its own dict, without content where that is turned off."""
        if not _hides_messages(callback):
            return dict(kwargs)
        hidden = [{"role": "user", "content": _HIDDEN}]
        nothing: dict[str, object] = {}
        given: dict[str, object] = {
            **kwargs,
            "messages": hidden,
            "input": hidden,
            "original_response": _HIDDEN,
            "additional_args": nothing,
        }
        for name in ("complete_streaming_response", "async_complete_streaming_response"):
            if name in given:
                given[name] = self.hidden_from(callback, given[name])
        logged: dict[str, object] | None = given.get("standard_logging_object")  # type: ignore[assignment]
        if logged is not None:
            given["standard_logging_object"] = {**logged, "messages": hidden, "response": {"text": _HIDDEN}}
        return given

    def hidden_from(self, callback: Callback, value: T) -> T | object:
        """An answer, a chunk or messages; their texts replaced where the callback is not to see them."""
        if not _hides_messages(callback):
            return value
        if isinstance(value, list):
            return [{"role": "user", "content": _HIDDEN}]
        return _blanked(value)


def redacted_answer(answer: object) -> object:
    """An answer whose texts have gone through the redaction pass: the same object where nothing changed."""
    return _redacted_answer(answer)[0]


def _redacted_answer(answer: object) -> tuple[object, object]:
    dump = getattr(answer, "model_dump", None)
    if dump is None:
        clean = redacted(answer)
        return clean, clean
    plain: dict[str, object] = dump()
    clean = redacted(plain)
    return (answer if clean == plain else type(answer)(**clean)), clean  # type: ignore[arg-type]


def _messages(input: object) -> list[object]:
    if isinstance(input, list):
        items: list[object] = input  # type: ignore[assignment]
        if all(isinstance(item, dict) for item in items):
            return items
        return [{"role": "user", "content": item} for item in items]
    return [] if input is None else [{"role": "user", "content": input}]


def _hides_messages(callback: Callback) -> bool:
    return bool(
        _package.get("turn_off_message_logging")
        or getattr(callback, "turn_off_message_logging", False) is True
        or getattr(callback, "message_logging", True) is False
    )


def _blanked(answer: object) -> object:
    dump = getattr(answer, "model_dump", None)
    if dump is None:
        return None if answer is None else _HIDDEN
    plain: dict[str, object] = dump()
    choices: list[dict[str, dict[str, object]]] = plain.get("choices") or []  # type: ignore[assignment]
    for choice in choices:
        for part in ("message", "delta"):
            said = choice.get(part)
            if said:
                choice[part] = {"role": said.get("role"), "content": _HIDDEN}
    if "data" in plain:
        plain["data"] = []
    return type(answer)(**plain)
