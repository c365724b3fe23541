"""Responses, images, sound, verdicts and rankings through our own client: what is sent, given back and recorded."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pydantic
import pytest

import edgequake_obs as obs

from .records import Ledger
from .server import Answer, Server, sse

KEY = "sk-test-0123456789abcdef"
USAGE = {
    "input_tokens": 11,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 16,
}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "gpt-4o-2024-08-06",
    "output": [
        {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "Hi."}]},
        {"type": "function_call", "id": "f", "call_id": "c", "name": "look", "arguments": "{}"},
    ],
    "usage": USAGE,
}
# 11 tokens in at 2.50 USD a million, 5 out at 10.
RESPONSE_USD = Decimal("0.0000775")
IMAGES = {"created": 1, "data": [{"url": "https://img.example/1.png"}]}


def given(server: Server) -> dict[str, Any]:
    return {"api_base": server.base, "api_key": KEY, "timeout": 30, "max_retries": 0}


def body(value: Any) -> Answer:
    return Answer(body=json.dumps(value).encode())


def test_a_response(server: Server, ledger: Ledger) -> None:
    server.will(body(RESPONSE), body(RESPONSE))
    answers = [
        obs.responses("Hello", "gpt-4o", instructions="Be brief", metadata={"a": "b"}, **given(server)),
        asyncio.run(obs.aresponses([{"role": "user", "content": "Hello"}], "openai/gpt-4o", **given(server))),
    ]
    for answer in answers:
        assert isinstance(answer, obs.ResponsesAPIResponse)
        assert (answer.id, answer.output_text, answer.output[1].name) == ("resp_1", "Hi.", "look")
        assert answer.usage is not None
        assert answer.usage.input_tokens_details.cached_tokens == 0
        assert answer._hidden_params["response_cost"] == float(RESPONSE_USD)
    assert server.requests[0].path == "/v1/responses"
    assert server.requests[0].json() == {
        "model": "gpt-4o", "input": "Hello", "instructions": "Be brief", "metadata": {"a": "b"},
    }  # fmt: skip
    for row in ledger.calls():
        assert (row["operation"], row["provider"], row["outcome"]) == ("chat", "openai", "completed")
        assert (row["response_id"], row["input_tokens"], row["output_tokens"]) == ("resp_1", 11, 5)
        assert (row["cost_usd"], row["cost_status"], row["reasoning_tokens"]) == (RESPONSE_USD, "priced", 2)


EVENTS = [
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
    {"type": "response.output_text.delta", "delta": "Hi."},
    {"type": "response.completed", "response": RESPONSE},
]


@pytest.mark.parametrize("way", ["sync", "async"])
def test_the_events_of_a_response(way: str, server: Server, ledger: Ledger) -> None:
    server.will(Answer(body=[sse(event) for event in EVENTS]))

    async def events() -> list[Any]:
        return [event async for event in await obs.aresponses("Hello", "gpt-4o", stream=True, **given(server))]  # type: ignore[union-attr]

    if way == "sync":
        got: list[Any] = list(obs.responses("Hello", "gpt-4o", stream=True, **given(server)))
    else:
        got = asyncio.run(events())
    assert [event.type for event in got] == [event["type"] for event in EVENTS]
    assert (got[1].delta, got[2].response.output_text) == ("Hi.", "Hi.")
    row = ledger.call()
    assert (row["streaming"], row["outcome"], row["chunks"]) == (True, "completed", 3)
    assert (row["cost_usd"], row["response_id"]) == (RESPONSE_USD, "resp_1")


def test_a_stream_of_events_that_is_left(server: Server, ledger: Ledger) -> None:
    never = threading.Event()
    server.will(Answer(body=[*(sse(event) for event in EVENTS[:2]), never]))
    with obs.responses("Hello", "gpt-4o", stream=True, **given(server)) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                break
    never.set()
    row = ledger.call()
    assert (row["outcome"], row["error_type"]) == ("closed_early", None)
    assert (row["cost_status"], row["estimated_output_tokens"]) == ("estimated", 1)


def test_a_response_that_failed_is_given_back(server: Server, ledger: Ledger) -> None:
    failed = {**RESPONSE, "status": "failed", "output": [], "error": {"code": "server_error", "message": "sorry"}}
    server.will(body(failed))
    answer = obs.responses("Hello", "gpt-4o", **given(server))
    assert (answer.status, answer.error["code"]) == ("failed", "server_error")
    row = ledger.call()
    assert (row["outcome"], row["error_type"], row["cost_usd"]) == ("error", "server_error", RESPONSE_USD)


def test_what_litellm_s_programs_keep_is_understood(server: Server) -> None:
    class Person(pydantic.BaseModel):
        name: str

    encoded = base64.b64encode(b"litellm:custom_llm_provider:openai;model_id:None;response_id:resp_0").decode()
    server.will(body(RESPONSE), body(RESPONSE))
    obs.responses("x", "gpt-4o", previous_response_id=f"resp_{encoded}", text_format=Person, **given(server))
    obs.responses("x", "gpt-4o", previous_response_id="resp_0123456789abcdef", **given(server))
    sent = [request.json() for request in server.requests]
    assert [request["previous_response_id"] for request in sent] == ["resp_0", "resp_0123456789abcdef"]
    form = sent[0]["text"]["format"]
    assert (form["type"], form["name"], list(form["schema"]["properties"])) == ("json_schema", "Person", ["name"])


def test_images_are_paid_by_the_piece(server: Server, ledger: Ledger) -> None:
    server.will(body(IMAGES), body(IMAGES))
    asked: dict[str, Any] = {"size": "1024x1024", "quality": "hd", "api_version": "2024-10-21", **given(server)}
    for answer in (
        obs.image_generation("a cat", "azure/dall-e-3", **asked),
        asyncio.run(obs.aimage_generation("a cat", "azure/dall-e-3", **asked)),
    ):
        assert isinstance(answer, obs.ImageResponse)
        assert answer.data[0].url == "https://img.example/1.png"
    assert server.requests[0].json() == {"prompt": "a cat", "size": "1024x1024", "quality": "hd"}
    for row in ledger.calls():
        # By the pixel, in the table's figure.
        usd = round(Decimal("8.39233e-08") * 1024 * 1024, 12)
        assert (row["operation"], row["cost_usd"]) == ("image_generation", usd)


def test_gemini_paints(server: Server, ledger: Ledger) -> None:
    usage = {
        "promptTokenCount": 11,
        "candidatesTokenCount": 1295,
        "totalTokenCount": 1306,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 11}],
        "candidatesTokensDetails": [
            {"modality": "TEXT", "tokenCount": 5},
            {"modality": "IMAGE", "tokenCount": 1290},
        ],
    }
    parts = [{"text": "Here"}, {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}]
    server.will(body({"candidates": [{"content": {"parts": parts}}], "usageMetadata": usage, "responseId": "r"}))
    where = {**given(server), "api_base": f"http://127.0.0.1:{server.port}/v1beta"}
    painted = obs.image_generation("A cat", "gemini/gemini-2.5-flash-image", size="1792x1024", **where)
    assert [image.b64_json for image in painted.data] == ["QUJD"]
    assert (painted.usage.output_tokens, painted.usage.output_tokens_details["image_tokens"]) == (1295, 1290)
    assert server.request.path == "/v1beta/models/gemini-2.5-flash-image:generateContent"
    assert server.request.json()["generationConfig"] == {
        "response_modalities": ["IMAGE", "TEXT"],
        "imageConfig": {"aspectRatio": "16:9"},
    }
    with pytest.raises(obs.UnsupportedParamsError, match="quality"):
        obs.image_generation("A cat", "gemini/gemini-2.5-flash-image", quality="hd", **where)
    with pytest.raises(obs.UnsupportedParamsError, match=r"7x5.*aspect_ratio"):
        obs.image_generation("A cat", "gemini/gemini-2.5-flash-image", size="7x5", **where)
    row = ledger.calls()[0]
    # 11 tokens in at 0.30 USD a million, 5 of text out at 2.50, 1290 of images at 30.
    assert (row["cost_usd"], row["cost_status"]) == (Decimal("0.0387158"), "priced")


def test_imagen_paints(server: Server, ledger: Ledger) -> None:
    image = {"bytesBase64Encoded": "QUJD", "mimeType": "image/png"}
    server.will(body({"predictions": [image, image]}))
    where = {**given(server), "api_base": f"http://127.0.0.1:{server.port}/v1beta"}
    asked = {"n": 2, "size": "1024x1792", "person_generation": "dont_allow", "unknown": 1}
    painted = obs.image_generation("A cat", "gemini/imagen-4.0-generate-001", **asked, **where)
    assert [image.b64_json for image in painted.data] == ["QUJD", "QUJD"]
    assert server.request.path == "/v1beta/models/imagen-4.0-generate-001:predict"
    assert server.request.json() == {
        "instances": [{"prompt": "A cat"}],
        "parameters": {"sampleCount": 2, "aspectRatio": "9:16", "personGeneration": "dont_allow"},
    }
    row = ledger.calls()[0]
    assert (row["provider"], row["request_model"], row["outcome"]) == ("gemini", "imagen-4.0-generate-001", "completed")


def test_images_are_changed(server: Server, ledger: Ledger, tmp_path: Path) -> None:
    png = b"\x89PNG\r\n\x1a\n rest"
    (tmp_path / "cat.bin").write_bytes(png)
    server.will(body({**IMAGES, "usage": {**USAGE, "input_tokens_details": {"text_tokens": 1, "image_tokens": 10}}}))
    obs.image_edit([tmp_path / "cat.bin", png], "a hat", "gpt-image-1", n=1, mask=io.BytesIO(png), **given(server))
    sent = server.requests[0]
    assert sent.path == "/v1/images/edits"
    assert sent.body.count(b'name="image[]"; filename="image.png"\r\nContent-Type: image/png\r\n\r\n' + png) == 2
    assert b'name="mask"; filename="mask.png"' in sent.body
    assert b'name="prompt"\r\n\r\na hat\r\n' in sent.body
    assert (ledger.call()["operation"], ledger.call()["input_tokens"]) == ("image_edit", 11)


def test_speech_is_paid_by_its_characters(server: Server, ledger: Ledger, tmp_path: Path) -> None:
    server.will(Answer(body=b"ID3audio"), Answer(body=b"ID3audio"))
    sound = obs.speech("tts-1", "Hello", "alloy", **given(server))
    assert asyncio.run(obs.aspeech("tts-1", "Hello", "alloy", **given(server))).content == b"ID3audio"
    sound.stream_to_file(tmp_path / "hello.mp3")
    assert (tmp_path / "hello.mp3").read_bytes() == b"".join(sound.iter_bytes(3)) == b"ID3audio"
    # 15 USD a million characters.
    assert [row["cost_usd"] for row in ledger.calls()] == [Decimal("0.000075")] * 2
    with pytest.raises(obs.BadRequestError, match="voice"):
        obs.speech("tts-1", "Hello", **given(server))
    refused = ledger.calls()[-1]
    assert (refused["operation"], refused["outcome"], refused["attempts"]) == ("speech", "error", 0)


def test_transcripts(server: Server, ledger: Ledger) -> None:
    recording = io.BytesIO(b"RIFF")
    recording.name = "/somewhere/hello.wav"
    server.will(body({"text": "Hello.", "duration": 2.0}), Answer(body=b"1\n00:00 --> 00:01\nHello.\n"))
    timed = obs.transcription("whisper-1", recording, language="en", **given(server))
    assert isinstance(timed, obs.TranscriptionResponse)
    assert (timed.text, timed.duration) == ("Hello.", 2.0)
    sent = server.requests[0].body
    assert b'name="file"; filename="hello.wav"\r\nContent-Type: audio/x-wav\r\n\r\nRIFF\r\n' in sent
    assert b'name="response_format"\r\n\r\nverbose_json\r\n' in sent
    asked = obs.atranscription("whisper-1", ("a.mp3", b"ID3"), response_format="srt", **given(server))
    assert asyncio.run(asked).text.startswith("1\n00:00")  # type: ignore[union-attr]
    rows = ledger.calls()
    # 0.0001 USD a second; subtitles do not say how long they are.
    assert [row["cost_usd"] for row in rows] == [Decimal("0.0002"), None]
    assert [row["cost_status"] for row in rows] == ["priced", "no_usage"]


@pytest.mark.parametrize("wrong", ["a.wav", io.StringIO("text"), 7])
def test_what_is_no_file_is_refused(wrong: object, server: Server, ledger: Ledger) -> None:
    with pytest.raises(obs.BadRequestError, match="file"):
        obs.transcription("whisper-1", wrong, **given(server))
    assert ledger.call()["attempts"] == 0
    assert server.requests == []


def test_verdicts_cost_nothing(server: Server, ledger: Ledger) -> None:
    verdict = {"flagged": True, "categories": {"self-harm/intent": True}, "category_scores": {"self-harm/intent": 0.9}}
    answer = {"id": "modr-1", "model": "omni-moderation-latest", "results": [verdict]}
    server.will(body(answer), body(answer))
    for found in (obs.moderation("bad", **given(server)), asyncio.run(obs.amoderation("bad", **given(server)))):
        assert found.results[0].flagged
        assert found.results[0].categories.self_harm_intent
    for row in ledger.calls():
        assert (row["operation"], row["cost_usd"], row["response_id"]) == ("moderation", 0, "modr-1")


def test_a_ranking(server: Server, ledger: Ledger) -> None:
    answer = {"model": "j", "usage": {"total_tokens": 9}, "results": [{"index": 1, "relevance_score": 0.9}]}
    server.will(body(answer), body(answer))
    model = "jina_ai/jina-reranker-v2-base-multilingual"
    for ranking in (
        obs.rerank(model, "q", ["a", "b"], top_n=1, **given(server)),
        asyncio.run(obs.arerank(model, "q", ["a", "b"], top_n=1, **given(server))),
    ):
        assert ranking.results[0]["index"] == 1
    assert server.requests[0].json()["documents"] == ["a", "b"]
    for row in ledger.calls():
        assert (row["operation"], row["provider"], row["cost_usd"]) == ("rerank", "jina_ai", Decimal("0.00000045"))


def test_errors_are_litellm_s_and_hold_no_key(server: Server, ledger: Ledger) -> None:
    error = {"error": {"message": f"Incorrect API key provided: {KEY}", "code": "invalid_api_key"}}
    server.will(Answer(status=401, body=json.dumps(error).encode()))
    with pytest.raises(obs.AuthenticationError) as raised:
        obs.image_generation("a cat", "gpt-image-1", **given(server))
    assert KEY not in str(raised.value)
    row = ledger.call()
    assert (row["outcome"], row["error_type"], row["http_status"]) == ("error", "invalid_api_key", 401)
    assert KEY not in row["error_message"]
    with pytest.raises(obs.UnsupportedParamsError, match="style"):
        obs.image_generation("a cat", "gpt-image-1", style="vivid", **given(server))
    with pytest.raises(obs.BadRequestError, match="not supported yet"):
        obs.speech("anthropic/claude-sonnet-4-5", "Hello", "alloy", **given(server))


def test_callbacks_get_the_answer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[Any, Any]] = []
    monkeypatch.setattr(obs, "success_callback", [lambda kwargs, answer, *_: told.append((kwargs, answer))])
    server.will(body(RESPONSE), Answer(body=b"ID3"))
    obs.responses("Hello", "gpt-4o", **given(server))
    obs.speech("tts-1", "Hello", "alloy", **given(server))
    assert obs.flush(10)
    (asked, response), (spoken, sound) = told
    assert isinstance(response, obs.ResponsesAPIResponse)
    assert (asked["call_type"], asked["response_cost"]) == ("responses", float(RESPONSE_USD))
    assert (spoken["call_type"], sound.content) == ("speech", b"ID3")
