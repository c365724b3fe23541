"""Recorded exchanges of the endpoints beside chat, by our own client: responses, images, sound, verdicts, rankings.

What was sent, what the caller gets and what the ledger holds is compared with the recorded bytes.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import edgequake_obs as obs
from edgequake_obs import ledger
from edgequake_obs.demo.recording import Exchange, load
from edgequake_obs.demo.server import ReplayServer, running

from . import corpus
from .test_corpus import ERRORS, complain

SAMPLE = Path(__file__).with_name("data") / "endpoints.jsonl"
# The end of the path, and the argument that the model is asked with.
ENDPOINTS = {
    "responses": ("/responses", "input"),
    "image_generation": ("/images/generations", "prompt"),
    "image_edit": ("/images/edits", "prompt"),
    "speech": ("/audio/speech", "input"),
    "transcription": ("/audio/transcriptions", "file"),
    "moderation": ("/moderations", "input"),
    "rerank": ("/rerank", "query"),
}
# Asked as themselves; any other that serves the same endpoint, as an OpenAI-compatible server.
VENDORS = ("openai", "azure", "xai", "openrouter", "mistral", "voyage")
OPERATIONS = {"responses": "chat"}
SOUND = b"RIFF$\x00\x00\x00WAVEfmt "


def arguments(exchange: Exchange) -> dict[str, Any] | None:
    """How an exchange is asked; None if it is not one of these endpoints' calls."""
    end, asked_with = ENDPOINTS.get(exchange.operation, ("", ""))
    path, _, query = exchange.path.partition("?")
    given: dict[str, Any] = dict(exchange.request)
    if "multipart" in given:
        parts: list[dict[str, Any]] = given["multipart"]
        given = {}
        for part in parts:
            name = part["name"].removesuffix("[]")
            given[name] = ("sound.wav", SOUND) if "filename" in part else part["value"]
    if not end or not path.endswith(end) or asked_with not in given or "model" not in given:
        return None
    if exchange.operation == "image_edit" and "image" not in given:
        return None  # the images as URLs in a JSON body: another form of the endpoint
    if (exchange.provider, exchange.operation) == ("mistral", "speech"):
        return None  # it answers with JSON: not OpenAI's endpoint
    version = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
    vendor = exchange.provider if exchange.provider in VENDORS else "openai"
    return {
        **given,
        "model": f"{vendor}/{given['model']}",
        "api_version": version.get("api-version"),
        "allowed_openai_params": list(given),
    }


def cases_in(recordings: Path) -> dict[str, tuple[Exchange, dict[str, Any]]]:
    found = ((exchange, arguments(exchange)) for exchange in load(recordings).values())
    return {exchange.id: (exchange, given) for exchange, given in found if given is not None}


def test_the_sample(tmp_path: Path) -> None:
    cases = cases_in(SAMPLE)
    assert {exchange.operation for exchange, _ in cases.values()} > {"responses", "image_generation", "moderation"}
    assert {exchange.streaming for exchange, _ in cases.values()} == {False, True}
    complain(play_and_compare(cases, tmp_path), len(cases))


def test_the_whole_corpus(tmp_path: Path) -> None:
    if not corpus.WHOLE.exists():
        pytest.skip("the corpus does not lie beside the repository: only the sample was played")
    cases = cases_in(corpus.WHOLE)
    assert len(cases) > 900
    complain(play_and_compare(cases, tmp_path), len(cases))


def play_and_compare(cases: dict[str, tuple[Exchange, dict[str, Any]]], folder: Path) -> Iterator[str]:
    path = folder / "ledger.duckdb"
    obs.configure(ledger=str(path))
    try:
        with running({id_: exchange for id_, (exchange, _) in cases.items()}) as server:
            said = {
                (way, id_): ask(way, server, exchange, given)
                for id_, (exchange, given) in cases.items()
                for way in ("sync", "async")
            }
            sent = dict(server.received)
        assert obs.flush(30)
        found: dict[tuple[str, str], dict[str, Any]] = {}
        with ledger.connect(str(path)) as connection:
            cursor = connection.execute("SELECT * FROM calls")
            names = [column[0] for column in cursor.description or []]
            for values in cursor.fetchall():
                row = dict(zip(names, values, strict=True))
                found[row["tags"]["way"], row["tags"]["exchange"]] = row
    finally:
        obs.configure(ledger="off")
    for (way, id_), got in said.items():
        exchange, _ = cases[id_]
        for problem in (
            *about_the_caller(exchange, got),
            *about_the_row(exchange, got, found.get((way, id_))),
            *about_the_request(exchange, sent[id_]),
        ):
            yield f"{id_} {way}: {problem}"


def ask(way: str, server: ReplayServer, exchange: Exchange, given: dict[str, Any]) -> dict[str, Any]:
    """What the caller got: answer or events, or the exception."""
    files = {name: io.BytesIO(SOUND) for name in ("file", "image") if name in given}
    call = {
        **given,
        **files,
        "api_base": server.url(exchange.id),
        "api_key": "sk-not-a-key",
        "max_retries": 0,
        "timeout": 30,
    }
    got: dict[str, Any] = {"events": []}
    with obs.context(tags={"exchange": exchange.id, "way": way}):
        try:
            if way == "sync":
                answer = getattr(obs, exchange.operation)(**call)
                got["events"] = list(answer) if given.get("stream") else []
            else:
                answer = asyncio.run(_ask_async(exchange.operation, call, got))
            got["answer"] = answer
        except obs.OpenAIError as error:
            got["error"] = error
    return got


async def _ask_async(operation: str, call: dict[str, Any], got: dict[str, Any]) -> Any:
    answer = await getattr(obs, "a" + operation)(**call)
    if call.get("stream"):
        got["events"] = [event async for event in answer]
    return answer


def recorded_events(exchange: Exchange) -> list[dict[str, Any]]:
    lines = (line.removeprefix("data:").strip() for line in exchange.body.decode().splitlines() if line[:5] == "data:")
    return [json.loads(line) for line in lines if line and line != "[DONE]"]


def final(exchange: Exchange) -> dict[str, Any]:
    """The recorded answer: a document, or the last event of a stream that holds one; of sound nothing."""
    if exchange.operation == "speech":
        return {}
    if not exchange.streaming:
        return json.loads(exchange.body)
    last = recorded_events(exchange)[-1]
    return last.get("response", last)


def about_the_caller(exchange: Exchange, got: dict[str, Any]) -> Iterator[str]:
    error = got.get("error")
    if exchange.status >= 400:
        if type(error).__name__ != ERRORS[exchange.status]:
            yield f"{error!r}, though the provider answered {exchange.status}"
        return
    if error is not None:
        yield f"{error!r}"
        return
    if exchange.streaming:
        types = [event.type for event in got["events"]]
        if types != [event["type"] for event in recorded_events(exchange)]:
            yield f"events {types}"
        return
    answer, recorded = got["answer"], final(exchange)
    if exchange.operation == "speech":
        if answer.content != exchange.body:
            yield f"{len(answer.content)} bytes of sound, recorded {len(exchange.body)}"
        return
    if exchange.operation == "rerank":
        ranked = [result["index"] for result in answer.results]
        if ranked != [result["index"] for result in recorded.get("results") or recorded["data"]]:
            yield f"ranking {ranked}"
        return
    dumped = answer.model_dump()
    for name in ("id", "output", "status", "text", "created"):
        if name in recorded and dumped[name] != recorded[name]:
            yield f"{name}: {dumped[name]!r:.200}, recorded {recorded[name]!r:.200}"
    if exchange.operation == "responses":
        texts = [
            part["text"]
            for item in recorded["output"]
            for part in item.get("content") or []
            if part["type"] == "output_text"
        ]
        if answer.output_text != "".join(texts):
            yield f"output_text {answer.output_text!r:.200}"
    if exchange.operation.startswith("image") and len(answer.data) != len(recorded["data"]):
        yield f"{len(answer.data)} images"


def about_the_row(exchange: Exchange, got: dict[str, Any], row: dict[str, Any] | None) -> Iterator[str]:
    if row is None:
        yield "no row"
        return
    recorded = final(exchange) if exchange.status < 400 else {}
    facts: dict[str, Any] = {
        "origin": "native",
        "operation": OPERATIONS.get(exchange.operation, exchange.operation),
        "provider": exchange.provider if exchange.provider in VENDORS else "openai",
        "streaming": exchange.streaming,
        "outcome": "error" if exchange.status >= 400 or recorded.get("status") == "failed" else "completed",
        "http_status": exchange.status,
        "attempts": 1,
    }
    usage = recorded.get("usage")
    if usage:
        if row["usage"] is None or json.loads(row["usage"]) != usage:
            yield f"usage {row['usage']}, recorded {usage}"
        if "output_tokens" in usage:
            facts |= {"input_tokens": usage["input_tokens"], "output_tokens": usage["output_tokens"]}
    if exchange.operation in ("responses", "moderation") and exchange.status < 400:
        facts |= {"response_id": recorded["id"], "response_model": recorded["model"]}
    for name, value in facts.items():
        if row[name] != value:
            yield f"{name} is {row[name]!r}, expected {value!r}"
    if "answer" in got:
        cost = got["answer"]._hidden_params["response_cost"]
        if (cost is None) != (row["cost_usd"] is None) or (
            cost is not None and abs(cost - float(row["cost_usd"])) > 1e-9
        ):
            yield f"the caller is told {cost}, the row says {row['cost_usd']}"
    is_image = exchange.operation.startswith("image") and exchange.status < 400
    if is_image and row["cost_usd"] is None and row["cost_status"] != "unpriced":
        yield f"no cost: {row['cost_status']}"


def about_the_request(exchange: Exchange, received: Any) -> Iterator[str]:
    end = ENDPOINTS[exchange.operation][0]
    if not received.path.partition("?")[0].endswith(end):
        yield f"asked at {received.path}"
    if "multipart" in exchange.request:
        for part in exchange.request["multipart"]:
            name = part["name"].removesuffix("[]").encode()
            if b'name="' + name not in received.body:
                yield f"{name!r} was not sent"
    elif exchange.operation != "rerank":
        sent = received.json()
        # To ask for no stream, or for nothing in particular, is the same as not to ask.
        asked = {name: value for name, value in exchange.request.items() if not (value is None or name == "stream")}
        sent.pop("stream", None)
        if sent != asked:
            wrong = {name for name in {*sent, *asked} if sent.get(name) != asked.get(name)}
            yield f"sent otherwise: {sorted(wrong)}"
