"""A collector behind a certificate of one's own, that wants to see one as well."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

import edgequake_obs

from .receiver import Receiver, receiving

# Of how a variable may be set: for all signals, or for each.
FOR_ALL, FOR_EACH = ("",), ("TRACES_", "METRICS_")


class Papers:
    """The files that a program is given."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        mine = self._authority.issue_cert("program@example.com")
        self.trusted, self.certificate, self.key = (folder / name for name in ("ca.pem", "client.pem", "client.key"))
        self._authority.cert_pem.write_to_path(self.trusted)
        for blob in mine.cert_chain_pems:
            blob.write_to_path(self.certificate, append=True)
        mine.private_key_pem.write_to_path(self.key)

    def server(self, *, wants_one: bool) -> ssl.SSLContext:
        """What a server needs; `wants_one`: takes nobody without a certificate of the same authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert("127.0.0.1").configure_cert(context)
        if wants_one:
            context.verify_mode = ssl.CERT_REQUIRED
            self._authority.configure_trust(context)
        return context


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


@pytest.fixture
def strict(papers: Papers) -> Iterator[Receiver]:
    with receiving(papers.server(wants_one=True)) as found:
        yield found


def call_and_flush(receiver: Receiver) -> bool:
    edgequake_obs.configure(otel=receiver.url)
    edgequake_obs.record(provider="openai", model="gpt-4o-mini", usage={"prompt_tokens": 1, "completion_tokens": 1})
    return edgequake_obs.flush(1)


@pytest.mark.parametrize("signals", [FOR_ALL, FOR_EACH])
def test_both_sides_show_theirs(
    signals: tuple[str, ...], strict: Receiver, papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for signal in signals:
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}CERTIFICATE", str(papers.trusted))
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}CLIENT_CERTIFICATE", str(papers.certificate))
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}CLIENT_KEY", str(papers.key))
    assert call_and_flush(strict)
    assert len(strict.spans) == 1
    assert "edgequake.cost" in strict.metrics()


def test_without_ones_own(strict: Receiver, papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(papers.trusted))
    assert not call_and_flush(strict)
    assert strict.spans == []


def test_one_that_is_not_trusted(papers: Papers, caplog: pytest.LogCaptureFixture) -> None:
    with receiving(papers.server(wants_one=False)) as receiver:
        assert not call_and_flush(receiver)
        assert receiver.spans == []
    assert "invalid peer certificate" in caplog.text


def test_a_file_that_is_missing(
    strict: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(tmp_path / "none.pem"))
    call_and_flush(strict)
    edgequake_obs.record(provider="openai", model="gpt-4o-mini")  # the warning is said on a caller's thread
    assert "none.pem" in caplog.text
    assert strict.spans == []
