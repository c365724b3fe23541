"""Which of litellm's exceptions a failed call raises: by what failed, the status, the provider's code and its words."""

from __future__ import annotations

from . import exceptions as errors
from .redaction import Program, redacted_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Kind = type[errors._Described]

# litellm's choice for OpenAI's dialect; a status that is not here is an `APIError`.
_BY_STATUS: dict[int, Kind] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    404: errors.NotFoundError,
    408: errors.Timeout,
    413: errors.BadRequestError,
    422: errors.BadRequestError,
    429: errors.RateLimitError,
    500: errors.InternalServerError,
    502: errors.BadGatewayError,
    503: errors.ServiceUnavailableError,
    504: errors.Timeout,
}
# Where litellm chooses otherwise for one provider: the class, and the status that the exception gets.
_BY_PROVIDER: dict[tuple[str, int], tuple[Kind, int]] = {
    ("anthropic", 413): (errors.BadRequestError, 400),
    ("anthropic", 529): (errors.InternalServerError, 500),
    ("azure", 413): (errors.APIError, 413),
    ("azure", 500): (errors.APIError, 500),
    ("huggingface", 422): (errors.APIError, 422),
    ("huggingface", 500): (errors.APIError, 500),
    ("huggingface", 504): (errors.APIError, 504),
    ("ollama", 403): (errors.PermissionDeniedError, 403),
    ("openrouter", 413): (errors.APIError, 413),
}

_CONTEXT_WINDOW = (
    "context_length_exceeded",
    "maximum context length",
    "context window",
    "prompt is too long",
    "input token count",
    "too many total text bytes",
)
_CONTENT_POLICY = (
    "content_policy_violation",
    "content_filter",
    "safety system",
    "responsibleaipolicyviolation",
    "content filtering policy",
    "content management policy",
    "blocked due to safety",
)


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
    in_stream: bool = False,
) -> errors._Described:
    """The exception for a failure that the native client reports; credentials are masked in it already."""
    if Program.redact is not None:
        message, body = redacted_text(message), redacted_text(body)
        headers = {name: redacted_text(value) for name, value in headers.items()}
    chosen, given = _class_of(kind, status, code, message, provider)
    # litellm spells the provider's own exception so: OpenAIException, GroqException.
    named = "OpenAI" if provider == "openai" else "".join(part.capitalize() for part in provider.split("_"))
    blamed = "" if kind == "invalid_request" else f"{named}Exception - "
    response = None if status is None or kind == "invalid_request" else errors.ErrorResponse(status, headers, body)
    made = chosen(
        message=f"litellm.{chosen.__name__}: {blamed}{message}",
        llm_provider=provider,
        model=model,
        response=response,
        num_retries=retries,
        code=code,
        body=_error_object(body),
    )
    if given is not None:
        made.status_code = given
    if not in_stream or kind == "timeout" or 400 <= made.status_code < 500:
        return made
    # What the provider breaks in the middle is another's to go on with; litellm has a class for it.
    broken = errors.MidStreamFallbackError(**{**vars(made), "original_exception": made, "message": made.message})
    broken.status_code = made.status_code
    return broken


def _class_of(kind: str, status: int | None, code: str | None, message: str, provider: str) -> tuple[Kind, int | None]:
    if kind == "timeout":
        return errors.Timeout, None
    if kind == "connection":
        return errors.APIConnectionError, None
    if kind == "invalid_response":
        return errors.InternalServerError, None
    if code == "unsupported_params":
        return errors.UnsupportedParamsError, None
    if status == 400 or code is not None:
        said = f"{code} {message}".lower()
        if status in (400, 413, None) and any(sign in said for sign in _CONTEXT_WINDOW):
            return errors.ContextWindowExceededError, None
        if status in (400, None) and any(sign in said for sign in _CONTENT_POLICY):
            return errors.ContentPolicyViolationError, None
    if status is None:
        return errors.APIError, None
    otherwise = _BY_PROVIDER.get((provider, status))
    return otherwise or (_BY_STATUS.get(status, errors.APIError), status)


def _error_object(body: str) -> object:
    if not body.lstrip().startswith("{"):
        return None
    from json import loads

    try:
        parsed: object = loads(body)
    except ValueError:
        return None
    return parsed
