"""The append side of the spool in Python, for tests, and a synthetic record with every field of a call."""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import stat
import time
import uuid
from typing import Any

# The keys of a line are the columns of `calls`, without `started_at`; see the contract of schema 2.
START_NS = 1_790_000_000_123_456_789  # 2026-09-21T13:33:20.123456789Z


def uuid7(start_ns: int) -> str:
    """A version 7 UUID of a moment."""
    low = random.getrandbits(62)
    return str(uuid.UUID(int=(start_ns // 1_000_000) << 80 | 7 << 76 | random.getrandbits(12) << 64 | 2 << 62 | low))


def record(start_ns: int = START_NS, **fields: Any) -> dict[str, Any]:
    """A plain priced call; a field given as None is left out."""
    made: dict[str, Any] = {
        "call_uid": uuid7(start_ns),
        "start_ns": start_ns,
        "duration_ns": 812_000_000,
        "origin": "openai",
        "operation": "chat",
        "provider": "openai",
        "request_model": "gpt-5-mini",
        "response_model": "gpt-5-mini-2026-01-01",
        "streaming": False,
        "cached": False,
        "input_tokens": 1000,
        "output_tokens": 200,
        "cost_usd": "0.000123456789",
        "cost_status": "priced",
        "outcome": "completed",
        "http_status": 200,
        "attempts": [{"start_ns": start_ns, "duration_ns": 800_000_000, "provider": "openai", "http_status": 200}],
        "finish_reasons": ["stop"],
        "tags": {"feature": "search"},
        "pid": 4711,
    }
    made |= fields
    return {key: value for key, value in made.items() if value is not None}


def full_record() -> dict[str, Any]:
    """A call with every field that a line can have."""
    return record(
        time_to_first_chunk_ns=95_000_000,
        origin_version="3.1.0",
        response_id="chatcmpl-1",
        server_address="api.openai.com",
        streaming=True,
        chunks=17,
        cache_read_tokens=10,
        cache_write_5m_tokens=20,
        cache_write_1h_tokens=30,
        reasoning_tokens=40,
        audio_input_tokens=50,
        audio_output_tokens=60,
        image_input_tokens=70,
        image_output_tokens=80,
        estimated_input_tokens=90,
        estimated_output_tokens=100,
        usage={"prompt_tokens": 1000, "details": {"cached": 10}},
        computed_cost_usd="0.000123456789",
        reported_cost_usd="999999.999999999999",
        price_key="openai/gpt-5-mini",
        price_version="2026-09-01-abc",
        service_tier="default",
        requested_service_tier="auto",
        cost_breakdown={"input": {"tokens": 1000, "rate": "0.00000025", "usd": "0.00025"}},
        error_type="X",
        error_message="line one\nzwei – ☃",
        attempts=[
            {
                "start_ns": START_NS,
                "duration_ns": 5,
                "provider": "openai",
                "model": "gpt-5-mini",
                "server_address": "api.openai.com",
                "http_status": 429,
                "error_type": "RateLimitError",
                "request_id": "req_1",
                "usage": {"prompt_tokens": 1},
                "cost_usd": "0.000000000001",
            },
            {"start_ns": START_NS + 1_000, "duration_ns": 7, "provider": "openai", "http_status": 200},
        ],
        finish_reasons=["stop", "length"],
        trace_id="0af7651916cd43dd8448eb211c80319c",
        span_id="b7ad6b7169203331",
        parent_span_id="00f067aa0ba902b7",
        session_id="s1",
        user_id="u1",
        api_key_id="prod",
        tags={"feature": "search", "team": "a,b"},
        metadata={"order": {"id": 7}, "a/b": "slash"},
        request_params={"temperature": 0.2},
        provider_details={"request_id": "req_2"},
        content={"messages": []},
        service_name="shop",
        host="web-1",
    )


def encoded(call: dict[str, Any]) -> bytes:
    """A record as a line without its newline."""
    return json.dumps(call, ensure_ascii=False).encode()


def spool_of(ledger: str | os.PathLike[str]) -> str:
    """The spool folder of a ledger."""
    return os.path.splitext(os.fspath(ledger))[0] + ".spool"


class SpoolWriter:
    """One process's way into the spool, as `ledger.md` says it under Append."""

    def __init__(self, ledger: str | os.PathLike[str], schema: int = 2) -> None:
        self.folder = spool_of(ledger)
        self.schema = schema
        self.file: int | None = None
        self.path = ""

    def write(self, *calls: dict[str, Any]) -> None:
        """Appends records as one batch."""
        self.append(b"\n" + b"\n".join(map(encoded, calls)) + b"\n")

    def append(self, batch: bytes) -> None:
        """Appends bytes in one write, to a file that is open."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if self.file is None:
                self._open()
            if self._try(batch):
                return
        raise TimeoutError(f"no file to append to in {self.folder}")

    def _try(self, batch: bytes) -> bool:
        assert self.file is not None
        try:
            fcntl.flock(self.file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        status = os.fstat(self.file)
        is_open = status.st_nlink > 0 and status.st_mode & stat.S_IWUSR
        if is_open and status.st_size <= 64 << 20:
            assert os.write(self.file, batch) == len(batch)
            fcntl.flock(self.file, fcntl.LOCK_UN)
            return True
        if is_open:
            os.fchmod(self.file, 0o400)
        os.close(self.file)
        self.file = None
        return False

    def _open(self) -> None:
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        names = sorted(os.listdir(self.folder), reverse=True)
        for name in names:
            path = os.path.join(self.folder, name)
            if re.fullmatch(rf"[0-9]+-[0-9a-f]+\.v{self.schema}\.jsonl", name) and _is_open(path):
                try:
                    self.file, self.path = os.open(path, os.O_WRONLY | os.O_APPEND), path
                except (FileNotFoundError, PermissionError):
                    continue
                return
        self.path = os.path.join(self.folder, f"{time.time_ns() // 10**6}-{os.urandom(4).hex()}.v{self.schema}.jsonl")
        self.file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)


def _is_open(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & stat.S_IWUSR)
    except FileNotFoundError:
        return False
