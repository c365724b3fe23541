"""A collector behind a certificate of one's own, that wants to see one as well."""

from __future__ import annotations

import contextlib
import logging
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

import edgequake_obs

from . import grpc_receiver, receiver
from .receiver import Arrived

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

    @contextlib.contextmanager
    def receiving(self, protocol: str, *, wants_one: bool) -> Iterator[Arrived]:
        """A receiver with a certificate; `wants_one`: takes nobody without one of the same authority."""
        theirs = self._authority.issue_cert("127.0.0.1")
        if protocol == "grpc":
            key = theirs.private_key_pem.bytes()
            chain = b"".join(blob.bytes() for blob in theirs.cert_chain_pems)
            clients = self._authority.cert_pem.bytes() if wants_one else None
            with grpc_receiver.receiving(key, chain, clients) as found:
                yield found
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        theirs.configure_cert(context)
        if wants_one:
            context.verify_mode = ssl.CERT_REQUIRED
            self._authority.configure_trust(context)
        with receiver.receiving(context) as found:
            yield found


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


@pytest.fixture(params=["http/protobuf", "grpc"])
def protocol(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    found: str = request.param
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", found)
    return found


@pytest.fixture
def strict(protocol: str, papers: Papers) -> Iterator[Arrived]:
    with papers.receiving(protocol, wants_one=True) as found:
        yield found


def call_and_flush(receiver: Arrived) -> bool:
    edgequake_obs.configure(otel=receiver.url)
    edgequake_obs.record(provider="openai", model="gpt-4o-mini", usage={"prompt_tokens": 1, "completion_tokens": 1})
    return edgequake_obs.flush(1)


def warned(caplog: pytest.LogCaptureFixture) -> str:
    """The one warning that there was."""
    edgequake_obs.record(provider="openai", model="gpt-4o-mini")  # it is said on a caller's thread
    (found,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return found


@pytest.mark.parametrize("signals", [FOR_ALL, FOR_EACH])
def test_both_sides_show_theirs(
    signals: tuple[str, ...], strict: Arrived, papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for signal in signals:
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}CERTIFICATE", str(papers.trusted))
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}CLIENT_CERTIFICATE", str(papers.certificate))
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}CLIENT_KEY", str(papers.key))
    assert call_and_flush(strict)
    assert len(strict.spans) == 1
    assert "edgequake.cost" in strict.metrics()


def test_without_ones_own(
    strict: Arrived, papers: Papers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(papers.trusted))
    assert not call_and_flush(strict)
    assert strict.spans == []
    assert "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" in warned(caplog)


def test_one_that_is_not_trusted(protocol: str, papers: Papers, caplog: pytest.LogCaptureFixture) -> None:
    with papers.receiving(protocol, wants_one=False) as receiver:
        assert not call_and_flush(receiver)
        assert receiver.spans == []
    said = warned(caplog)
    assert "invalid peer certificate" in said
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in said


def test_a_file_that_is_missing(
    strict: Arrived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(tmp_path / "none.pem"))
    call_and_flush(strict)
    assert "none.pem" in warned(caplog)
    assert strict.spans == []


@pytest.mark.parametrize("insecure", [True, False])
def test_an_endpoint_of_grpc_without_a_scheme(
    insecure: bool, papers: Papers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is secured unless the program says otherwise: `OTEL_EXPORTER_OTLP_INSECURE`."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(papers.trusted))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_INSECURE", str(insecure).lower())
    with papers.receiving("grpc", wants_one=False) as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url.removeprefix("https://"))
        edgequake_obs.configure(otel="native")
        edgequake_obs.record(provider="openai", model="gpt-4o-mini")
        assert edgequake_obs.flush(1) is not insecure
        assert len(receiver.spans) == int(not insecure)
    if insecure:
        assert "cannot send" in warned(caplog)
