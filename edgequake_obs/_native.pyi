"""The native core. Nothing here is public but the answer classes, which `edgequake_obs` exports."""

from asyncio import Future
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from os import PathLike
from types import ModuleType
from typing import Any, Generic, Literal, TypedDict, TypeVar, overload

from opentelemetry.util.types import AnyValue
from typing_extensions import NotRequired, Self

__version__: str
SPOOL_SCHEMA: int

Caller = tuple[Context | None, tuple[int, int, int] | None]

class OpenAIObject:
    """The base of answer objects: attributes, items and methods of litellm's, over the provider's own bytes."""

    def __init__(self, **fields: object) -> None: ...
    def __getattr__(self, name: str) -> object: ...
    def __setattr__(self, name: str, value: object) -> None: ...
    def __getitem__(self, name: str) -> object: ...
    def __setitem__(self, name: str, value: object) -> None: ...
    def __contains__(self, name: object) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[tuple[str, object]]: ...
    def get(self, name: str, default: object = None) -> object: ...
    def keys(self) -> list[str]: ...
    def values(self) -> list[object]: ...
    def items(self) -> list[tuple[str, object]]: ...
    def model_dump(self, *, exclude_none: bool = False, **_options: object) -> dict[str, object]: ...
    def dict(self, *, exclude_none: bool = False, **_options: object) -> dict[str, object]: ...
    def to_dict(self, *, exclude_none: bool = False, **_options: object) -> dict[str, object]: ...
    def json(self, **_options: object) -> dict[str, object]: ...
    def model_dump_json(self, *, exclude_none: bool = False, indent: int | None = None, **_options: object) -> str: ...
    def to_json(self, *, exclude_none: bool = False, indent: int | None = None, **_options: object) -> str: ...
    @classmethod
    def model_validate(cls, value: object) -> Self: ...

class Function(OpenAIObject):
    """A function that the model calls."""

    name: str | None
    arguments: str

class ChatCompletionMessageToolCall(OpenAIObject):
    """A tool call of an answer."""

    id: str
    type: str
    function: Function

class ChatCompletionDeltaToolCall(OpenAIObject):
    """A part of a tool call."""

    id: str | None
    type: str | None
    index: int
    function: Function

class TopLogprob(OpenAIObject):
    """An alternative to a token."""

    token: str
    bytes: list[int] | None
    logprob: float

class ChatCompletionTokenLogprob(OpenAIObject):
    """A token and how likely it was."""

    token: str
    bytes: list[int] | None
    logprob: float
    top_logprobs: list[TopLogprob]

class ChoiceLogprobs(OpenAIObject):
    """How likely the tokens of a choice were."""

    content: list[ChatCompletionTokenLogprob] | None
    refusal: list[ChatCompletionTokenLogprob] | None

class Message(OpenAIObject):
    """What the model said."""

    content: str | None
    role: str
    tool_calls: list[ChatCompletionMessageToolCall] | None
    function_call: Function | None

class TextChoices(OpenAIObject):
    """One of the texts asked for."""

    finish_reason: str | None
    index: int
    text: str | None

class TextCompletionResponse(OpenAIObject):
    """The answer of a text completion."""

    id: str
    created: int
    model: str
    choices: list[TextChoices]
    usage: Usage

class Choices(OpenAIObject):
    """One of the answers asked for."""

    finish_reason: str | None
    index: int
    message: Message
    logprobs: ChoiceLogprobs | None

class CompletionTokensDetailsWrapper(OpenAIObject):
    """What the output tokens were."""

    accepted_prediction_tokens: int | None
    audio_tokens: int | None
    reasoning_tokens: int | None
    rejected_prediction_tokens: int | None

class PromptTokensDetailsWrapper(OpenAIObject):
    """What the input tokens were."""

    audio_tokens: int | None
    cached_tokens: int | None

class Usage(OpenAIObject):
    """Tokens, as the provider reported them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    completion_tokens_details: CompletionTokensDetailsWrapper | None
    prompt_tokens_details: PromptTokensDetailsWrapper | None

class ModelResponse(OpenAIObject):
    """A whole answer."""

    id: str
    created: int
    model: str
    object: str
    system_fingerprint: str | None
    choices: list[Choices]
    usage: Usage
    @property
    def _hidden_params(self) -> dict[str, object]: ...
    @property
    def _response_ms(self) -> float: ...

class Delta(OpenAIObject):
    """What a chunk adds."""

    content: str | None
    role: str | None
    tool_calls: list[ChatCompletionDeltaToolCall] | None
    function_call: Function | None

class StreamingChoices(OpenAIObject):
    """A chunk's part of one of the answers asked for."""

    finish_reason: str | None
    index: int
    delta: Delta
    logprobs: ChoiceLogprobs | None

class ModelResponseStream(OpenAIObject):
    """A chunk of a stream."""

    id: str
    created: int
    model: str
    object: str
    system_fingerprint: str | None
    choices: list[StreamingChoices]
    @property
    def _came_to(self) -> tuple[str | None, float | None, str] | None: ...

class Embedding(OpenAIObject):
    """A vector."""

    embedding: list[float]
    index: int
    object: str

class EmbeddingResponse(OpenAIObject):
    """Vectors, one for each input."""

    model: str
    data: list[Embedding]
    object: str
    usage: Usage
    @property
    def _hidden_params(self) -> dict[str, object]: ...
    @property
    def _response_ms(self) -> float: ...

class ResponseOutputContent(OpenAIObject):
    """A part of what a model said: a text, a refusal, reasoning."""

    type: str
    text: str

class ResponseOutputItem(OpenAIObject):
    """A message, a function call, reasoning: what a response consists of."""

    type: str
    id: str
    content: list[ResponseOutputContent]
    summary: list[ResponseOutputContent]

class ResponseAPIUsage(OpenAIObject):
    """Tokens, as the provider reported them."""

    input_tokens: int
    output_tokens: int
    total_tokens: int

class ResponsesAPIResponse(OpenAIObject):
    """An answer of the Responses API."""

    id: str
    created_at: int
    model: str
    object: str
    status: str | None
    output: list[ResponseOutputItem]
    usage: ResponseAPIUsage | None
    @property
    def output_text(self) -> str: ...
    @property
    def _hidden_params(self) -> dict[str, object]: ...
    @property
    def _response_ms(self) -> float: ...

class ImageObject(OpenAIObject):
    """An image, as a URL or as data."""

    b64_json: str | None
    url: str | None
    revised_prompt: str | None

class ImageResponse(OpenAIObject):
    """The images of one call."""

    created: int
    data: list[ImageObject]
    @property
    def _hidden_params(self) -> dict[str, object]: ...
    @property
    def _response_ms(self) -> float: ...

class TranscriptionResponse(OpenAIObject):
    """What was said in a recording."""

    text: str
    @property
    def _hidden_params(self) -> dict[str, object]: ...
    @property
    def _response_ms(self) -> float: ...

class RerankResponse(OpenAIObject):
    """Documents in the order in which they answer a question."""

    id: str
    results: list[dict[str, object]]
    meta: dict[str, object] | None
    @property
    def _hidden_params(self) -> dict[str, object]: ...
    @property
    def _response_ms(self) -> float: ...

class Moderation(OpenAIObject):
    """What a model says about a text."""

    flagged: bool
    categories: OpenAIObject
    category_scores: OpenAIObject

class ModerationCreateResponse(OpenAIObject):
    """What a model says about each text."""

    id: str
    model: str
    results: list[Moderation]
    @property
    def _hidden_params(self) -> dict[str, object]: ...
    @property
    def _response_ms(self) -> float: ...

class HttpxBinaryResponseContent:
    """Spoken text."""

    @property
    def content(self) -> bytes: ...
    @property
    def text(self) -> str: ...
    @property
    def _hidden_params(self) -> dict[str, object]: ...
    @property
    def _response_ms(self) -> float: ...
    def read(self) -> bytes: ...
    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]: ...
    def write_to_file(self, file: str | PathLike[str]) -> None: ...
    def stream_to_file(self, file: str | PathLike[str]) -> None: ...
    def __len__(self) -> int: ...

class Context:
    """The native side of `edgequake_obs.context`."""

    def __init__(
        self,
        *,
        user: str | None = None,
        session: str | None = None,
        tags: Mapping[str, object] | Sequence[str] | None = None,
        metadata: dict[str, object] | None = None,
        parent: Context | None = None,
    ) -> None: ...
    @property
    def cost_text(self) -> str: ...
    @property
    def calls(self) -> int: ...
    @property
    def unpriced_calls(self) -> int: ...
    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...

class EventLoop:
    """The bridge of one event loop."""

    def __init__(self, create_future: Callable[[], object]) -> None: ...
    def fileno(self) -> int: ...
    def drain(self) -> None: ...
    @property
    def is_stale(self) -> bool: ...

A = TypeVar("A")

class Pending(Generic[A]):
    """An asynchronous call under way."""

    @property
    def future(self) -> Future[A]: ...
    def abort(self) -> None: ...

class Tries:
    """One call that asks several models in turn."""

    def end(self) -> None: ...

class ChunkStream:
    """A stream of chunks as its consumer holds it."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> ModelResponseStream: ...
    def batch(self) -> list[ModelResponseStream] | None: ...
    def arrival(self, event_loop: EventLoop) -> Future[None] | None: ...
    def close(self) -> None: ...
    @property
    def hidden_params(self) -> dict[str, object]: ...
    @property
    def model(self) -> str | None: ...
    @property
    def provider(self) -> str: ...

@overload
def call_sync(
    op: Literal["chat"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    tries: Tries | None = None,
) -> ModelResponse | ChunkStream: ...
@overload
def call_sync(
    op: Literal["text_completion"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> TextCompletionResponse | ChunkStream: ...
@overload
def call_sync(
    op: Literal["embeddings"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> EmbeddingResponse: ...
@overload
def call_sync(
    op: Literal["responses"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> ResponsesAPIResponse | ChunkStream: ...
@overload
def call_sync(
    op: Literal["transcription"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> TranscriptionResponse | ChunkStream: ...
@overload
def call_sync(
    op: Literal["speech"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> HttpxBinaryResponseContent: ...
@overload
def call_sync(
    op: Literal["rerank"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> RerankResponse: ...
@overload
def call_sync(
    op: Literal["moderation"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> ModerationCreateResponse: ...
@overload
def call_sync(
    op: Literal["image_generation", "image_edit", "image_variation"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
) -> ImageResponse: ...
@overload
def call_async(
    op: Literal["chat"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
    tries: Tries | None = None,
) -> Pending[ModelResponse | ChunkStream]: ...
@overload
def call_async(
    op: Literal["text_completion"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[TextCompletionResponse | ChunkStream]: ...
@overload
def call_async(
    op: Literal["embeddings"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[EmbeddingResponse]: ...
@overload
def call_async(
    op: Literal["responses"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[ResponsesAPIResponse | ChunkStream]: ...
@overload
def call_async(
    op: Literal["transcription"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[TranscriptionResponse | ChunkStream]: ...
@overload
def call_async(
    op: Literal["speech"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[HttpxBinaryResponseContent]: ...
@overload
def call_async(
    op: Literal["rerank"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[RerankResponse]: ...
@overload
def call_async(
    op: Literal["moderation"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[ModerationCreateResponse]: ...
@overload
def call_async(
    op: Literal["image_generation", "image_edit", "image_variation"],
    model: str,
    input: object,
    params: dict[str, object],
    settings: Mapping[str, object],
    caller: Caller | None,
    event_loop: EventLoop,
) -> Pending[ImageResponse]: ...

class Call:
    """A call that somebody else's client makes. Every ending is idempotent: the first one wins."""

    @property
    def call_uid(self) -> str: ...
    @property
    def span(self) -> int: ...
    def attempt(self) -> None: ...
    def attempt_failed(self, status: int | None, error_type: str | None, request_id: str | None = None) -> None: ...
    def answered(self, status: int, headers: object, body: bytes) -> None: ...
    def failed(
        self,
        error_type: str,
        message: str,
        status: int | None = None,
        body: bytes | None = None,
        headers: object = None,
    ) -> None: ...
    def cancelled(self) -> None: ...
    def tap(self, status: int, headers: object, hide_usage: bool) -> StreamTap: ...

class Service:
    """Who answers a client of somebody else's SDK, and what all calls from that client have in common."""

    def __init__(
        self,
        *,
        origin: str,
        origin_version: str | None,
        base_url: str,
        server_address: str | None,
        provider: str | None = None,
    ) -> None: ...
    @property
    def provider(self) -> str: ...
    @property
    def server_address(self) -> str | None: ...

class Fetched:
    """In the place of a call: hears what a program fetches later of other calls, and makes their records."""

    def answered(self, status: int, headers: object, body: bytes) -> None: ...
    def feed(self, data: bytes) -> bytes: ...
    def eof(self) -> bytes: ...
    def closed(self) -> None: ...
    def attempt(self) -> None: ...
    def attempt_failed(self, status: int | None, error_type: str | None, request_id: str | None = None) -> None: ...
    def failed(
        self,
        error_type: str,
        message: str,
        status: int | None = None,
        body: bytes | None = None,
        headers: object = None,
    ) -> None: ...
    def cancelled(self) -> None: ...

class Frame:
    """One patched call under way.

    Attributes:
        call: The native call; None once its outcome is known, and for a call inside another one, which owns the record.
        tap: The native end of the answer, if that is a stream.
        streaming: The program gets a stream.
        asynchronous: The program awaits.
        hide_usage: We asked for the usage, not the program.
        options: What is sent instead of the program's options, where that is something else.
        retrying: An attempt has failed and another will follow.
        within: The library's call that this one is a part of.
        span: The ticket of its span in the program's own OpenTelemetry; 0: there is none.
        active: False once the call has returned. A task that was started inside the call still sees it afterwards.
    """

    call: Call | Part | Fetched | None
    tap: StreamTap | None
    streaming: bool
    asynchronous: bool
    hide_usage: bool
    options: Any
    retrying: bool
    within: Frame | None
    span: int
    active: bool

    def __new__(cls, call: Call | Part | Fetched | None, streaming: bool, asynchronous: bool) -> Self: ...

class SdkHooks:
    """The handlers of an SDK's `request` and `_process_response`; what is rare is left to functions of `module`."""

    def __init__(self, module: ModuleType) -> None: ...
    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any], asynchronous: bool) -> Frame | None: ...
    def request(self, original: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]) -> object: ...
    def process_response(
        self, original: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> object: ...

class LibraryCall:
    """A call made through a library whose transports are hooked too; it owns the record."""

    def __init__(self, call: Call) -> None: ...
    @property
    def call_uid(self) -> str: ...
    def part(
        self, surface: str, provider: str, model: str | None, server_address: str | None, api_key: str | None = None
    ) -> Part: ...
    def serves(self, surface: str, provider: str, model: str | None) -> None: ...
    def told(
        self, response_id: str | None, model: str | None, finish_reasons: list[str], usage: str | None
    ) -> None: ...
    def unsent(self, cached: bool) -> None: ...
    def chunk(self) -> None: ...
    def completed(self) -> None: ...
    def closed_early(self) -> None: ...
    def abandoned(self) -> None: ...
    def cancelled(self) -> None: ...
    def failed(self, error_type: str, message: str, status: int | None) -> None: ...

class Part:
    """One HTTP call of a transport beneath a library; it tells, and ends nothing."""

    def carried(self) -> list[tuple[str, str]]: ...
    def attempt(self) -> None: ...
    def attempt_failed(self, status: int | None, error_type: str | None, request_id: str | None = None) -> None: ...
    def answered(self, status: int, headers: object, body: bytes) -> None: ...
    def failed(
        self,
        error_type: str,
        message: str,
        status: int | None = None,
        body: bytes | None = None,
        headers: object = None,
    ) -> None: ...
    def cancelled(self) -> None: ...
    def tap(self, status: int, headers: object, hide_usage: bool) -> StreamTap: ...

class StreamTap:
    """Where the bytes of somebody else's stream pass by."""

    def feed(self, data: bytes) -> bytes | tuple[bytes, bytes]: ...
    def eof(self) -> bytes: ...
    def settle(self) -> None: ...
    def closed(self) -> None: ...
    def failed(self, error_type: str, message: str) -> None: ...

def begin_call(
    *,
    origin: str,
    origin_version: str | None,
    provider: str,
    operation: str,
    server_address: str | None,
    model: str | None,
    streaming: bool,
    params: Mapping[str, object] | None,
    caller: Caller | None,
    api_key: str | None = None,
    headers: Sequence[object] | None = None,
    asynchronous: bool = False,
) -> Call: ...

class Cost:
    """What a call cost, and why."""

    @property
    def usd(self) -> Decimal | None: ...
    @property
    def computed_usd(self) -> Decimal | None: ...
    @property
    def reported_usd(self) -> Decimal | None: ...
    @property
    def status(self) -> str: ...
    @property
    def buckets(self) -> dict[str, int]: ...
    @property
    def breakdown(self) -> dict[str, dict[str, int | Decimal]]: ...
    @property
    def breakdown_json(self) -> str: ...
    @property
    def price_key(self) -> str | None: ...
    @property
    def price_version(self) -> str: ...
    @property
    def price_source(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...

class Explanation(TypedDict):
    """How a model's prices are found, what they are, and what a usage costs by them."""

    price_version: str
    key: str | None
    source: str | None
    reason: str | None
    steps: list[tuple[str, str, str]]
    prices: dict[str, Decimal]
    cost: NotRequired[Cost]

def price_usage(
    usage: object,
    model: str,
    provider: str | None = None,
    usage_format: str | None = None,
    at_ns: int | None = None,
    service_tier: str | None = None,
    batch: bool = False,
    data_residency: str | None = None,
    vertex_location: str | None = None,
    base_model: str | None = None,
    custom_pricing: Mapping[str, object] | None = None,
    web_search_calls: int | None = None,
    asked_model: str | None = None,
    key_alias: str | None = None,
) -> Cost: ...
def price_row(row: Mapping[str, object], base_model: str | None = None, as_model: str | None = None) -> Cost | None: ...
def price_keys() -> list[str]: ...
def price_entry(key: str) -> str | None: ...
def price_key(provider: str, model: str) -> str | None: ...
def price_versions() -> tuple[str, str]: ...
def explain_price(model: str, provider: str, at_ns: int, usage: object = None) -> Explanation: ...
def compile_prices(table: str, as_of: str) -> tuple[bytes, str, int, list[str]]: ...
def price_changes(snapshot: bytes | None = None) -> list[tuple[str, str, str | None, str | None]]: ...
def price_corrections() -> str: ...
def updated_prices_path() -> str | None: ...
def reload_prices() -> None: ...
def configure_prices(*, path: str | None = None, content: str | None = None) -> None: ...
def register_prices(content: str) -> None: ...
def forget_registered_prices() -> None: ...
def price_problem() -> str | None: ...
def take_price_problem() -> str | None: ...
def record_told(
    *,
    origin: str,
    origin_version: str | None,
    provider: str,
    operation: str,
    model: str | None,
    response_model: str | None,
    response_id: str | None,
    server_address: str | None,
    params: Mapping[str, object] | None,
    caller: Caller | None,
    uid: bytes | None,
    start_ns: int | None,
    duration_ns: int,
    usage: str | None,
    body: bytes | None,
    cost_usd: str | None,
    batch: bool,
    http_status: int | None,
    error_type: str | None,
    error_message: str | None,
) -> str: ...

class Facts(TypedDict):
    """What a call's record says, for its callbacks."""

    call_uid: str
    outcome: str
    provider: str
    model: str | None
    response_id: str | None
    streaming: bool
    start_ns: int
    duration_ns: int
    time_to_first_chunk_ns: int | None
    cost: float | None
    input_tokens: int | None
    output_tokens: int | None
    usage: str | None
    session: str | None
    trace_id: str
    headers: dict[str, str]

class OverCall:
    """A call that is over, as its callbacks see it."""

    def facts(self) -> Facts: ...
    def answer(self) -> ModelResponse | EmbeddingResponse | dict[str, object] | str | None: ...
    def chunks(self) -> list[ModelResponseStream | dict[str, object]]: ...
    def exception(self) -> Exception | None: ...

class EndedCall:
    """A call that is over, as its span and its metrics see it."""

    def span(
        self,
    ) -> tuple[
        dict[str, str | int | float | bool | tuple[str, ...]],
        list[tuple[str, int, dict[str, str | int | float]]],
        bool,
        str | None,
        int,
    ]: ...
    def measurements(self) -> list[tuple[int, float, dict[str, str | int]]]: ...
    def event(self) -> tuple[dict[str, AnyValue], int, int, int] | None: ...
    @property
    def measured(self) -> bool: ...
    @property
    def logged(self) -> bool: ...

def otel_instruments() -> list[tuple[str, str, str, list[float] | None]]: ...

OTEL_SCOPE: str
OTEL_SCHEMA_URL: str
OTEL_EVENT: str

class UnredactedRecord:
    """A call whose record waits for the program's own redactor."""

    def leave(self, redact: Callable[[str], str], redact_json: Callable[[str], str]) -> None: ...

def take_events(most: int) -> list[tuple[str, int, object]]: ...
def events_descriptor() -> int | None: ...
def events_so_far() -> int: ...
def mask_credentials(text: str) -> str: ...
def redacted(value: object, own: Callable[[str], str] | None = None) -> object: ...
def count_tokens(name: str, text: str) -> int: ...
def encode_tokens(name: str, text: str) -> list[int]: ...
def decode_tokens(name: str, tokens: Sequence[int]) -> str: ...
def set_programs_redactor(given: bool) -> None: ...
def configure(
    *,
    ledger: str | None = None,
    service_name: str | None = None,
    otel: str | None = None,
    litellm_otel: bool = False,
    capture_content: str | None = None,
) -> None: ...
def flush(timeout: float) -> bool: ...
def flush_otlp(timeout: float) -> bool: ...
def is_otel_setting(given: str) -> bool: ...
def is_capture_setting(given: str) -> bool: ...
def abandon_open_calls() -> None: ...
def ledger_path() -> str | None: ...
def stats() -> dict[str, object]: ...
def take_warning() -> str | None: ...
def enabled() -> bool: ...
def stream_usage_injected() -> bool: ...
def surface_of(url: str) -> str | None: ...
def note_internal_error(place: str, error: BaseException) -> None: ...
def serves(provider: str) -> bool: ...
def provider_of_model(
    model: str, custom_llm_provider: str | None = None, api_base: str | None = None, api_key: str | None = None
) -> tuple[str, str, str | None, str | None]:
    """Model, provider, key and base, as litellm's `get_llm_provider` gives them."""
