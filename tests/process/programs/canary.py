"""canary.py SERVER PLACE: makes calls with a key (CANARY in the environment of the test) given in one place, and prints
whatever a program could print or log of them: answers, clients, exceptions with their tracebacks, stats.
"""

import asyncio
import os
import sys
import traceback
from typing import Any

import edgequake_obs

server, place, canary = sys.argv[1], sys.argv[2], os.environ.pop("TEST_CANARY")
host = server.removeprefix("http://")
OK = f"{server}/x/openai-chat-test-dbos-agent-run-0-d00b1095/v1"
STREAM = f"{server}/x/openai-chat-test-openai-simple-request-0-d4e160cb/v1"
ASKED: dict[str, Any] = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}


def show(*things: object) -> None:
    for thing in things:
        print(repr(thing), str(thing))
        for name in ("model_dump", "json", "dict"):
            if callable(method := getattr(thing, name, None)):
                print(method())
        for name in ("_hidden_params", "_response_headers", "__dict__"):
            print(getattr(thing, name, None))


def attempt(**arguments: Any) -> None:
    """One call; everything it returns or raises is shown."""
    asked = {**ASKED, "max_retries": 0, "timeout": 5, **arguments}
    for stream in (False, True):
        try:
            answer = edgequake_obs.completion(**asked, stream=stream)
            show(answer)
            if stream:
                show(*answer)
        except Exception as error:
            traceback.print_exception(type(error), error, error.__traceback__)
            show(error, error.args, error.__cause__, error.__context__)

    async def once() -> None:
        try:
            show(await edgequake_obs.acompletion(**asked))
        except Exception as error:
            traceback.print_exception(type(error), error, error.__traceback__)
            show(error, error.args)

    asyncio.run(once())


def own(place: str) -> None:
    good: dict[str, Any] = {"api_base": OK, "api_key": "sk-other"}
    bad = f"{server}/x/canary-401/v1"
    if place == "argument":
        attempt(api_base=OK, api_key=canary)
        attempt(api_base=STREAM, api_key=canary)
        attempt(api_base="http://127.0.0.1:9/v1", api_key=canary)
    elif place == "global":
        edgequake_obs.api_key = canary  # type: ignore[attr-defined]
        attempt(api_base=OK)
    elif place == "environment":
        os.environ["OPENAI_API_KEY"] = canary
        attempt(api_base=OK)
        attempt(api_base=bad)
    elif place == "base_url":
        attempt(api_base=OK.replace("http://", f"http://user:{canary}@"), api_key="sk-other")
        attempt(api_base=f"http://{canary}@127.0.0.1:9/v1", api_key="sk-other")
        attempt(api_base=f"{OK}?api-key={canary}", api_key="sk-other")
    elif place == "extra_headers":
        for name in ("authorization", "x-api-key", "api-key", "Ocp-Apim-Subscription-Key"):
            value = f"Bearer {canary}" if name == "authorization" else canary
            attempt(**good, extra_headers={name: value})
            attempt(api_base=bad, api_key="sk-other", extra_headers={name: value})
    elif place == "echo":
        for kind in ("canary-401", "canary-500", "canary-plain-text", "canary-in-stream"):
            attempt(api_base=f"{server}/x/{kind}/v1", api_key=canary)
    elif place == "refused":
        # Refused before anything is sent: what was wrong with the call must not be told with its key.
        attempt(api_base=OK, api_key=canary, temperature=object())
        attempt(api_base="not a url", api_key=canary)
        attempt(api_base=OK, api_key=canary + "\n")


def patched(place: str) -> None:
    import openai

    edgequake_obs.instrument("openai")
    clients: list[openai.OpenAI] = []
    named: dict[str, Any] = {"base_url": OK, "api_key": "sk-other", "max_retries": 0}
    if place == "argument":
        clients = [
            openai.OpenAI(**{**named, "api_key": canary, "base_url": base}) for base in (OK, "http://127.0.0.1:9")
        ]
    elif place == "environment":
        os.environ["OPENAI_API_KEY"] = canary
        clients = [openai.OpenAI(base_url=OK, max_retries=0)]
    elif place == "base_url":
        clients = [openai.OpenAI(**{**named, "base_url": OK.replace("http://", f"http://user:{canary}@")})]
    elif place == "extra_headers":
        headers = {"x-api-key": canary, "api-key": canary}
        bases = (OK, f"{server}/x/canary-401/v1")
        clients = [openai.OpenAI(**{**named, "base_url": base}, default_headers=headers) for base in bases]
    elif place == "echo":
        kinds = ("canary-401", "canary-500", "canary-plain-text", "canary-in-stream")
        bases = [f"{server}/x/{kind}/v1" for kind in kinds]
        clients = [openai.OpenAI(**{**named, "api_key": canary, "base_url": base}) for base in bases]
    for client in clients:
        for stream in (False, True):
            try:
                answer = client.chat.completions.create(model="gpt-4o", messages=ASKED["messages"], stream=stream)
                if stream:
                    list(answer)
            except openai.OpenAIError:
                pass  # the package's own exceptions say what they like; what we write must not


kind, _, where = place.partition("-")
(own if kind == "own" else patched)(where)
show(edgequake_obs.stats())
print("done")
