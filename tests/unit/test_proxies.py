"""The environment's proxies, with proxies and servers that are processes and threads of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import proxy
from .asking import ask
from .authority import Authority
from .records import Ledger
from .server import DONE, USAGE_EVENT, Answer, Server, chat, event, running

PASSWORD = "ada:p@ss/word"
USER_INFO = "ada:p%40ss%2Fword@"


@pytest.fixture
def rows(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.duckdb")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_plain_requests_go_through_the_proxy(server: Server, rows: Ledger) -> None:
    server.will(Answer(body=chat()), Answer(body=[event("Hel"), event("lo."), USAGE_EVENT, DONE]))
    with proxy.running("--password", PASSWORD) as found:
        variables = {"HTTP_PROXY": f"http://{USER_INFO}127.0.0.1:{found.port}"}
        assert ask(server.base, rows.path, {}, {"stream": True}, **variables) == ["Hello.", "Hello."]
        assert found.log() == [f"POST {server.base}/chat/completions"] * 2
    assert all("proxy-authorization" not in request.headers for request in server.requests)
    assert [row["outcome"] for row in rows.calls()] == ["completed"] * 2


@pytest.mark.parametrize("by_tls", [False, True])
def test_https_goes_through_a_tunnel(authority: Authority, rows: Ledger, by_tls: bool) -> None:
    options = ["--password", PASSWORD, *(["--tls", str(authority.server)] if by_tls else [])]
    with running("localhost", authority.context()) as server, proxy.running(*options) as found:
        server.will(Answer(body=chat()), Answer(body=[event("Hello."), USAGE_EVENT, DONE]))
        variables = {
            "HTTPS_PROXY": f"http{'s' if by_tls else ''}://{USER_INFO}localhost:{found.port}",
            "SSL_CERT_FILE": str(authority.file),
        }
        assert ask(server.base, rows.path, {}, {"stream": True}, **variables) == ["Hello.", "Hello."]
        # One tunnel: the second call found its connection in the pool.
        assert found.log() == [f"CONNECT localhost:{server.port}"]
    assert all("proxy-authorization" not in request.headers for request in server.requests)
    assert [row["server_address"] for row in rows.calls()] == ["localhost"] * 2


def test_plain_requests_through_a_proxy_that_is_reached_by_tls(authority: Authority, rows: Ledger) -> None:
    with running() as server, proxy.running("--tls", str(authority.server)) as found:
        server.will(Answer(body=chat()))
        variables = {"ALL_PROXY": f"https://localhost:{found.port}", "SSL_CERT_FILE": str(authority.file)}
        assert ask(server.base, rows.path, **variables) == ["Hello."]
        assert found.log() == [f"POST {server.base}/chat/completions"]


@pytest.mark.parametrize("options", [[], ["--password", PASSWORD]])
def test_socks(server: Server, rows: Ledger, options: list[str]) -> None:
    server.will(Answer(body=chat()))
    with proxy.running("--socks", *options) as found:
        user_info = USER_INFO if options else ""
        assert ask(server.base, rows.path, all_proxy=f"socks5h://{user_info}127.0.0.1:{found.port}") == ["Hello."]
        assert found.log() == [f"SOCKS 127.0.0.1:{server.port}"]


@pytest.mark.parametrize("without", ["127.0.0.1", "example.org, 127.0.0.0/8", "*"])
def test_hosts_without_a_proxy(server: Server, rows: Ledger, without: str) -> None:
    server.will(Answer(body=chat()))
    with proxy.running() as found:
        variables = {"HTTP_PROXY": f"http://127.0.0.1:{found.port}", "NO_PROXY": without}
        assert ask(server.base, rows.path, **variables) == ["Hello."]
        assert found.log() == []


@pytest.mark.parametrize("is_it", [True, False])
def test_one_port_of_a_host_is_without_a_proxy(server: Server, rows: Ledger, is_it: bool) -> None:
    server.will(Answer(body=chat()))
    with proxy.running() as found:
        without = f"example.org:443, 127.0.0.1:{server.port if is_it else 9}"
        variables = {"HTTP_PROXY": f"http://127.0.0.1:{found.port}", "NO_PROXY": without}
        assert ask(server.base, rows.path, **variables) == ["Hello."]
        assert len(found.log()) == (0 if is_it else 1)


def test_a_domain_with_a_star_is_without_a_proxy(authority: Authority, rows: Ledger) -> None:
    with running("localhost") as server, proxy.running() as found:
        server.will(Answer(body=chat()))
        variables = {"HTTP_PROXY": f"http://127.0.0.1:{found.port}", "NO_PROXY": "*.localhost"}
        assert ask(server.base, rows.path, **variables) == ["Hello."]
        assert found.log() == []


def test_a_programs_own_name_for_it_wins(server: Server, rows: Ledger) -> None:
    server.will(Answer(body=chat()))
    with proxy.running() as found:
        variables = {"http_proxy": f"http://127.0.0.1:{found.port}", "HTTP_PROXY": "http://127.0.0.1:9"}
        assert ask(server.base, rows.path, **variables) == ["Hello."]
        assert len(found.log()) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_another_password(authority: Authority, rows: Ledger, scheme: str) -> None:
    context = authority.context() if scheme == "https" else None
    with running("localhost", context) as server, proxy.running("--password", PASSWORD) as found:
        wrong = f"http://ada:hunter22secret@127.0.0.1:{found.port}"
        (said,) = ask(server.base, rows.path, ALL_PROXY=wrong, SSL_CERT_FILE=str(authority.file))
        assert ("407" in said) or ("proxy authorization required" in said)
        assert "hunter22secret" not in said
        assert not server.requests
    row = rows.call()
    assert row["outcome"] == "error"
    assert "hunter22secret" not in row["error_message"]


def test_a_proxy_that_is_not_there(server: Server, rows: Ledger) -> None:
    with running() as gone:
        port = gone.port
    (said,) = ask(server.base, rows.path, HTTP_PROXY=f"http://127.0.0.1:{port}")
    assert said.startswith("APIConnectionError")
    assert f"through the proxy 127.0.0.1:{port}" in said
    assert (rows.call()["outcome"], rows.call()["error_type"]) == ("error", "connection_error")
