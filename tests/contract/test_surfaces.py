"""What else than chat and embeddings the SDK calls: each surface makes one record, with its usage where it has one."""

from __future__ import annotations

from typing import Any

import openai
import pydantic
import pytest

from .conftest import Compare
from .runs import FLAVOURS, VERSION, Program, items, only, result

pytestmark = pytest.mark.parametrize("flavour", FLAVOURS)

DONE = {"outcome": "completed", "origin": "openai", "http_status": 200, "attempts": 1, "provider": "openai"}
needs_responses = pytest.mark.skipif(VERSION < (1, 66), reason="this version has no responses")


def cost(record: dict[str, Any]) -> str | None:
    return record.get("cost_usd")


def test_text_completion(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("completion")
        return await result(client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Hello", max_tokens=16))

    both = compare(situation, flavour)
    only(both.records, **DONE, operation="text_completion", input_tokens=8, output_tokens=16, finish_reasons=["length"])
    assert cost(both.record) == "0.000048", "24 tokens of 2 USD per million: the model that answered"


def test_text_completion_streamed(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("completion-stream").completions.create
        return await items(await result(create(model="m", prompt="How are you?", stream=True)))

    both = compare(situation, flavour)
    assert both.patched[0].body["stream_options"] == {"include_usage": True}
    only(both.records, **DONE, operation="text_completion", streaming=True, input_tokens=None)
    assert both.record["estimated_output_tokens"] > 0


@needs_responses
def test_response(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await result(program.client("response").responses.create(model="gpt-4o", input="Hello"))

    both = compare(situation, flavour)
    only(both.records, **DONE, operation="chat", request_model="gpt-4o", response_model="gpt-4o-2024-08-06")
    usage = both.saw["fields"]["usage"]
    only(both.records, input_tokens=usage["input_tokens"], output_tokens=usage["output_tokens"])
    assert both.record["response_id"] == both.saw["fields"]["id"]
    assert both.record["cost_status"] == "priced"
    assert both.record["finish_reasons"] == ["completed"]


@needs_responses
def test_response_parsed(compare: Compare, flavour: str) -> None:
    class Text(pydantic.BaseModel):
        text: str

    async def situation(program: Program) -> object:
        # The recorded answer is prose: the SDK refuses it, after it was paid for.
        return await result(program.client("response").responses.parse(model="gpt-4o", input="Hi", text_format=Text))

    only(compare(situation, flavour, raises="ValidationError").records, **DONE, operation="chat")


@needs_responses
def test_response_streamed(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("response-stream").responses.create
        return [type(event) for event in await items(await result(create(model="m", input="Hello", stream=True)))]

    both = compare(situation, flavour)
    only(both.records, **DONE, operation="chat", streaming=True, chunks=len(both.saw), input_tokens=21)
    assert both.record["output_tokens"] > 0
    assert both.record["time_to_first_chunk_ns"] > 0


@needs_responses
@pytest.mark.parametrize("pieces", [None, "one", 7])
@pytest.mark.parametrize("at", ["response.created", "response.completed"])
def test_response_stream_left(compare: Compare, flavour: str, at: str, pieces: object) -> None:
    async def situation(program: Program) -> object:
        options = {} if pieces is None else {"pieces": pieces}
        client = program.client("response-stream", options=options)
        stream = await result(client.responses.create(model="m", input="Hello", stream=True))
        if program.asynchronous:
            async for event in stream:
                if event.type == at:
                    break
            await stream.close()
        else:
            for event in stream:
                if event.type == at:
                    break
            stream.close()
        return None

    # Who has had the last event has had everything, though the SDK would ask for the end of the body.
    expected = "completed" if at == "response.completed" else "closed_early"
    only(compare(situation, flavour).records, operation="chat", outcome=expected, streaming=True)


@needs_responses
def test_response_stream_helper(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        manager = program.client("response-stream").responses.stream(model="m", input="Hello")
        if program.asynchronous:
            async with manager as stream:
                return [event.type async for event in stream], await stream.get_final_response()
        with manager as stream:
            return [event.type for event in stream], stream.get_final_response()

    only(compare(situation, flavour).records, **DONE, operation="chat", input_tokens=21)


@needs_responses
def test_response_stream_cut_off(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("response-stream", options={"fault": "truncated"})
        return [
            type(event)
            for event in await items(await result(client.responses.create(model="m", input="Hi", stream=True)))
        ]

    # The program sees a stream that ends; whether an event was cut in half depends on where.
    records = compare(situation, flavour).records
    assert [record["operation"] for record in records] == ["chat"]
    assert records[0].get("input_tokens") is None


def test_image(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        generate = program.client("image").images.generate
        return await result(generate(model="gpt-image-1", prompt="a siamese cat", n=1, size="1024x1024"))

    both = compare(situation, flavour)
    only(both.records, **DONE, operation="image_generation", image_output_tokens=4160, input_tokens=10)
    assert cost(both.record) == "0.16645", "10 x 5 and 4,160 x 40 USD per million tokens"


def test_image_paid_by_the_piece(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        made = openai.AsyncAzureOpenAI if program.asynchronous else openai.AzureOpenAI
        client = made(azure_endpoint=program.url("image-dalle"), api_version="2024-10-21", api_key="none")
        return await result(client.images.generate(model="dall-e-3", prompt="a lion", size="1024x1792"))

    both = compare(situation, flavour)
    only(both.records, **DONE | {"provider": "azure"}, operation="image_generation", cost_status="priced")
    assert cost(both.record) == "0.08800001065", "1024 x 1792 pixels of a standard image"


def test_image_edited(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        edit = program.client("image-edit").images.edit
        return await result(edit(model="gpt-image-1", image=b"\x89PNG", prompt="a collage"))

    both = compare(situation, flavour)
    only(both.records, **DONE, operation="image_edit", input_tokens=432, image_input_tokens=388, output_tokens=4160)


def test_speech(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        speech = await result(
            program.client("speech").audio.speech.create(model="tts-1", voice="alloy", input="Grüezi!")
        )
        return speech.content

    both = compare(situation, flavour)
    only(both.records, **DONE, operation="speech", streaming=False, request_model="tts-1", cost_status="priced")
    assert cost(both.record) == "0.000105", "7 characters of 15 USD per million"


def test_speech_read_piece_by_piece(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("speech").audio.speech.with_streaming_response.create
        arguments: Any = {"model": "tts-1", "voice": "alloy", "input": "Hello"}
        if program.asynchronous:
            async with create(**arguments) as response:
                return b"".join([piece async for piece in response.iter_bytes(100)])
        with create(**arguments) as response:
            return b"".join(response.iter_bytes(100))

    only(compare(situation, flavour).records, **DONE, operation="speech", cost_status="priced")


def test_speech_left(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("speech").audio.speech.with_streaming_response.create
        arguments: Any = {"model": "tts-1", "voice": "alloy", "input": "Hello"}
        if program.asynchronous:
            async with create(**arguments) as response:
                return response.status_code
        with create(**arguments) as response:
            return response.status_code

    only(compare(situation, flavour).records, operation="speech", outcome="closed_early", cost_status="priced")


def test_transcription(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("transcription").audio.transcriptions.create
        return await result(create(model="gpt-4o-mini-transcribe", file=("a.mp3", b"sound")))

    both = compare(situation, flavour)
    only(both.records, **DONE, operation="transcription", input_tokens=26, audio_input_tokens=21, output_tokens=4)
    assert both.record["cost_status"] == "priced"


def test_transcription_paid_by_the_second(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("transcription-seconds").audio.transcriptions.create
        return await result(create(model="whisper-1", file=("a.mp3", b"sound")))

    both = compare(situation, flavour)
    only(both.records, **DONE, operation="transcription", cost_status="priced")
    assert cost(both.record) == "0.0004", "4 seconds of 0.0001 USD"


@pytest.mark.skipif(VERSION < (1, 68), reason="this version streams no transcripts")
def test_transcription_streamed(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("transcription-stream").audio.transcriptions.create
        stream = await result(create(model="gpt-4o-transcribe", file=("a.mp3", b"sound"), stream=True))
        return [type(event) for event in await items(stream)]

    both = compare(situation, flavour)
    only(both.records, **DONE, operation="transcription", streaming=True, input_tokens=37, output_tokens=145)


def test_translation(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("translation").audio.translations.create
        return await result(create(model="whisper-1", file=("a.mp3", b"sound")))

    only(compare(situation, flavour).records, **DONE, operation="translation", cost_status="no_usage")


def test_moderation(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        create = program.client("moderation").moderations.create
        return await result(create(model="omni-moderation-latest", input="This is a safe message"))

    both = compare(situation, flavour)
    only(both.records, **DONE, operation="moderation", response_model="omni-moderation-latest", input_tokens=None)
    assert cost(both.record) == "0", "it is free"


@needs_responses
def test_response_refused(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        return await result(program.client("not-found").responses.create(model="m", input="Hello"))

    both = compare(situation, flavour, raises="NotFoundError")
    only(both.records, operation="chat", outcome="error", error_type="model_not_found", http_status=404)


@needs_responses
@pytest.mark.parametrize("wrapper", ["with_raw_response", "with_streaming_response"])
def test_response_behind_a_wrapper(compare: Compare, flavour: str, wrapper: str) -> None:
    async def situation(program: Program) -> object:
        create = getattr(program.client("response").responses, wrapper).create
        if wrapper == "with_raw_response":
            raw = await result(create(model="m", input="Hello"))
            return await result(raw.parse())
        if program.asynchronous:
            async with create(model="m", input="Hello") as response:
                return await response.json()
        with create(model="m", input="Hello") as response:
            return response.json()

    only(compare(situation, flavour).records, **DONE, operation="chat")


def test_bookkeeping_makes_no_record(compare: Compare, flavour: str) -> None:
    async def situation(program: Program) -> object:
        client = program.client("batch")
        await result(client.batches.retrieve("batch_1"))
        await result(client.models.retrieve("gpt-4o"))
        return None

    assert compare(situation, flavour).records == []


def test_module_level_client(compare: Compare, flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def situation(program: Program) -> object:
        monkeypatch.setattr(openai, "api_key", "sk-none")
        monkeypatch.setattr(openai, "base_url", program.url("image-dalle"))
        monkeypatch.setattr(openai, "_client", None)
        return openai.images.generate(prompt="a lion", size="1024x1792", model="dall-e-3")

    only(compare(situation, flavour).records, **DONE, operation="image_generation")
