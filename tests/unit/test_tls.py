"""TLS with a private authority: whom a call trusts, and how it shows who it is."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import edgequake_obs
from edgequake_obs import APIConnectionError, BadRequestError

from .asking import ask as ask_elsewhere
from .authority import Authority
from .conftest import MESSAGES
from .records import Ledger
from .server import Answer, Server, chat, running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def secure(authority: Authority) -> Iterator[Server]:
    with running("localhost", authority.context()) as server:
        yield server


def ask(server: Server, **arguments: Any) -> Any:
    given = {"model": "gpt-4o-mini", "messages": MESSAGES, "api_base": server.base, "api_key": "sk-test"}
    answer = edgequake_obs.completion(**{**given, "timeout": 30, "max_retries": 0, **arguments})
    return answer.choices[0].message.content


def test_an_unknown_authority_is_refused(secure: Server, ledger: Ledger) -> None:
    with pytest.raises(APIConnectionError, match=r"UnknownIssuer.*SSL_CERT_FILE.*ssl_verify"):
        ask(secure)
    assert not secure.requests
    row = ledger.call()
    assert (row["outcome"], row["error_type"], row["attempts"]) == ("error", "connection_error", 1)


def test_ssl_verify(secure: Server, authority: Authority, ledger: Ledger) -> None:
    secure.will(*[Answer(body=chat())] * 4)
    folder = authority.file.parent / "trusted"
    folder.mkdir()
    shutil.copy(authority.file, folder)
    (folder / "README").write_text("The authority of these tests.")
    for trusted in (False, str(authority.file), authority.file, str(folder)):
        assert ask(secure, ssl_verify=trusted) == "Hello."
    # Each is trusted by the calls that said so, and by no other.
    with pytest.raises(APIConnectionError):
        ask(secure)
    assert [row["outcome"] for row in ledger.calls()] == ["completed"] * 4 + ["error"]


def test_ssl_verify_of_the_module(secure: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    secure.will(*[Answer(body=chat())] * 2)
    monkeypatch.setattr(edgequake_obs, "ssl_verify", str(authority.file))
    assert ask(secure) == "Hello."
    with pytest.raises(APIConnectionError):
        ask(secure, ssl_verify=True)
    monkeypatch.setattr(edgequake_obs, "ssl_verify", False)
    assert ask(secure) == "Hello."


def test_connections_are_used_again(secure: Server, authority: Authority) -> None:
    secure.will(*[Answer(body=chat())] * 3)
    for _ in range(3):
        ask(secure, ssl_verify=str(authority.file))
    assert len({request.connection for request in secure.requests}) == 1


def test_another_hosts_certificate_is_refused(authority: Authority) -> None:
    with running("127.0.0.2", authority.context()) as server:
        with pytest.raises(APIConnectionError, match="certificate"):
            ask(server, ssl_verify=str(authority.file))
        server.will(Answer(body=chat()))
        assert ask(server, ssl_verify=False) == "Hello."


@pytest.mark.parametrize("given", ["file", "folder", "litellm", "litellm_off"])
def test_the_environments_authorities(secure: Server, authority: Authority, tmp_path: Path, given: str) -> None:
    secure.will(Answer(body=chat()))
    folder = tmp_path / "certificates"
    folder.mkdir()
    shutil.copy(authority.file, folder)
    variables = {
        "file": {"SSL_CERT_FILE": str(authority.file)},
        "folder": {"SSL_CERT_DIR": str(folder)},
        "litellm": {"SSL_VERIFY": str(authority.file)},
        "litellm_off": {"SSL_VERIFY": "False"},
    }[given]
    assert ask_elsewhere(secure.base, tmp_path / "l.duckdb", **variables) == ["Hello."]


def test_certificates_that_are_not_there_are_named(secure: Server, tmp_path: Path) -> None:
    path = tmp_path / "none.pem"
    (said,) = ask_elsewhere(secure.base, tmp_path / "l.duckdb", SSL_CERT_FILE=str(path))
    assert said.startswith("BadRequestError")
    assert f"SSL_CERT_FILE is {path}" in said
    assert Ledger(tmp_path / "l.duckdb").call()["outcome"] == "error"


@pytest.mark.parametrize("way", ["argument", "pair", "module", "environment"])
def test_a_client_certificate(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    with running("localhost", authority.context(asks_for_certificate=True)) as server:
        server.will(Answer(body=chat()))
        if way == "environment":
            variables = {"SSL_CERTIFICATE": str(authority.client), "SSL_CERT_FILE": str(authority.file)}
            assert ask_elsewhere(server.base, tmp_path / "l.duckdb", **variables) == ["Hello."]
            return
        arguments: dict[str, Any] = {"ssl_verify": str(authority.file)}
        with pytest.raises(APIConnectionError):
            ask(server, **arguments)
        if way == "module":
            monkeypatch.setattr(edgequake_obs, "ssl_certificate", str(authority.client))
        else:
            arguments["ssl_certificate"] = authority.split_client() if way == "pair" else str(authority.client)
        assert ask(server, **arguments) == "Hello."


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"ssl_verify": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
        ({"ssl_verify": 3.5}, "ssl_verify must be True, False, or the path"),
        ({"ssl_verify": __file__}, "holds none"),
        ({"ssl_certificate": "/nowhere/client.pem"}, "/nowhere/client.pem"),
        ({"ssl_certificate": ("a", "b", "c")}, "ssl_certificate must be the path"),
    ],
)
def test_wrong_settings_are_named(secure: Server, ledger: Ledger, arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(BadRequestError, match=named):
        ask(secure, **arguments)
    assert not secure.requests
    assert ledger.call()["outcome"] == "error"


def test_ipv6(authority: Authority, ledger: Ledger) -> None:
    with running("::1") as plain, running("::1", authority.context()) as secure:
        plain.will(Answer(body=chat()))
        secure.will(Answer(body=chat()))
        assert ask(plain) == "Hello."
        assert ask(secure, ssl_verify=str(authority.file)) == "Hello."
    assert [row["server_address"] for row in ledger.calls()] == ["[::1]", "[::1]"]


def test_asynchronous_calls(secure: Server, authority: Authority) -> None:
    secure.will(Answer(body=chat()))
    given = {"model": "gpt-4o-mini", "messages": MESSAGES, "api_base": secure.base, "api_key": "sk-test"}
    answer = asyncio.run(edgequake_obs.acompletion(**given, ssl_verify=str(authority.file)))
    assert answer.choices[0].message.content == "Hello."


def test_an_encrypted_key_is_told_as_that(authority: Authority, tmp_path: Path, secure: Server) -> None:
    from cryptography.hazmat.primitives import serialization as forms

    chain, plain = authority.split_client()
    key = forms.load_pem_private_key(plain.read_bytes(), password=None)
    locked = tmp_path / "locked.key"
    secret = forms.BestAvailableEncryption(b"secret")
    locked.write_bytes(key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, secret))
    with pytest.raises(BadRequestError, match=r"locked\.key is encrypted.*openssl pkey"):
        ask(secure, ssl_certificate=(str(chain), str(locked)))
