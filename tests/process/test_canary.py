"""A key is given in every place where one can be given, and searched for in every byte that comes out."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from edgequake_obs import ledger
from edgequake_obs.demo.recording import Exchange, load
from edgequake_obs.demo.server import running
from tests.otel.receiver import receiving

from .launch import PLAIN, STREAM, calls, finish, start

# One looks like a key of a known kind, the other like nothing in particular.
CANARIES = ["sk-proj-C4n4ryT3stK3yThatMustNotLeak0123456789abcdefABCDEF", "c4na7y0f1d2e3b4a5968778695a4b3c2d1e0f"]
OWN = ["argument", "global", "environment", "base_url", "extra_headers", "echo", "refused"]
PATCHED = ["argument", "environment", "base_url", "extra_headers", "echo"]


def echoes(canary: str) -> dict[str, Exchange]:
    """Answers of a provider that repeats the key it was given."""
    shipped = load()
    plain, stream = shipped[PLAIN], shipped[STREAM]
    message = f"Incorrect API key provided: {canary}. You can find your API key elsewhere."
    error = {"error": {"message": message, "type": "invalid_request_error", "code": f"bad_key_{canary}"}}
    body = json.dumps(error).encode()
    json_headers = {"content-type": "application/json", "x-request-id": "req_1"}
    events = [*stream.pieces[:2], b"data: " + body + b"\n\n"]
    found = [
        dataclasses.replace(plain, id="canary-401", status=401, headers=json_headers, body=body),
        dataclasses.replace(plain, id="canary-500", status=500, headers=json_headers, body=body),
        dataclasses.replace(
            plain, id="canary-plain-text", status=403, headers={"content-type": "text/plain"}, body=message.encode()
        ),
        dataclasses.replace(stream, id="canary-in-stream", body=b"".join(events)),
    ]
    return {**shipped, **{exchange.id: exchange for exchange in found}}


def forms(canary: str) -> Iterator[bytes]:
    """The key as it is, as parts of it, and as headers and URLs carry it."""
    yield canary.encode()
    yield quote(canary, safe="").encode()
    # In base64 a text has three forms, by its offset; the ends depend on what stands beside it.
    for offset in range(3):
        yield base64.b64encode(b"\0" * offset + canary.encode())[4:-4]
    # A half of a key that was cut short is still too much of it.
    yield canary[: len(canary) // 2].encode()
    yield canary[len(canary) // 2 :].encode()


@pytest.mark.parametrize("canary", CANARIES, ids=["known-kind", "any-kind"])
@pytest.mark.parametrize("place", [*(f"own-{name}" for name in OWN), *(f"patched-{name}" for name in PATCHED)])
def test_no_key_leaves_the_process(place: str, canary: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.duckdb"
    exported = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT"}
    with running(echoes(canary)) as server, receiving() as receiver:
        exported["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.url
        out, err = finish(start("canary", server.base_url, place, path=path, TEST_CANARY=canary, **exported))
        carried = list(server.received.values())
    assert out.endswith("done\n")
    if not place.endswith("refused"):
        given = json.dumps([[received.headers, received.path] for received in carried])
        assert any(form.decode() in given for form in forms(canary)), "no request carried the key: nothing was tested"

    written = {"stdout": out.encode(), "stderr": err.encode()}
    sent = {"spans": receiver.traces, "metrics": receiver.metric_requests, "events": receiver.logs}
    written |= {name: b"".join(request.SerializeToString() for request in requests) for name, requests in sent.items()}
    assert all(written[name] for name in sent), "nothing was exported"
    written |= {str(file.relative_to(tmp_path)): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert any(name.endswith(".jsonl") and data for name, data in written.items()), "nothing was recorded"
    rows = calls(path)
    assert rows
    ledger.fold(str(path))
    # The database packs its texts, so its rows are looked at as well as its bytes.
    written["rows"] = repr(rows).encode()
    written["folded rows"] = repr(calls(path)).encode()
    written["ledger.duckdb"] = path.read_bytes()
    leaks = [leak for name, data in written.items() for leak in leaks_of(canary, name, data)]
    assert not leaks, "\n".join([f"the key leaked in {len(leaks)} ways:", *leaks[:12]])


def leaks_of(canary: str, name: str, data: bytes) -> Iterator[str]:
    """Where the key stands in what was written: one example of each neighbourhood."""
    seen: set[bytes] = set()
    for form in forms(canary):
        at = data.find(form)
        while at >= 0:
            before = re.sub(rb"[^\x20-\x7e]+|\d+", b".", data[max(0, at - 60) : at])[-30:]
            if before not in seen:
                seen.add(before)
                yield f"    {name}: …{before.decode()}{form.decode()}"
            at = data.find(form, at + 1)
        if seen:
            return  # its other forms stand at the same places
