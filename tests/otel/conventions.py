"""What OpenTelemetry's GenAI conventions (schema 1.42.0) allow, and a check of spans and metrics against it.

Source: github.com/open-telemetry/semantic-conventions-genai at 024a4f94, `docs/gen-ai/gen-ai-{spans,metrics}.md`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

TEXT, COUNT, NUMBER, FLAG, TEXTS = str, int, float, bool, list

# Attribute -> its type; those that are not in here and begin with `gen_ai.` do not exist.
ATTRIBUTES: dict[str, type] = {
    "gen_ai.operation.name": TEXT,
    "gen_ai.provider.name": TEXT,
    "gen_ai.request.model": TEXT,
    "gen_ai.request.stream": FLAG,
    "gen_ai.request.max_tokens": COUNT,
    "gen_ai.request.temperature": NUMBER,
    "gen_ai.request.top_p": NUMBER,
    "gen_ai.request.top_k": COUNT,
    "gen_ai.request.frequency_penalty": NUMBER,
    "gen_ai.request.presence_penalty": NUMBER,
    "gen_ai.request.stop_sequences": TEXTS,
    "gen_ai.request.seed": COUNT,
    "gen_ai.request.choice.count": COUNT,
    "gen_ai.request.reasoning.level": TEXT,
    "gen_ai.request.previous_response.id": TEXT,
    "gen_ai.request.encoding_formats": TEXTS,
    "gen_ai.embeddings.dimension.count": COUNT,
    "gen_ai.output.type": TEXT,
    "gen_ai.conversation.id": TEXT,
    "gen_ai.response.id": TEXT,
    "gen_ai.response.model": TEXT,
    "gen_ai.response.finish_reasons": TEXTS,
    "gen_ai.response.time_to_first_chunk": NUMBER,
    "gen_ai.usage.input_tokens": COUNT,
    "gen_ai.usage.output_tokens": COUNT,
    "gen_ai.usage.cache_read.input_tokens": COUNT,
    "gen_ai.usage.cache_write.input_tokens": COUNT,
    "gen_ai.usage.reasoning.output_tokens": COUNT,
    "gen_ai.usage.audio.input_tokens": COUNT,
    "gen_ai.usage.audio.output_tokens": COUNT,
    "gen_ai.usage.image.input_tokens": COUNT,
    "gen_ai.usage.image.output_tokens": COUNT,
    # The draft of semantic-conventions-genai#443.
    "gen_ai.usage.cost.amount": NUMBER,
    "gen_ai.usage.cost.currency": TEXT,
    "gen_ai.usage.cost.source": TEXT,
    "gen_ai.input.messages": TEXT,
    "gen_ai.output.messages": TEXT,
    "gen_ai.system_instructions": TEXT,
    "gen_ai.tool.definitions": TEXT,
    "openai.request.service_tier": TEXT,
    "openai.response.service_tier": TEXT,
    "openai.response.system_fingerprint": TEXT,
    "openai.api.type": TEXT,
    "azure.resource_provider.namespace": TEXT,
    "server.address": TEXT,
    "server.port": COUNT,
    "error.type": TEXT,
    "user.id": TEXT,
    "operation.cost": NUMBER,
}

# Only on spans of streams.
OF_STREAMS = frozenset(("gen_ai.request.stream", "gen_ai.response.time_to_first_chunk"))
# Only true, or absent.
ONLY_TRUE = frozenset(("gen_ai.request.stream",))

VALUES: dict[str, frozenset[str]] = {
    "azure.resource_provider.namespace": frozenset(("Microsoft.CognitiveServices",)),
    "gen_ai.output.type": frozenset(("text", "json", "image", "speech")),
    "openai.api.type": frozenset(("chat_completions", "responses")),
    "gen_ai.usage.cost.source": frozenset(("provider", "local")),
    "gen_ai.usage.cost.currency": frozenset(("USD",)),
    "gen_ai.token.type": frozenset(("input", "output")),
    "gen_ai.token.modality": frozenset(("text", "image", "audio", "unknown")),
}

# litellm's ids that the conventions name otherwise: on no span and no metric.
FOREIGN_PROVIDERS = frozenset(("azure", "azure_ai", "bedrock", "gemini", "mistral", "moonshot", "vertex_ai", "xai"))

SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
TOKENS = [float(4**power) for power in range(14)]
COMMON = frozenset(
    (
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "server.address",
        "server.port",
    )
)


@dataclasses.dataclass
class Metric:
    """What a metric must be.

    Attributes:
        unit: Its unit.
        bounds: Of its buckets; None: a counter.
        required: Attributes beside the common ones that each point has.
        allowed: Those that it may have.
    """

    unit: str
    bounds: list[float] | None
    required: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()


ERROR = frozenset(("error.type",))
MODALITY = frozenset(("gen_ai.token.modality",))
COST = frozenset(("gen_ai.usage.cost.currency", "gen_ai.usage.cost.source"))
USAGE = "gen_ai.client.inference.usage"
METRICS: dict[str, Metric] = {
    "gen_ai.client.operation.duration": Metric("s", SECONDS, allowed=ERROR),
    "gen_ai.client.inference.duration": Metric("s", SECONDS, allowed=ERROR),
    "gen_ai.client.embeddings.duration": Metric("s", SECONDS, allowed=ERROR),
    "gen_ai.client.token.usage": Metric("{token}", TOKENS, frozenset(("gen_ai.token.type",))),
    **{
        f"gen_ai.client.{of}.{name}": Metric("s", SECONDS)
        for of in ("operation", "inference")
        for name in ("time_to_first_chunk", "time_per_output_chunk")
    },
    **{
        f"{USAGE}.{name}": Metric("{token}", None, MODALITY)
        for name in (
            "input_tokens",
            "output_tokens",
            "cache_read.input_tokens",
            "cache_write.input_tokens",
            "reasoning.output_tokens",
        )
    },
    "gen_ai.client.inference.operation.input_tokens": Metric("{token}", TOKENS, allowed=ERROR),
    "gen_ai.client.inference.operation.output_tokens": Metric("{token}", TOKENS, allowed=ERROR),
    "gen_ai.client.embeddings.operation.input_tokens": Metric("{token}", TOKENS, allowed=ERROR),
    "gen_ai.client.operation.cost": Metric("{cost}", [], COST),  # the draft names no buckets
    "edgequake.cost": Metric("USD", None),
}


def faults_of_span(name: str, attributes: Mapping[str, Any], failed: bool) -> Iterable[str]:
    """What is wrong with a span of a call to a model."""
    operation, model = attributes.get("gen_ai.operation.name"), attributes.get("gen_ai.request.model")
    yield from _faults_of_attributes(attributes)
    for required in ("gen_ai.operation.name", "gen_ai.provider.name"):
        if required not in attributes:
            yield f"{required} is required"
    if name != (f"{operation} {model}" if model else operation):
        yield f"the name is {name!r}"
    if failed != ("error.type" in attributes):
        yield "error.type stands on failed spans, and on these alone"
    if ("server.port" in attributes) and "server.address" not in attributes:
        yield "server.port without server.address"
    if "gen_ai.request.stream" not in attributes and OF_STREAMS & attributes.keys():
        yield f"{OF_STREAMS & attributes.keys()} without a stream"
    if operation == "embeddings" and attributes.get("gen_ai.usage.output_tokens"):
        yield "embeddings put nothing out"
    amount = [name in attributes for name in ATTRIBUTES if name.startswith("gen_ai.usage.cost.")]
    if any(amount) != all(amount):
        yield "a cost has an amount, a currency and a source"
    if "gen_ai.usage.cost" in attributes:
        yield "gen_ai.usage.cost collides with the names beneath it"


def faults_of_counts(attributes: Mapping[str, Any]) -> Iterable[str]:
    """What is wrong with the counts of a span whose provider does not contradict itself."""
    whole = attributes.get("gen_ai.usage.input_tokens")
    for part in ("cache_read", "cache_write"):
        if whole is not None and attributes.get(f"gen_ai.usage.{part}.input_tokens", 0) > whole:
            yield f"input_tokens do not include {part}"
    written = attributes.get("gen_ai.usage.output_tokens")
    if written is not None and attributes.get("gen_ai.usage.reasoning.output_tokens", 0) > written:
        yield "output_tokens do not include reasoning"


def faults_of_metric(metric: Any, attributes_of_points: list[Mapping[str, Any]]) -> Iterable[str]:
    """What is wrong with a metric of OTLP's."""
    expected = METRICS.get(metric.name)
    if expected is None:
        yield f"there is no metric {metric.name}"
        return
    if metric.unit != expected.unit:
        yield f"{metric.name} is in {metric.unit}"
    kind = metric.WhichOneof("data")
    if kind != ("sum" if expected.bounds is None else "histogram"):
        yield f"{metric.name} is a {kind}"
        return
    data = getattr(metric, kind)
    if kind == "sum" and not data.is_monotonic:
        yield f"{metric.name} is no counter"
    for point, attributes in zip(data.data_points, attributes_of_points, strict=True):
        if kind == "histogram" and expected.bounds and list(point.explicit_bounds) != expected.bounds:
            yield f"{metric.name} has other buckets"
        if kind == "histogram" and sum(point.bucket_counts) != point.count:
            yield f"{metric.name}: {point.count} values in {sum(point.bucket_counts)}"
        found = frozenset(attributes)
        needed = expected.required | {"gen_ai.operation.name", "gen_ai.provider.name"}
        if not needed <= found:
            yield f"{metric.name} lacks {needed - found}"
        if not found <= COMMON | expected.required | expected.allowed:
            yield f"{metric.name} has {found - COMMON - expected.required - expected.allowed}"
        yield from _faults_of_attributes({k: v for k, v in attributes.items() if not k.startswith("gen_ai.token.")})


def _faults_of_attributes(attributes: Mapping[str, Any]) -> Iterable[str]:
    for name, value in attributes.items():
        if name.startswith("edgequake."):
            continue
        kind = ATTRIBUTES.get(name)
        if kind is None:
            yield f"there is no attribute {name}"
        elif (
            type(value) is not kind
            or value in ("", [])
            or (kind is list and not all(item and isinstance(item, str) for item in value))
        ):
            yield f"{name} is {value!r}"
        if name in VALUES and value not in VALUES[name]:
            yield f"{name} is {value!r}"
        if name in ONLY_TRUE and value is not True:
            yield f"{name} is only ever true"
    if attributes.get("gen_ai.provider.name") in FOREIGN_PROVIDERS:
        yield f"the provider is {attributes['gen_ai.provider.name']!r}"
