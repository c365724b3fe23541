"""litellm's exceptions: its classes, attributes and choice by status, code and message."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


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

    def json(self) -> object:
        """The body, parsed.

        Raises:
            ValueError: It is no JSON.
        """
        from json import loads

        return loads(self.text)

    def __repr__(self) -> str:
        return f"<ErrorResponse [{self.status_code}]>"


class OpenAIError(Exception):
    """The base of everything that a call of ours raises.

    Attributes:
        message: What happened, with secrets masked.
        llm_provider: litellm's id of the provider.
        model: The model asked for.
        status_code: The HTTP status, or the one that litellm gives such an error.
        response: The provider's answer, where there was one.
        num_retries: How many attempts were made after the first.
        code: The provider's own code or type for the error.
    """

    status_code: int = 500

    def __init__(
        self,
        message: str = "",
        llm_provider: str = "",
        model: str = "",
        response: ErrorResponse | None = None,
        *,
        status_code: int | None = None,
        num_retries: int | None = None,
        max_retries: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.llm_provider = llm_provider
        self.model = model
        self.response = response
        self.num_retries = num_retries
        self.max_retries = max_retries
        self.code = code
        if status_code is not None:
            self.status_code = status_code

    def __reduce__(self) -> tuple[object, ...]:
        # Positional arguments alone would lose the rest on the way to another process.
        return (_restored, (type(self), vars(self)))


def _restored(kind: type[OpenAIError], fields: dict[str, object]) -> OpenAIError:
    error = kind(str(fields["message"]))
    vars(error).update(fields)
    return error


class APIError(OpenAIError):
    """The provider failed in a way that has no class of its own."""


class APIConnectionError(APIError):
    """No connection, or one that broke before the answer was whole."""


class Timeout(APIConnectionError):
    """No answer within the timeout."""

    status_code = 408


class APIResponseValidationError(APIError):
    """The provider's answer cannot be read."""


class APIStatusError(APIError):
    """The provider answered with an error status."""


class BadRequestError(APIStatusError):
    """400: the request is wrong, or was refused before it was sent."""

    status_code = 400


class ContextWindowExceededError(BadRequestError):
    """The conversation is longer than the model can take."""


class ContentPolicyViolationError(BadRequestError):
    """The provider's safety system refused the request."""


class UnsupportedParamsError(BadRequestError):
    """The provider does not know a parameter."""


class AuthenticationError(APIStatusError):
    """401: no key, or one that the provider does not accept."""

    status_code = 401


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this."""

    status_code = 403


class NotFoundError(APIStatusError):
    """404: no such model, or no such path."""

    status_code = 404


class UnprocessableEntityError(APIStatusError):
    """422."""

    status_code = 422


class RateLimitError(APIStatusError):
    """429: too many requests, or no quota left."""

    status_code = 429


class InternalServerError(APIStatusError):
    """500, and answers that are none."""

    status_code = 500


class BadGatewayError(APIStatusError):
    """502."""

    status_code = 502


class ServiceUnavailableError(APIStatusError):
    """503: overloaded, or down."""

    status_code = 503


class BudgetExceededError(OpenAIError):
    """A budget that the program set refused the call."""

    status_code = 429


# litellm's choice for OpenAI's dialect. 403 and 409 have no class there.
_BY_STATUS: dict[int, type[OpenAIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    404: NotFoundError,
    408: Timeout,
    413: BadRequestError,
    422: BadRequestError,
    429: RateLimitError,
    500: InternalServerError,
    502: BadGatewayError,
    503: ServiceUnavailableError,
    504: Timeout,
}

_CONTEXT_WINDOW = ("context_length_exceeded", "maximum context length", "context window")
_CONTENT_POLICY = ("content_policy_violation", "content_filter", "safety system", "responsibleaipolicyviolation")


def from_failure(
    *,
    kind: str,
    message: str,
    status: int | None,
    code: str | None,
    body: str,
    headers: Mapping[str, str],
    retries: int,
    provider: str,
    model: str,
) -> OpenAIError:
    """The exception for a failure that the native client reports; secrets are masked in it already."""
    chosen = _class_of(kind, status, code, message)
    # litellm spells the provider's own exception so: OpenAIException, GroqException.
    named = "OpenAI" if provider == "openai" else "".join(part.capitalize() for part in provider.split("_"))
    blamed = "" if kind == "invalid_request" else f"{named}Exception - "
    response = None if status is None or kind == "invalid_request" else ErrorResponse(status, headers, body)
    return chosen(
        f"litellm.{chosen.__name__}: {blamed}{message}",
        provider,
        model,
        response,
        status_code=status if chosen is APIError else None,
        num_retries=retries,
        code=code,
    )


def _class_of(kind: str, status: int | None, code: str | None, message: str) -> type[OpenAIError]:
    if kind == "timeout":
        return Timeout
    if kind == "connection":
        # litellm reports a connection that cannot be made as the provider's failure.
        return APIConnectionError
    if kind == "invalid_request" and code == "unsupported_params":
        return UnsupportedParamsError
    if kind == "invalid_response":
        return InternalServerError
    if status == 400 or code is not None:
        said = f"{code} {message}".lower()
        if any(sign in said for sign in _CONTEXT_WINDOW) and status in (400, 413, None):
            return ContextWindowExceededError
        if any(sign in said for sign in _CONTENT_POLICY) and status in (400, None):
            return ContentPolicyViolationError
    if status is None:
        return APIError
    return _BY_STATUS.get(status, InternalServerError if status > 504 else APIError)
