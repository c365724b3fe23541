"""Calls made by a process of its own, whose environment says how the network is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import programs

_PROGRAM = """
import json, sys
import edgequake_obs

said = []
for arguments in json.loads(sys.argv[1]):
    try:
        answer = edgequake_obs.completion(**arguments)
        if arguments.get("stream"):
            said.append("".join(chunk.choices[0].delta.content or "" for chunk in answer))
        else:
            said.append(answer.choices[0].message.content)
    except edgequake_obs.OpenAIError as error:
        said.append(f"{type(error).__name__}: {error}")
edgequake_obs.flush(30)
print(json.dumps(said))
"""


def ask(base: str, ledger: Path, *calls: dict[str, Any], **environment: str) -> list[str]:
    """What each call was answered, or its error as text."""
    fixed = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}], "api_key": "sk-test"}
    every = [{**fixed, "api_base": base, "timeout": 30, "max_retries": 0, **call} for call in calls or ({},)]
    done = programs.run(_PROGRAM, json.dumps(every), EDGEQUAKE_OBS_LEDGER=str(ledger), **environment)
    return json.loads(done.stdout)
