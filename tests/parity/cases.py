"""Which of litellm's recorded cases are ours to match, and how one of them is run and judged.

The cases, and the programs that run and judge one, lie beside the repository in `shared/litellm_parity`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "litellm_parity"

# Whose dialects are built: the vendors, and cases about the functions themselves.
PROVIDERS = frozenset(
    (
        "openai",
        "openai_4o",
        "openai_gpt",
        "openai_mini",
        "text_openai",
        "anthropic",
        "gemini",
        "gemini_flash",
        "gemini_imagen",
        "gemini_new",
        "azure",
        "azure_gpt",
        "azure_text",
        "deepseek",
        "groq",
        "mistral",
        "together_ai",
        "fireworks_ai",
        "openrouter",
        "perplexity",
        "xai",
        "cerebras",
        "nvidia_nim",
        "lm_studio",
        "hosted_vllm",
        "huggingface",
        "moonshot",
        "sambanova",
        "jina_ai",
        "custom_openai",
        "ollama",
        "ollama_chat",
        "mock",
        "globals",
        "env",
        "inputs",
        "fn",
    )
)
GROUPS = frozenset(("request", "response", "stream", "error", "retry", "events", "mock", "fn"))

# A case that hangs is a miss; none takes a tenth of this.
PATIENCE_SECONDS = 20

Case = dict[str, Any]
Judge = Callable[[Case], str | None]


def ours() -> Iterator[Case]:
    """The cases to match, those of callbacks first: they must not meet calls that others left open."""
    with (FOLDER / "cases.jsonl").open(encoding="utf-8") as lines:
        cases = [case for case in map(json.loads, lines) if case["provider"] in PROVIDERS and case["group"] in GROUPS]
    return iter(sorted(cases, key=lambda case: case["group"] != "events"))


def judge(package: Any) -> Judge:
    """What tells why a case of `package`'s is a miss; None for one that is not.

    Changes this process (its signal handlers, its module path): for a process of its own.
    """
    sys.path.insert(0, str(FOLDER))
    from catchall import CatchAll
    from drive import run_case
    from replay import judge as compared

    server = CatchAll()

    def judged(case: Case) -> str | None:
        try:
            passed, why = compared(case, run_case(package, server, case, PATIENCE_SECONDS))
        except Exception as error:
            passed, why = False, f"{type(error).__name__}: {error}"
        return None if passed else str(why)

    return judged
