"""A proxy, as a process of its own: plain requests, CONNECT, SOCKS 5; it prints its port, and then a line a request.

python -m tests.unit.proxy [--password USER:PASSWORD] [--tls PEM] [--socks]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import ipaddress
import ssl
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Running:
    """A proxy that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self._lines = process.stdout
        self.port = int(self._lines.readline())

    def log(self) -> list[str]:
        """What it was asked for; the proxy ends with this."""
        self._process.terminate()
        return self._lines.read().splitlines()


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "tests.unit.proxy", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


async def _pour(reader: StreamReader, writer: StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


async def _join(reader: StreamReader, writer: StreamWriter, host: str, port: int, first: bytes = b"") -> None:
    there, back = await asyncio.open_connection(host.strip("[]"), port)
    back.write(first)
    await asyncio.gather(_pour(reader, back), _pour(there, writer))


async def _http(reader: StreamReader, writer: StreamWriter, password: str | None) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    method, target, version = request.split()
    print(method, target, flush=True)
    wanted = password and "Basic " + base64.b64encode(password.encode()).decode()
    if wanted and headers.get("proxy-authorization") != wanted:
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()
        return
    if method == "CONNECT":
        host, _, port = target.rpartition(":")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await _join(reader, writer, host, int(port))
        return
    authority, _, path = target.removeprefix("http://").partition("/")
    host, _, port = authority.rpartition(":")
    kept = [f"{name}: {value}" for name, value in headers.items() if name != "proxy-authorization"]
    first = "\r\n".join([f"{method} /{path} {version}", *kept, "connection: close", "", ""])
    await _join(reader, writer, host, int(port), first.encode("latin-1"))


async def _socks(reader: StreamReader, writer: StreamWriter, password: str | None) -> None:
    _, methods = await reader.readexactly(2)
    await reader.readexactly(methods)
    writer.write(b"\x05\x02" if password else b"\x05\x00")
    if password:
        _, length = await reader.readexactly(2)
        user = await reader.readexactly(length)
        secret = await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\x01\x00" if b":".join([user, secret]).decode() == password else b"\x01\x01")
    *_, kind = await reader.readexactly(4)
    if kind == 3:
        host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
    else:
        host = str(ipaddress.ip_address(await reader.readexactly(4 if kind == 1 else 16)))
    port = int.from_bytes(await reader.readexactly(2), "big")
    print("SOCKS", f"{host}:{port}", flush=True)
    writer.write(b"\x05\x00\x00\x01" + bytes(6))
    await _join(reader, writer, host, port)


async def _serve(options: argparse.Namespace) -> None:
    context = None
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls)
    speak = _socks if options.socks else _http

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await speak(reader, writer, options.password)

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--password")
    parser.add_argument("--tls")
    parser.add_argument("--socks", action="store_true")
    asyncio.run(_serve(parser.parse_args()))
