"""The yardstick: a bare Python socket doing the same exchanges with server.py.

Ratios in benchmarks are to these two functions, in the same run:

call(port)    one chat completion, body parsed, content read
stream(port)  one streamed chat completion, each chunk parsed; yields once at the first bytes and once per chunk

Copied from the project's shared yardstick and only laid out anew: to change it is to change what all figures mean.
"""

import json
import socket

MESSAGES = [
    {"role": "system", "content": "You are terse."},
    {"role": "user", "content": "Say something of a hundred words about rivers."},
]
_sockets = {}


def _request(port, streaming):
    body = json.dumps({"model": "gpt-4o-mini", "messages": MESSAGES, "stream": streaming}).encode()
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-x\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
    )
    return head % len(body) + body


def _socket(port):
    if port not in _sockets:
        s = socket.create_connection(("127.0.0.1", port))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _sockets[port] = s
    return _sockets[port]


def call(port):
    s, buf = _socket(port), b""
    s.sendall(_request(port, False))
    while b"\r\n\r\n" not in buf:
        buf += s.recv(65536)
    i = buf.find(b"\r\n\r\n")
    k = buf.lower().find(b"content-length:")
    n = int(buf[k + 15 : buf.find(b"\r\n", k)])
    while len(buf) < i + 4 + n:
        buf += s.recv(65536)
    return json.loads(buf[i + 4 :])["choices"][0]["message"]["content"]


def stream(port):
    s, buf = _socket(port), b""
    s.sendall(_request(port, True))
    while not buf.endswith(b"0\r\n\r\n"):
        d = s.recv(65536)
        if not buf:
            yield 1
        buf += d
    for line in buf.split(b"\n"):
        if line.startswith(b"data: {"):
            json.loads(line[6:])
            yield 1
