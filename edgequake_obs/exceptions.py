"""litellm's exceptions: its classes, their attributes, and its order of arguments.

As in litellm, each is a subclass of openai's class for the same thing once the program has imported openai; before,
and where openai is not installed, of a stand-in of that name (see `openai_errors`).
"""

from __future__ import annotations

from . import openai_errors as openai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

_MESSAGE_FIRST = ("message", "llm_provider", "model", "response", "litellm_debug_info", "max_retries", "num_retries")
_MODEL_SECOND = ("message", "model", "llm_provider", "response", "litellm_debug_info", "max_retries", "num_retries")
_STATUS_FIRST = (
    "status_code",
    "message",
    "llm_provider",
    "model",
    "request",
    "litellm_debug_info",
    "max_retries",
    "num_retries",
    "body",
)


class ModelNotMappedError(Exception):
    """The price table has no entry for a model."""


class ErrorResponse:
    """The provider's answer behind an exception, with the attributes of `httpx.Response` that programs read.

    Keys and bearer tokens are masked in it.
    """

    def __init__(self, status_code: int, headers: Mapping[str, str], text: str) -> None:
        self.status_code = status_code
        self.headers = dict(headers)
        self.text = text

    @property
    def content(self) -> bytes:
        """The body."""
        return self.text.encode()

    def json(self) -> object:
        """The body, parsed.

        Raises:
            ValueError: It is no JSON.
        """
        from json import loads

        return loads(self.text)

    def __repr__(self) -> str:
        return f"<ErrorResponse [{self.status_code}]>"


class _Described(openai.OpenAIError):
    """What litellm's exceptions have in common.

    Attributes:
        message: What happened, with secrets masked.
        llm_provider: litellm's id of the provider.
        model: The model asked for.
        status_code: The HTTP status, or the one that litellm gives such an error.
        response: The provider's answer, where there was one.
        body: The answer's error object, where it was JSON.
        code: The provider's own code or type for the error.
        num_retries: How many attempts were made after the first.
        max_retries: How many there could have been.
        litellm_debug_info: Whatever a program has put there.
    """

    # The names of positional arguments; any may be given by name, and others of the attributes too.
    _positions: tuple[str, ...] = _MESSAGE_FIRST

    message: str = ""
    llm_provider: str | None = ""
    model: str | None = ""
    status_code: int = 500
    response: ErrorResponse | None = None
    request: object = None
    body: object = None
    code: str | None = None
    param: str | None = None
    type: str | None = None
    num_retries: int | None = None
    max_retries: int | None = None
    litellm_debug_info: str | None = None

    def __init__(self, *values: object, **fields: object) -> None:
        if len(values) > len(self._positions):
            raise TypeError(f"{type(self).__name__} takes at most {len(self._positions)} positional arguments")
        given: dict[str, object] = {**dict(zip(self._positions, values, strict=False)), **fields}
        # openai's own initialisers ask for a response and a request that nobody may have.
        Exception.__init__(self, given.get("message", ""))
        vars(self).update(given)

    def __reduce__(self) -> tuple[object, ...]:
        # Positional arguments alone would lose the rest on the way to another process.
        return (_restored, (type(self), vars(self)))

    def with_retries(self, attempts: int) -> Self:
        """The same, with the number of attempts made after the first."""
        self.num_retries = attempts
        return self


def _restored(kind: type[_Described], fields: dict[str, object]) -> _Described:
    error = kind.__new__(kind, fields.get("message", ""))
    Exception.__init__(error, fields.get("message", ""))
    vars(error).update(fields)
    return error


class APIError(_Described, openai.APIError):
    """The provider failed in a way that has no class of its own."""

    _positions = _STATUS_FIRST


class APIConnectionError(_Described, openai.APIConnectionError):
    """No connection, or one that broke before the answer was whole."""


class Timeout(_Described, openai.APITimeoutError):
    """No answer within the timeout (408), or the provider's own timeout (504)."""

    _positions = ("message", "model", "llm_provider", "litellm_debug_info", "max_retries", "num_retries", "headers")
    status_code = 408


class APIResponseValidationError(_Described, openai.APIResponseValidationError):
    """The provider's answer cannot be read."""

    _positions = ("message", "llm_provider", "model", "litellm_debug_info", "max_retries", "num_retries")


class JSONSchemaValidationError(APIResponseValidationError):
    """The answer does not follow the schema that was asked for.

    Attributes:
        raw_response: What the model wrote.
        schema: The schema, as text.
    """

    _positions = ("model", "llm_provider", "raw_response", "schema")
    raw_response: str = ""
    schema: str = ""


class BadRequestError(_Described, openai.BadRequestError):
    """The request is wrong (400, 413, 422), or was refused before it was sent."""

    _positions = (*_MODEL_SECOND, "body")
    status_code = 400


class ContextWindowExceededError(BadRequestError):
    """The conversation is longer than the model can take."""


class ContentPolicyViolationError(BadRequestError):
    """The provider's safety system refused the request."""


class UnsupportedParamsError(BadRequestError):
    """The provider does not know a parameter."""

    _positions = ("message", "llm_provider", "model", "status_code", "response", "litellm_debug_info")


class ImageFetchError(BadRequestError):
    """An image's URL could not be read."""


class LiteLLMUnknownProvider(BadRequestError):
    """The provider of a model cannot be told."""

    _positions = ("model", "custom_llm_provider")


class InvalidRequestError(_Described, openai.BadRequestError):
    """openai's old name for a wrong request."""

    _positions = ("message", "model", "llm_provider")
    status_code = 400


class AuthenticationError(_Described, openai.AuthenticationError):
    """401: no key, or one that the provider does not accept."""

    status_code = 401


class PermissionDeniedError(_Described, openai.PermissionDeniedError):
    """403: the key may not do this."""

    status_code = 403


class NotFoundError(_Described, openai.NotFoundError):
    """404: no such model, or no such path."""

    _positions = _MODEL_SECOND
    status_code = 404


class UnprocessableEntityError(_Described, openai.UnprocessableEntityError):
    """422."""

    _positions = _MODEL_SECOND
    status_code = 422


class RateLimitError(_Described, openai.RateLimitError):
    """429: too many requests, or no quota left."""

    status_code = 429


class InternalServerError(_Described, openai.InternalServerError):
    """500, and answers that are none."""

    status_code = 500


class BadGatewayError(_Described, openai.APIStatusError):
    """502."""

    status_code = 502


class ServiceUnavailableError(_Described, openai.APIStatusError):
    """503: overloaded, or down."""

    status_code = 503


class MidStreamFallbackError(ServiceUnavailableError):
    """A stream broke on the provider's side after it had begun; another model may go on where it ended.

    Attributes:
        original_exception: What the failure would be before the stream began.
        is_pre_first_chunk: Whether nothing had arrived yet.
    """

    _positions = ("message", "model", "llm_provider", "original_exception")
    original_exception: Exception | None = None
    is_pre_first_chunk: bool = False


class BudgetExceededError(Exception):
    """A budget that the program set refused the call.

    Attributes:
        current_cost: USD spent so far.
        max_budget: USD that were allowed.
    """

    status_code = 429

    def __init__(
        self, current_cost: float = 0.0, max_budget: float = 0.0, message: str | None = None, **fields: object
    ) -> None:
        self.current_cost = current_cost
        self.max_budget = max_budget
        self.message = message or f"Budget has been exceeded! Current cost: {current_cost}, Max budget: {max_budget}"
        super().__init__(self.message)
        vars(self).update(fields)

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.current_cost, self.max_budget, self.message))


OpenAIError = openai.OpenAIError

openai.await_openai()
