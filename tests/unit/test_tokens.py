"""Counting tokens: OpenAI's own, without a package and without the network."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest

import edgequake_obs as obs

MESSAGES = [{"role": "user", "content": "Hello, who are you?"}]
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "City name"}, "days": {"type": "array", "items": {}}},
    "required": ["city"],
}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Of a city", "parameters": PARAMETERS}}


def _png(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)
    return f"data:image/png;base64,{base64.b64encode(head).decode()}"


def test_tokens_are_openais() -> None:
    # The numbers that tiktoken 0.12 gives for cl100k_base.
    assert obs.encode("gpt-4", "Hello world 😀") == [9906, 1917, 91416]
    assert obs.decode("gpt-4", [9906, 1917]) == "Hello world"
    assert obs.token_counter("gpt-4", text="<|endoftext|> hi") == 8
    with pytest.raises(ValueError, match="no such token"):
        obs.decode("gpt-4", [10**9])


def test_newer_models_count_by_their_own_vocabulary() -> None:
    text = "日本語テキスト 😀 émigré"
    assert (obs.token_counter("gpt-3.5-turbo", text=text), obs.token_counter("gpt-4o", text=text)) == (12, 9)


def test_messages_count_with_what_is_around_them() -> None:
    text = obs.token_counter(text="user") + obs.token_counter(text=MESSAGES[0]["content"])
    assert obs.token_counter(messages=MESSAGES) == text + 3 + 3
    assert obs.token_counter(messages=MESSAGES, count_response_tokens=True) == text + 3
    named = [{**MESSAGES[0], "name": "ann"}]
    assert obs.token_counter(messages=named) == obs.token_counter(messages=MESSAGES) + obs.token_counter(text="ann") + 1


def test_functions_count_as_openai_writes_them() -> None:
    written = (
        "namespace functions {\n\n// Of a city\ntype weather = (_: {\n// City name\ncity: string,\ndays?: any[],\n"
        "}) => any;\n\n} // namespace functions"
    )
    plain = obs.token_counter(messages=MESSAGES)
    assert obs.token_counter(messages=MESSAGES, tools=[TOOL]) == plain + obs.token_counter(text=written) + 9
    chosen = {"type": "function", "function": {"name": "weather"}}
    both = obs.token_counter(messages=MESSAGES, tools=[TOOL], tool_choice=chosen)
    assert both == obs.token_counter(messages=MESSAGES, tools=[TOOL]) + 7 + obs.token_counter(text="weather")


@pytest.mark.parametrize(
    ("image", "tokens"),
    [
        ({"url": _png(4096, 8192)}, 85),
        ({"url": _png(4096, 8192), "detail": "low"}, 85),
        ({"url": _png(1024, 1024), "detail": "high"}, 85 + 4 * 170),
        ({"url": _png(2048, 4096), "detail": "high"}, 85 + 6 * 170),
        ({"url": "https://example.com/a.png", "detail": "high"}, 250),
    ],
)
def test_images_count_by_their_detail(image: dict[str, Any], tokens: int) -> None:
    # The figures of OpenAI's vision guide.
    message = {"role": "user", "content": [{"type": "image_url", "image_url": image}]}
    empty = {"role": "user", "content": []}
    assert obs.token_counter(messages=[message]) - obs.token_counter(messages=[empty]) == tokens


def test_what_cannot_be_counted() -> None:
    with pytest.raises(ValueError, match="give one of them"):
        obs.token_counter("gpt-4")
    assert obs.token_counter("gpt-4", messages=[None], default_token_count=7) == 7


def test_a_conversation_is_trimmed_from_its_oldest_message() -> None:
    told = {"role": "system", "content": "Be terse."}
    talk = [{"role": "user", "content": f"{number} " + "word " * 50} for number in range(6)]
    answer = {"role": "tool", "tool_call_id": "c1", "content": "21"}
    kept = obs.trim_messages([told, *talk, answer], "gpt-4", max_tokens=150)
    assert kept[0] == told
    assert kept[-1] == answer
    assert kept[-2] == talk[-1]
    assert obs.token_counter("gpt-4", messages=kept[:-1]) <= 150
    assert ".." in kept[1]["content"]
    assert obs.trim_messages(talk, "gpt-4", max_tokens=10_000) == talk
    assert obs.trim_messages(talk, "no-such-model") == talk


def test_a_stream_is_put_together() -> None:
    def chunk(delta: dict[str, object], finish: str | None = None) -> dict[str, object]:
        return {"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a"'}}
    rest = {"index": 0, "function": {"arguments": ":1}"}}
    parts = [{"role": "assistant", "reasoning_content": "Hm"}, {"reasoning_content": "."}, {"tool_calls": [call]}]
    whole = obs.stream_chunk_builder([*map(chunk, parts), chunk({"tool_calls": [rest]}, "tool_calls")], MESSAGES)
    assert whole is not None
    message = whole.choices[0].message
    assert (message.content, message.reasoning_content) == (None, "Hm.")  # type: ignore[attr-defined]
    assert message.tool_calls[0].function.arguments == '{"a":1}'  # type: ignore[index]
    assert whole.choices[0].finish_reason == "tool_calls"
    assert whole.usage.prompt_tokens == obs.token_counter(messages=MESSAGES)
    assert obs.stream_chunk_builder([]) is None
