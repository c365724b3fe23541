"""What must not leave the process does not: credentials always, and what the program says."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

import edgequake_obs as obs

from .conftest import Ask
from .records import Ledger
from .server import PATIENCE, Answer, Server, chat, error

KEY = "sk-0123456789abcdefghijklmnop"


@pytest.fixture(autouse=True)
def _nothing_given() -> Iterator[None]:
    yield
    obs.configure(redact=[])
    obs.callbacks = []
    obs.success_callback = []


def test_credentials_in_labels(server: Server, ask: Ask, ledger: Ledger) -> None:
    server.will(Answer(body=chat()))
    with obs.context(session=f"by {KEY}", tags={"a": KEY}, metadata={"note": KEY}):
        ask(user=KEY, metadata={"mine": f"Bearer {KEY}", "tags": [f"b:{KEY}"]}, stop=[KEY])
    row = ledger.call()
    assert KEY not in f"{row}"
    assert f"{row}".count("[redacted]") >= 6


@pytest.mark.parametrize("form", ["patterns", "compiled", "function"])
def test_the_programs_own(server: Server, ask: Ask, ledger: Ledger, form: str) -> None:
    told: list[Any] = []
    number = r"\b\d{3}-\d{4}\b"
    given: Any = {
        "patterns": [number],
        "compiled": [re.compile(number)],
        "function": lambda text: re.sub(number, "[redacted]", text),
    }[form]
    obs.configure(redact=given)
    obs.success_callback = [lambda kwargs, answer, start, end: told.append((kwargs, answer))]
    server.will(Answer(body=chat("Call 555-0100.")), Answer(400, error("no such number: 555-0101")))
    said = [{"role": "user", "content": "Whose is 555-0102?"}]
    with obs.context(user="555-0103", metadata={"phone": ["555-0104"]}):
        answer = ask(messages=said, metadata={"tags": ["phone:555-0105"]})
    assert answer.choices[0].message.content == "Call 555-0100."
    with pytest.raises(obs.BadRequestError) as raised:
        ask(messages=said)
    assert obs.flush(PATIENCE)
    assert raised.value.response is not None
    everything = f"{told} {ledger.calls()} {raised.value} {vars(raised.value)} {raised.value.response.text}"
    assert "555-0" not in everything.replace("http://127.0.0.1:555", "")
    assert "no such number: [redacted]" in str(raised.value)
    rows = ledger.calls()
    assert [row["error_message"] for row in rows] == [None, "no such number: [redacted]"]
    assert rows[0]["user_id"] == "[redacted]"


def _raises(_: str) -> str:
    raise ValueError("the number is 555-0100")


@pytest.mark.parametrize("redact", [_raises, lambda _: None], ids=["raises", "gives no text"])
def test_what_it_fails_on_is_withheld(
    server: Server, ask: Ask, ledger: Ledger, caplog: pytest.LogCaptureFixture, redact: Any
) -> None:
    obs.configure(redact=redact)
    server.will(*[Answer(400, error("no such number: 555-0100"))] * 2)
    with caplog.at_level(logging.WARNING, "edgequake_obs"):
        for _ in range(2):
            with pytest.raises(obs.BadRequestError, match="withheld") as raised:
                ask()
            assert "555" not in str(raised.value)
        assert obs.flush(PATIENCE)
    assert [row["error_message"] for row in ledger.calls()] == ["[withheld: the redactor failed]"] * 2
    assert len(caplog.records) == 1
    assert "555" not in caplog.text


@pytest.mark.parametrize(("redact", "expected"), [("x", TypeError), (["("], ValueError)])
def test_bad_patterns(redact: Any, expected: type[Exception]) -> None:
    with pytest.raises(expected, match="redact"):
        obs.configure(redact=redact)
