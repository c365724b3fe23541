"""leaving.py SERVER CLIENT FLAVOUR: opens streams, reads a little of some, and ends without closing any.

CLIENT own | patched;  FLAVOUR sync | async | thread (daemon threads still read, and one waits for a plain answer).
"""

import asyncio
import sys
import threading
from typing import Any

import edgequake_obs

server, client, flavour = sys.argv[1:4]
MESSAGES: Any = [{"role": "user", "content": "Hello"}]
# Each event of the stream comes a minute after the one before; the plain answer comes in a minute.
STREAM = f"{server}/x/openai-chat-test-openai-simple-request-0-d4e160cb/delay-ms=60000/v1"
PLAIN = f"{server}/x/openai-chat-test-dbos-agent-run-0-d00b1095/wait-ms=60000/v1"
OWN: dict[str, Any] = {"model": "openai/gpt-4o", "messages": MESSAGES, "api_key": "sk-none"}

if client == "patched":
    import openai

    edgequake_obs.instrument("openai")


def ask(base: str, stream: bool) -> Any:
    if client == "own":
        return edgequake_obs.completion(**OWN, api_base=base, stream=stream)
    package = openai.OpenAI(base_url=base, api_key="sk-none", max_retries=0)
    return package.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=stream)


async def ask_async(base: str) -> Any:
    if client == "own":
        return await edgequake_obs.acompletion(**OWN, api_base=base, stream=True)
    package = openai.AsyncOpenAI(base_url=base, api_key="sk-none", max_retries=0)
    return await package.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)


kept: list[Any] = []  # module globals live until the interpreter is being taken apart


def open_streams() -> None:
    for n in range(3):
        with edgequake_obs.context(tags={"call": f"stream-{n}"}):
            stream = ask(STREAM, True)
        if n:
            next(iter(stream))
        kept.append(stream)


async def open_streams_async() -> None:
    for n in range(3):
        with edgequake_obs.context(tags={"call": f"stream-{n}"}):
            stream = await ask_async(STREAM)
        if n:
            await stream.__aiter__().__anext__()
        kept.append(stream)


def wait_for_a_plain_answer() -> None:
    with edgequake_obs.context(tags={"call": "plain"}):
        ask(PLAIN, False)


if flavour == "async":
    asyncio.run(open_streams_async())
else:
    open_streams()
if flavour == "thread":
    for stream in kept:
        threading.Thread(target=list, args=(stream,), daemon=True).start()
    threading.Thread(target=wait_for_a_plain_answer, daemon=True).start()
    print("waiting", flush=True)
    sys.stdin.readline()  # until the server has the plain request
print("leaving", flush=True)
