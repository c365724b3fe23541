"""A spool full of records, as many processes would have left it, in little time: lines as the recorder writes them."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

_FILE = 64 << 20
_LINE = (
    '{"call_uid":"%s","trace_id":"%032x","span_id":"%016x","session_id":"s%d","user_id":"u%d",'
    '"tags":{"feature":"search"},"start_ns":%d,"duration_ns":%d,"time_to_first_chunk_ns":95000000,"origin":"openai",'
    '"origin_version":"3.52.0","operation":"chat","provider":"openai","request_model":"gpt-5-mini",'
    '"response_model":"gpt-5-mini-%d","response_id":"chatcmpl-%016x","server_address":"api.openai.com",'
    '"streaming":false,"cached":false,"request_params":{"temperature":0.2},"input_tokens":%d,"output_tokens":200,'
    '"usage":{"prompt_tokens":1000,"completion_tokens":200,"total_tokens":1200},"cost_status":"priced",'
    '"cost_usd":"0.000123456789","computed_cost_usd":"0.000123456789","price_key":"openai/gpt-5-mini",'
    '"price_version":"2026-09-01-abc","cost_breakdown":{"input":{"tokens":1000,"rate":"0.00000025","usd":"0.00025"}},'
    '"outcome":"completed","http_status":200,"finish_reasons":["stop"],"attempts":[{"start_ns":%d,"duration_ns":800000000,'
    '"provider":"openai","model":"gpt-5-mini","server_address":"api.openai.com","http_status":200}],"host":"web-1",'
    '"pid":4711}\n'
)


def fill(spool: str, schema: int, count: int, start_ns: int | None = None, step_ns: int = 5_000_000) -> None:
    """Writes `count` calls, one each `step_ns`, into files of 64 MB."""
    os.makedirs(spool, mode=0o700, exist_ok=True)
    moment = start_ns or time.time_ns() - count * step_ns
    written = 0
    while written < count:
        path = Path(spool, f"{moment // 1_000_000}-{random.getrandbits(64):016x}.v{schema}.jsonl")
        with path.open("wb") as file:
            while written < count and file.tell() < _FILE:
                block = [_line(moment + number * step_ns) for number in range(min(1000, count - written))]
                file.write(("\n" + "".join(block)).encode())
                moment += len(block) * step_ns
                written += len(block)
        path.chmod(0o400)


def _line(start_ns: int) -> str:
    pick = random.getrandbits
    uid = f"{(start_ns // 1_000_000) << 16 | 0x7000 | pick(12):016x}{0x8000 | pick(14):04x}{pick(48):012x}"
    dashed = f"{uid[:8]}-{uid[8:12]}-{uid[12:16]}-{uid[16:20]}-{uid[20:]}"
    return _LINE % (
        dashed, pick(128), pick(64), pick(10), pick(8), start_ns, pick(30), pick(3), pick(64), pick(12), start_ns
    )  # fmt: skip
