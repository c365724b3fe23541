"""A WSGI application, for gunicorn, that makes a call where it is loaded, and one for each request."""

import os
from collections.abc import Callable, Iterable

import edgequake_obs

USAGE = {"prompt_tokens": 3, "completion_tokens": 4}


def call() -> None:
    edgequake_obs.record(provider="openai", model="gpt-4o-mini", usage=USAGE)


call()


def app(_: object, start_response: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    call()
    start_response("200 OK", [("content-type", "text/plain")])
    return [str(os.getpid()).encode()]
