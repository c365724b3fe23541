"""`token_counter`, `encode`, `decode`: OpenAI's tokens where tiktoken is installed, else an estimate.

tiktoken comes with `pip install edgequake-obs[tokens]`, and reads its vocabularies from the network or from
`TIKTOKEN_CACHE_DIR`. Without either, `token_counter` estimates (about four characters of ASCII a token, one for each
character of other scripts) and says so once in the log; `encode` and `decode` raise.
"""

from __future__ import annotations

from . import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Protocol

    class Encoding(Protocol):
        """What we use of tiktoken's."""

        def encode(self, text: str, *, disallowed_special: tuple[str, ...]) -> list[int]: ...
        def decode(self, tokens: Sequence[int]) -> str: ...


# OpenAI's chat format around each message and before the answer (its cookbook, "How to count tokens"); litellm counts
# every model's so.
_AROUND_MESSAGE, _BEFORE_ANSWER, _FOR_NAME = 3, 3, 1
# Of an image whose size is not known: OpenAI's base, and litellm's default.
_IMAGE_BASE, _IMAGE_DEFAULT = 85, 250
_DEEPEST = 16

_encodings: dict[str, Encoding | None] = {}


def token_counter(
    model: str = "",
    custom_tokenizer: Mapping[str, object] | None = None,
    text: str | Sequence[str] | None = None,
    messages: Iterable[object] | None = None,
    count_response_tokens: bool | None = False,
    tools: Sequence[object] | None = None,
    tool_choice: object = None,
    use_default_image_token_count: bool | None = False,
    default_token_count: int | None = None,
) -> int:
    """How many tokens a text, or a conversation, takes.

    Args:
        model: Whose tokens; other vendors' are counted as OpenAI's.
        custom_tokenizer: Not supported: OpenAI's tokens are counted.
        text: A text, or several; counted by themselves.
        messages: A conversation; counted with the tokens of the chat format.
        count_response_tokens: Whether the messages are an answer, which has no tokens around it.
        tools: The functions offered with the messages.
        tool_choice: Which of them.
        use_default_image_token_count: Whether an image counts for litellm's default.
        default_token_count: What to give back where counting fails.

    Returns:
        Tokens; estimated without tiktoken (see the module).

    Raises:
        ValueError: Neither text nor messages were given.
    """
    if text is None and messages is None:
        raise ValueError("text and messages are both None: give one of them")
    try:
        size = _Counter(_counted_by(model), _IMAGE_DEFAULT if use_default_image_token_count else _IMAGE_BASE)
        if text is not None:
            return size.of("".join(text) if not isinstance(text, str) else text)
        total = sum(map(size.of_message, messages or ()))
        if tools:
            total += size.of(_json(tools)) + (size.of(_json(tool_choice)) if tool_choice else 0)
        return total if count_response_tokens else total + _BEFORE_ANSWER
    except Exception:
        if default_token_count is not None:
            return default_token_count
        raise


def encode(model: str = "", text: str = "", custom_tokenizer: Mapping[str, object] | None = None) -> list[int]:
    """The tokens of a text.

    Raises:
        ImportError: tiktoken, or its vocabulary, is not there.
    """
    return _encoding_or_error(model).encode(text, disallowed_special=())


def decode(model: str = "", tokens: Sequence[int] = (), custom_tokenizer: Mapping[str, object] | None = None) -> str:
    """The text of tokens.

    Raises:
        ImportError: tiktoken, or its vocabulary, is not there.
    """
    return _encoding_or_error(model).decode(tokens)


class _Counter:
    def __init__(self, count: Callable[[str], int], image: int) -> None:
        self.of = count
        self._image = image

    def of_message(self, message: object) -> int:
        dump: Callable[[], dict[str, object]] | None = getattr(message, "model_dump", None)
        fields: dict[str, object] = message if dump is None else dump()  # type: ignore[assignment]
        total = _AROUND_MESSAGE
        for name, value in fields.items():
            total += self._of_value(value, 0)
            if name == "name" and value:
                total += _FOR_NAME
        return total

    def _of_value(self, value: object, depth: int) -> int:
        if isinstance(value, str):
            return self.of(value)
        if depth > _DEEPEST:
            return 0
        if isinstance(value, list):
            items: list[object] = value  # type: ignore[assignment]
            return sum(self._of_value(item, depth + 1) for item in items)
        if isinstance(value, dict):
            part: dict[str, object] = value  # type: ignore[assignment]
            if part.get("type") in ("image_url", "image", "input_image"):
                return self._image
            if part.get("type") == "function" and isinstance(part.get("function"), dict):
                return self._of_value(part["function"], depth + 1)
            names = ("type", "id", "cache_control")
            return sum(self._of_value(item, depth + 1) for name, item in part.items() if name not in names)
        return 0


def _counted_by(model: str) -> Callable[[str], int]:
    encoding = _encoding(model)
    if encoding is None:
        return _native.estimate_tokens
    return lambda text: len(encoding.encode(text, disallowed_special=()))


def _encoding_or_error(model: str) -> Encoding:
    encoding = _encoding(model)
    if encoding is None:
        raise ImportError("this needs tiktoken and its vocabulary: pip install 'edgequake-obs[tokens]'")
    return encoding


def _encoding(model: str) -> Encoding | None:
    newer = ("gpt-4o", "gpt-4.1", "gpt-5", "o1", "o3", "o4", "chatgpt-4o")
    name = "o200k_base" if model.rpartition("/")[2].startswith(newer) else "cl100k_base"
    if name not in _encodings:
        _encodings[name] = _loaded(name)
    return _encodings[name]


def _loaded(name: str) -> Encoding | None:
    try:
        from tiktoken import get_encoding  # pyright: ignore[reportMissingImports, reportUnknownVariableType]

        encoding: Encoding = get_encoding(name)  # pyright: ignore[reportUnknownVariableType]
    except Exception as error:  # not installed, or its vocabulary cannot be read: requests raises what it likes
        from logging import getLogger

        getLogger("edgequake_obs").warning(
            "token counts are estimates, as tiktoken cannot be used (%s): pip install 'edgequake-obs[tokens]'",
            type(error).__name__,
        )
        return None
    return encoding  # pyright: ignore[reportUnknownVariableType]


def _json(value: object) -> str:
    from json import dumps

    return dumps(value, ensure_ascii=False, separators=(",", ":"))
