"""Running a situation without us and with us, and comparing what the program saw and what was recorded."""

from __future__ import annotations

import asyncio
import gc
import inspect
import itertools
import json
import logging
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
import pydantic

from edgequake_obs import _native, patches

from .server import Sent, Server

MESSAGES: list[Any] = [{"role": "user", "content": "What is the weather in San Francisco?"}]
FLAVOURS = ["sync", "async"]
VERSION = tuple(int(part) for part in openai.__version__.split(".")[:2])

Record = dict[str, Any]
_numbers = itertools.count()


@dataclass
class Program:
    """What a situation is given: a way to make clients, and its flavour. Written once, it runs with both."""

    server: Server
    asynchronous: bool
    run: str
    keep: list[object] = field(default_factory=list)

    def url(self, exchange: str, **options: object) -> str:
        return self.server.url(exchange, self.run, **options)

    def serve(self, name: str, *bodies: str, content_type: str = "application/json") -> str:
        """Let the server answer this run's requests so, one after the other; gives the exchange's name."""
        headers = {"content-type": content_type}
        exchanges = [{"status": 200, "response_headers": headers, "response_body": body} for body in bodies]
        self.server.in_turn[f"{name}@{self.run}"] = exchanges
        return name

    def client(self, exchange: str, *, base_url: str | None = None, options: Any = (), **settings: Any) -> Any:
        """An `OpenAI` or `AsyncOpenAI`; `options` are the server's."""
        made = openai.AsyncOpenAI if self.asynchronous else openai.OpenAI
        settings = {"api_key": "sk-none", "timeout": 5, "max_retries": 2} | settings
        return made(base_url=base_url or self.url(exchange, **dict(options)), **settings)


async def result(value: Any) -> Any:
    """What a call gave, of either flavour."""
    return await value if inspect.isawaitable(value) else value


async def each(stream: Any) -> AsyncIterator[Any]:
    """The items of a stream of either flavour."""
    if hasattr(stream, "__anext__") or hasattr(stream, "__aiter__"):
        async for item in stream:
            yield item
    else:
        for item in stream:
            yield item


async def items(stream: Any) -> list[Any]:
    """All that a stream gives."""
    if hasattr(stream, "__anext__") or hasattr(stream, "__aiter__"):
        return [item async for item in stream]
    return list(stream)


Situation = Callable[[Program], Awaitable[object]]


@dataclass
class Both:
    """A situation's two runs.

    Attributes:
        saw: What the program saw, the same in both.
        records: What the patched run left in the ledger's spool.
        plain, patched: The requests sent in each run.
    """

    saw: Any
    records: list[Record]
    plain: list[Sent]
    patched: list[Sent]

    @property
    def raised(self) -> str | None:
        return self.saw["raised"] if isinstance(self.saw, dict) and "raised" in self.saw else None

    @property
    def record(self) -> Record:
        assert len(self.records) == 1, [(r.get("operation"), r.get("outcome")) for r in self.records]
        return self.records[0]


class Ledger:
    """The records that reached the spool since last asked."""

    def __init__(self) -> None:
        self._read: dict[Path, int] = {}

    def new(self) -> list[Record]:
        gc.collect()  # what is dropped is recorded then
        assert _native.flush(5.0)
        path = _native.ledger_path()
        assert path is not None
        records: list[Record] = []
        for file in sorted(Path(path).with_suffix(".spool").glob(f"*.v{_native.SPOOL_SCHEMA}.jsonl")):
            lines = file.read_bytes().split(b"\n")
            records += [json.loads(line) for line in lines[self._read.get(file, 0) :] if line]
            self._read[file] = len(lines) - 1
        return records


def both(situation: Situation, server: Server, ledger: Ledger, flavour: str, library: str = "openai") -> Both:
    """Run a situation unpatched and patched.

    Raises:
        AssertionError: The program saw a difference, or sent another request.
    """
    plain_run, patched_run = f"plain{next(_numbers)}", f"patched{next(_numbers)}"
    plain = observe(situation, Program(server, flavour == "async", plain_run))
    assert ledger.new() == []
    patches.instrument(library)
    try:
        patched = observe(situation, Program(server, flavour == "async", patched_run))
        records = ledger.new()
    finally:
        patches.uninstrument()
    if not records:
        # With openai 1.40, which does not close what fails, a stream now and then lives until the next one fails
        # likewise, patched or not.
        observe(situation, Program(server, flavour == "async", "again"))
        records = ledger.new()
    assert patched == plain, f"patched: {patched}\nplain:   {plain}"
    sent_plain, sent_patched = server.take(plain_run), server.take(patched_run)
    assert [_request(sent) for sent in sent_patched] == [_request(sent) for sent in sent_plain]
    return Both(plain["saw"], records, sent_plain, sent_patched)


# What the garbage collector says when it likes, and what litellm 1.80's own threads do.
_NOISE = ("unclosed", "Unclosed", "Pydantic serializer warnings", "`ReadOnly` qualifier")


def observe(situation: Situation, program: Program) -> dict[str, Any]:
    """What the program saw, as values that can be compared: results or the exception, warnings, the SDK's log."""
    log = _Log()
    logger = logging.getLogger("openai")
    logger.addHandler(log)
    # What the SDK leaves of generators when a loop ends falls over each other now and then; pytest would keep what
    # asyncio says of it, with the frames, and with them the stream.
    logging.getLogger("asyncio").disabled = True
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                saw = comparable(asyncio.run(situation(program)))  # type: ignore[arg-type]
            except Exception as error:
                saw = comparable(error)
            program.keep.clear()
            gc.collect()
    finally:
        logger.removeHandler(log)
    return {
        "saw": saw,
        "warned": [str(w.message) for w in warned if not any(noise in str(w.message) for noise in _NOISE)],
        "log": log.lines,
    }


def comparable(value: object) -> Any:
    """A result as values that compare equal if the program cannot tell them apart."""
    if isinstance(value, BaseException):
        error: dict[str, Any] = {"raised": _name(value), "text": _without_run(str(value))}
        for name in ("status_code", "code", "body", "request_id"):
            if hasattr(value, name):
                error[name] = comparable(getattr(value, name))
        for link in ("__cause__", "__context__"):
            if (linked := getattr(value, link)) is not None:
                error[link] = _name(linked)
        return error | {"suppressed": value.__suppress_context__}
    if isinstance(value, pydantic.BaseModel):
        fields = value.model_dump()
        if type(value).__module__.startswith("litellm"):
            fields.pop("created", None)  # the clock, in litellm's chunks
        return {"type": _name(value), "fields": fields, "request_id": getattr(value, "_request_id", None)}
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [comparable(item) for item in value]
    if value is None or isinstance(value, (str, bytes, int, float)):
        return value
    return _name(value)


def _name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _without_run(text: str) -> str:
    return "/".join(part for part in text.split("/") if not part.startswith("run="))


def _request(sent: Sent) -> object:
    # What may differ: random keys and boundaries; and that usage was asked for, which the situations about it look at
    # themselves.
    headers = {k: v for k, v in sent.headers.items() if k not in ("idempotency-key", "content-length")}
    headers["content-type"] = headers.get("content-type", "").partition("boundary=")[0]
    body = sent.body
    if isinstance(body, dict) and "stream_options" in body:
        body = {key: value for key, value in body.items() if key != "stream_options"}
    return sent.path, headers, body


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno > logging.DEBUG:
            self.lines.append(f"{record.levelname} {record.msg}")


def only(records: Iterable[Record], **expected: object) -> None:
    """Exactly one record, with these values; `attempts=n` counts its attempts."""
    records = list(records)
    assert len(records) == 1, [(r.get("operation"), r.get("outcome")) for r in records]
    record = records[0]
    found = {key: len(record["attempts"]) if key == "attempts" else record.get(key) for key in expected}
    assert found == expected, (found, expected)
