"""The answer classes of `_native`, which `edgequake_obs` exports."""

from collections.abc import Iterator
from os import PathLike

from typing_extensions import Self

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
