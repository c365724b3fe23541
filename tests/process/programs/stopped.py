"""stopped.py SERVER CLIENT WHAT: is stopped in the middle of a call, and says what came of it.

CLIENT own | patched
WHAT interrupt-call | interrupt-stream: waits for a signal; cancel-call | cancel-stream: cancels its task when told to.
"""

import asyncio
import sys
import threading
import time
from typing import Any

import edgequake_obs

server, client, what = sys.argv[1:4]
MESSAGES: Any = [{"role": "user", "content": "Hello"}]
STREAM = f"{server}/x/openai-chat-test-openai-simple-request-0-d4e160cb/delay-ms=60000/v1"
PLAIN = f"{server}/x/openai-chat-test-dbos-agent-run-0-d00b1095/wait-ms=60000/v1"
streamed = what.endswith("stream")
base = STREAM if streamed else PLAIN

if client == "patched":
    import openai

    edgequake_obs.instrument("openai")


def ask(package: Any) -> Any:
    """The call, or its coroutine."""
    if client == "patched":
        return package.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=streamed)
    own = edgequake_obs.acompletion if what.startswith("cancel") else edgequake_obs.completion
    return own(model="openai/gpt-4o", messages=MESSAGES, api_base=base, api_key="sk-none", stream=streamed)


def interrupted() -> None:
    package = openai.OpenAI(base_url=base, api_key="sk-none", max_retries=0) if client == "patched" else None
    try:
        with edgequake_obs.context(tags={"call": what}):
            answer = ask(package)
            if streamed:
                stream = iter(answer)
                next(stream)
                print("started", flush=True)
                next(stream)
    except KeyboardInterrupt:
        print("KeyboardInterrupt", time.monotonic(), flush=True)


async def cancelled() -> None:
    package = openai.AsyncOpenAI(base_url=base, api_key="sk-none", max_retries=0) if client == "patched" else None

    async def call() -> None:
        with edgequake_obs.context(tags={"call": what}):
            answer = await ask(package)
            if streamed:
                stream = answer.__aiter__()
                await stream.__anext__()
                print("started", flush=True)
                await stream.__anext__()

    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=lambda: (sys.stdin.readline(), loop.call_soon_threadsafe(told.set)), daemon=True).start()
    task = asyncio.create_task(call())
    await told.wait()
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("CancelledError", time.monotonic(), flush=True)
    # The connection must be closed now, not when the process ends: it goes on until it is told to stop.
    await asyncio.to_thread(sys.stdin.readline)


if what.startswith("interrupt"):
    interrupted()
    sys.stdin.readline()
else:
    asyncio.run(cancelled())
