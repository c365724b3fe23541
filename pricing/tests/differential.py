"""Compares this crate with litellm over litellm's whole table and all shapes of token usage.

Needs litellm 1.109.1 (the release the table is of) in the Python that runs it:

    cargo build --release -p pricing --example price_lines
    LITELLM_LOCAL_MODEL_COST_MAP=True python differential.py <target>/release/examples/price_lines

Prints how often both agree, and every kind of disagreement with its count and an example; DISAGREEMENTS.md explains
the kinds.
"""

import collections
import json
import re
import subprocess
import sys

import litellm
from litellm import ModelResponse, Usage, completion_cost

litellm.suppress_debug_info = True

MODES = {"chat", "completion", "responses", "embedding"}
FAMILIES = {
    "bedrock_converse": "bedrock",
    "cohere_chat": "cohere",
    "azure_text": "azure",
    "fireworks_ai-embedding-models": "fireworks_ai",
    "text-completion-openai": "openai",
}

PLAIN = {"prompt_tokens": 1000, "completion_tokens": 200}
SHAPES = {
    "plain": PLAIN,
    "cached": PLAIN | {"prompt_tokens_details": {"cached_tokens": 600}},
    "cache_write": PLAIN | {"prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 500}},
    "reasoning": PLAIN | {"completion_tokens_details": {"reasoning_tokens": 150}},
    "audio_in": PLAIN | {"prompt_tokens_details": {"audio_tokens": 300}},
    "audio_out": PLAIN | {"completion_tokens_details": {"audio_tokens": 50}},
    "long": {"prompt_tokens": 600_000, "completion_tokens": 200},
    "long_cached": {"prompt_tokens": 600_000, "completion_tokens": 200,
                    "prompt_tokens_details": {"cached_tokens": 590_000}},
    "flex": PLAIN,
    "priority": PLAIN,
}  # fmt: skip


def family(provider: str) -> str:
    return "vertex_ai" if provider.startswith("vertex_ai") else FAMILIES.get(provider, provider)


def calls():
    for model, entry in litellm.model_cost.items():
        if entry.get("mode") not in MODES or "litellm_provider" not in entry or model == "sample_spec":
            continue
        for shape, counts in SHAPES.items():
            if entry["mode"] == "embedding" and shape not in ("plain", "long"):
                continue
            output = 0 if entry["mode"] == "embedding" else counts["completion_tokens"]
            usage = counts | {"completion_tokens": output, "total_tokens": counts["prompt_tokens"] + output}
            tier = shape if shape in ("flex", "priority") else None
            yield shape, family(entry["litellm_provider"]), model, usage, tier


def theirs(provider: str, model: str, usage: dict, tier: str | None) -> float | None:
    details = dict(usage.get("prompt_tokens_details") or {})
    written = details.pop("cache_write_tokens", None)
    extra = {"cache_creation_input_tokens": written} if written else {}
    arguments = {name: usage[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    if details or written:
        arguments["prompt_tokens_details"] = details | ({"cache_creation_tokens": written} if written else {})
    if "completion_tokens_details" in usage:
        arguments["completion_tokens_details"] = usage["completion_tokens_details"]
    response = ModelResponse(model=model, usage=Usage(**arguments, **extra))
    try:
        return completion_cost(response, model=model, custom_llm_provider=provider, service_tier=tier)
    except Exception:  # litellm raises many kinds for a model it has no price for
        return None


def kind(shape: str, ours: dict, their: float | None) -> str | None:
    our = None if ours["usd"] is None else float(ours["usd"])
    if our is None and their is None:
        return None
    if our is not None and their is not None:
        return None if abs(our - their) <= max(2e-12, 1e-9 * our) else f"{shape}: both have a figure, not the same"
    if our is None:
        what = "0" if their == 0 else "a figure"
        reason = re.sub(r"^\S+ is known", "<key> is known", ours["reason"])
        return f"{shape}: litellm says {what}; ours: {ours['status']}, {reason}"
    return f"{shape}: litellm raises, ours is {ours['status']}"


def main() -> None:
    every = list(calls())
    lines = [
        json.dumps(
            {"provider": provider, "model": model, "format": "openai.chat", "usage": usage, "service_tier": tier}
        )
        for _, provider, model, usage, tier in every
    ]
    run = subprocess.run([sys.argv[1]], input="\n".join(lines), capture_output=True, text=True, check=True)
    kinds: dict[str, list] = collections.defaultdict(list)
    for (shape, provider, model, usage, tier), answer in zip(every, run.stdout.splitlines(), strict=True):
        ours = json.loads(answer)
        their = theirs(provider, model, usage, tier)
        name = kind(shape, ours, their)
        if name:
            kinds[name].append((model, ours["usd"], their, ours["breakdown"]))
    different = sum(map(len, kinds.values()))
    print(f"{len(every)} calls, {len(every) - different} agree, {different} do not")
    for name, found in sorted(kinds.items(), key=lambda item: -len(item[1])):
        model, ours, their, breakdown = found[0]
        print(f"{len(found):6} {name}\n         e.g. {model}: ours {ours}, litellm {their}, {breakdown}")


if __name__ == "__main__":
    main()
