"""A minimal OpenAI-shaped HTTP/1.1 server for measuring clients: raw asyncio protocol, canned bytes.

Paths decide the answer, so one server serves every bench:
  .../chat/completions   JSON, or SSE of N chunks when the body holds "stream": true
  .../embeddings         JSON with 1 vector of 1536 floats per input (fixed)
  .../v1/messages        Anthropic-shaped JSON
  .../v1/traces etc.     200, empty (an OTLP/HTTP sink that counts bytes; GET /stats reads them)
Prints its port, then serves until killed.

Copied from the project's shared yardstick and only laid out anew: to change it is to change what all figures mean.
"""

import asyncio
import json
import random
import sys

try:
    import uvloop

    uvloop.install()
except ImportError:
    pass

N_CHUNKS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
BODY = json.dumps(
    {
        "id": "chatcmpl-B1",
        "object": "chat.completion",
        "created": 1760000000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "word " * 120, "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 19,
            "completion_tokens": 121,
            "total_tokens": 140,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }
).encode()


def resp(body, ctype=b"application/json"):
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: "
        + ctype
        + b"\r\nx-request-id: req_1\r\ncontent-length: "
        + str(len(body)).encode()
        + b"\r\n\r\n"
        + body
    )


CHAT = resp(BODY)
rnd = random.Random(1)
EMB = resp(
    json.dumps(
        {
            "object": "list",
            "model": "text-embedding-3-small",
            "data": [
                {"object": "embedding", "index": 0, "embedding": [round(rnd.uniform(-1, 1), 8) for _ in range(1536)]}
            ],
            "usage": {"prompt_tokens": 5, "total_tokens": 5},
        }
    ).encode()
)
MSG = resp(
    json.dumps(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-20250514",
            "content": [{"type": "text", "text": "word " * 120}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 19,
                "output_tokens": 121,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "service_tier": "standard",
            },
        }
    ).encode()
)


def sse():
    def ev(delta, fin=None, usage=None, choices=True):
        d = {
            "id": "chatcmpl-B1",
            "object": "chat.completion.chunk",
            "created": 1760000000,
            "model": "gpt-4o-mini-2024-07-18",
            "service_tier": "default",
            "system_fingerprint": "fp_1",
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": fin}] if choices else [],
        }
        if usage:
            d["usage"] = usage
        return b"data: " + json.dumps(d).encode() + b"\n\n"

    evs = (
        [ev({"role": "assistant", "content": ""})]
        + [ev({"content": f"word{i % 89} "}) for i in range(N_CHUNKS)]
        + [
            ev({}, "stop"),
            ev({}, None, {"prompt_tokens": 19, "completion_tokens": N_CHUNKS, "total_tokens": 19 + N_CHUNKS}, False),
            b"data: [DONE]\n\n",
        ]
    )
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(e), e) for e in evs) + b"0\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + chunked


SSE = sse()
STAT = {"requests": 0, "otlp_requests": 0, "otlp_bytes": 0}


class P(asyncio.Protocol):
    def connection_made(self, t):
        self.t = t
        self.buf = b""

    def data_received(self, d):
        self.buf += d
        while True:
            i = self.buf.find(b"\r\n\r\n")
            if i < 0:
                return
            head = self.buf[:i]
            low = head.lower()
            n = 0
            if b"transfer-encoding: chunked" in low:
                j = self.buf.find(b"0\r\n\r\n", i + 4)
                if j < 0:
                    return
                body = self.buf[i + 4 : j]
                end = j + 5
            else:
                k = low.find(b"content-length:")
                if k >= 0:
                    n = int(low[k + 15 : low.find(b"\r\n", k) if low.find(b"\r\n", k) > 0 else None])
                if len(self.buf) < i + 4 + n:
                    return
                body = self.buf[i + 4 : i + 4 + n]
                end = i + 4 + n
            self.buf = self.buf[end:]
            path = head.split(b" ", 2)[1]
            STAT["requests"] += 1
            if b"/v1/traces" in path or b"/v1/metrics" in path or b"/v1/logs" in path:
                STAT["otlp_requests"] += 1
                STAT["otlp_bytes"] += len(body)
                self.t.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n")
            elif b"/slow/" in path:
                asyncio.get_running_loop().call_later(3, self.t.write, CHAT)
            elif b"/stats" in path:
                self.t.write(resp(json.dumps(STAT).encode()))
            elif b"/embeddings" in path:
                self.t.write(EMB)
            elif b"/messages" in path:
                self.t.write(MSG)
            elif b'"stream": true' in body or b'"stream":true' in body:
                self.t.write(SSE)
            else:
                self.t.write(CHAT)


async def main():
    loop = asyncio.get_running_loop()
    s = await loop.create_server(P, "127.0.0.1", 0, backlog=4096)
    print(s.sockets[0].getsockname()[1], flush=True)
    await s.serve_forever()


asyncio.run(main())
