"""`token_counter`, `encode`, `decode`: OpenAI's tokens; other vendors' text is counted in them too, as in litellm.

The vocabularies come with the extension, so that counting needs neither a package nor the network; they are read when
first asked for (some 50 ms).
"""

from __future__ import annotations

from . import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

# OpenAI's chat format around each message and before the answer (its cookbook, "How to count tokens"); litellm counts
# every model's so.
_AROUND_MESSAGE, _BEFORE_ANSWER, _FOR_NAME = 3, 3, 1
# Functions stand in the prompt as TypeScript (github.com/hmarr/openai-chat-tokens, measured against OpenAI's usage).
_AROUND_FUNCTIONS, _BESIDE_SYSTEM, _NO_CHOICE, _NAMED_CHOICE = 9, -4, 1, 7
# An image of low detail, and each tile of one of high detail (OpenAI's vision guide); one whose size is not known
# counts as litellm's default.
_IMAGE_BASE, _IMAGE_TILE, _IMAGE_DEFAULT = 85, 170, 250
_DEFAULT_ENCODING, _NEWER_ENCODING = "cl100k_base", "o200k_base"
_NEWER = ("gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "gpt-6", "o1", "o3", "o4", "chatgpt-4o")


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
        Tokens.

    Raises:
        ValueError: Neither text nor messages were given.
    """
    if text is None and messages is None:
        raise ValueError("text and messages are both None: give one of them")
    size = _Counter(_encoding(model), bool(use_default_image_token_count))
    try:
        if text is not None:
            return size.of("".join(text) if not isinstance(text, str) else text)
        listed: list[Mapping[str, Any]] = [_fields(message) for message in messages or ()]
        total = sum(map(size.of_message, listed))
        if not count_response_tokens:
            total += _BEFORE_ANSWER
        if tools:
            total += size.of_tools(tools)
            if any(message.get("role") == "system" for message in listed):
                total += _BESIDE_SYSTEM
        return total + size.of_choice(tool_choice)
    except Exception:
        if default_token_count is not None:
            return default_token_count
        raise


def encode(model: str = "", text: str = "", custom_tokenizer: Mapping[str, object] | None = None) -> list[int]:
    """The tokens of a text, in cl100k_base whatever the model, as litellm's."""
    return _native.encode_tokens(_DEFAULT_ENCODING, text)


def decode(model: str = "", tokens: Sequence[int] = (), custom_tokenizer: Mapping[str, object] | None = None) -> str:
    """The text of tokens that `encode` made.

    Raises:
        ValueError: A number is no token.
    """
    return _native.decode_tokens(_DEFAULT_ENCODING, tokens)


class _Counter:
    def __init__(self, encoding: str, images_by_default: bool) -> None:
        self._encoding = encoding
        self._images_by_default = images_by_default

    def of(self, text: str) -> int:
        return _native.count_tokens(self._encoding, text)

    def of_message(self, message: Mapping[str, Any]) -> int:
        total = _AROUND_MESSAGE
        for name, value in message.items():
            if name == "tool_calls":
                total += sum(self.of(str(call["function"].get("arguments") or "")) for call in value or ())
            elif isinstance(value, str):
                total += self.of(value) + (_FOR_NAME if name == "name" else 0)
            elif isinstance(value, list):
                parts: list[object] = value  # type: ignore[assignment]
                total += sum(map(self._of_part, parts))
        return total

    def _of_part(self, part: object) -> int:
        if isinstance(part, str):
            return self.of(part)
        if not isinstance(part, dict):
            return 0
        fields: dict[str, Any] = part  # type: ignore[assignment]
        if fields.get("type") in ("image_url", "image", "input_image"):
            return self._of_image(fields.get("image_url"))
        found = 0
        for name in ("text", "thinking", "content", "input"):
            value = fields.get(name)
            if isinstance(value, str):
                found += self.of(value)
            elif isinstance(value, list):
                inner: list[object] = value  # type: ignore[assignment]
                found += sum(map(self._of_part, inner))
        return found

    def _of_image(self, image: object) -> int:
        if self._images_by_default:
            return _IMAGE_DEFAULT
        if not isinstance(image, dict) or image.get("detail") != "high":  # pyright: ignore[reportUnknownMemberType]
            return _IMAGE_BASE
        from .image_sizes import high_detail_tiles

        tiles = high_detail_tiles(str(image.get("url")))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        return _IMAGE_DEFAULT if tiles is None else _IMAGE_BASE + _IMAGE_TILE * tiles

    def of_tools(self, tools: Sequence[object]) -> int:
        from .function_definitions import typescript

        return self.of(typescript(tools)) + _AROUND_FUNCTIONS

    def of_choice(self, choice: object) -> int:
        if choice == "none":
            return _NO_CHOICE
        if isinstance(choice, dict):
            named: dict[str, Any] = choice  # type: ignore[assignment]
            return _NAMED_CHOICE + self.of(str((named.get("function") or named).get("name") or ""))
        return 0


def _fields(message: object) -> Mapping[str, Any]:
    dump = getattr(message, "model_dump", None)
    return message if dump is None else dump()  # type: ignore[return-value]


def _encoding(model: str) -> str:
    return _NEWER_ENCODING if model.rpartition("/")[2].startswith(_NEWER) else _DEFAULT_ENCODING
