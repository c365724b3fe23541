"""litellm's functions about costs, on the exact engine. Loaded when first used.

They return floats, as litellm's do; exact figures are `edgequake_obs.pricing.cost`'s and the ledger's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from . import models
from .pricing import Cost, cost

_OUTPUT = frozenset({"text_out", "reasoning", "audio_out", "image_out", "seconds_out"})
# Where responses keep what they used: OpenAI's and most others', Gemini's two spellings, Mistral's OCR, Cohere's.
_USAGE = ("usage", "usageMetadata", "usage_metadata", "usage_info", "meta")
_MODEL = ("model", "modelVersion", "model_version")

_warned: set[str] = set()


def completion_cost(
    completion_response: object = None,
    model: str | None = None,
    prompt: str = "",
    messages: Sequence[object] = (),
    completion: str = "",
    total_time: float | None = 0.0,
    call_type: str | None = None,
    custom_llm_provider: str | None = None,
    region_name: str | None = None,
    size: str | None = None,
    quality: str | None = None,
    n: int | None = None,
    custom_cost_per_token: Mapping[str, float] | None = None,
    custom_cost_per_second: float | None = None,
    optional_params: Mapping[str, object] | None = None,
    custom_pricing: bool | None = None,
    base_model: str | None = None,
    *,
    service_tier: str | None = None,
    data_residency: str | None = None,
    vertex_location: str | None = None,
    **others: object,
) -> float | None:
    """What a call cost, in USD.

    Args:
        completion_response: The response: ours, openai's, litellm's or a provider's own, as an object or a dict.
        model: Its model, where it does not say, or by another name.
        prompt: Without a response: the text that went in, whose tokens are counted.
        messages: Without a response: the messages that went in.
        completion: Without a response: the text that came out.
        total_time: Milliseconds, for `custom_cost_per_second`.
        call_type: litellm's name of the function, such as `image_generation`.
        custom_llm_provider: litellm's id of the provider.
        region_name: Bedrock's region, whose prices stand under `bedrock/<region>/<model>`.
        size: Of images, such as `1024x1024`.
        quality: Of images, such as `hd`.
        n: How many images.
        custom_cost_per_token: Prices in the place of the table's, by litellm's field names.
        custom_cost_per_second: USD a second in the place of any other price.
        optional_params: Accepted for litellm's sake.
        custom_pricing: Accepted for litellm's sake.
        base_model: The model behind a deployment.
        service_tier: The tier that served, where the response does not say.
        data_residency: `eu` or `us`, where OpenAI's regional host served.
        vertex_location: Vertex AI's location.
        **others: litellm's further arguments, which change no price.

    Returns:
        The cost. None where litellm would say 0 for want of a price or of a usage: it is not known, which is logged,
        once for each reason.

    Raises:
        ModelNotMappedError: The price table does not know the model.
        BadRequestError: Nor is it known whose model it is.
    """
    del optional_params, custom_pricing, others
    if custom_cost_per_second is not None:
        return float(_number(custom_cost_per_second) * _number(total_time or 0.0) / 1000)
    hidden = _hidden(completion_response)
    overridden = custom_cost_per_token or model or base_model or custom_llm_provider or service_tier or data_residency
    if not overridden and isinstance(hidden.get("response_cost"), float) and "call_uid" in hidden:
        # One of our own answers: the call itself knew its price best.
        return cast("float", hidden["response_cost"])
    said = _plain(completion_response)
    provider = custom_llm_provider or cast("str | None", hidden.get("custom_llm_provider"))
    answered = next((said[name] for name in _MODEL if isinstance(said.get(name), str)), None)
    named = model or answered
    if not isinstance(named, str) or not named:
        raise ValueError("completion_cost needs a model: give model=, or a response that names its own")
    usage = _usage(said)
    if usage is None and call_type is not None and "image" in call_type:
        usage, named = _images(named, provider, size, quality, n)
    elif usage is None and completion_response is None:
        if custom_cost_per_token is None and models.resolve(base_model or named, provider) is None:
            raise models.unknown(base_model or named, provider)
        usage = _counted(named, prompt, messages, completion)
    if region_name and provider in (None, "bedrock"):
        regional = f"bedrock/{region_name}/{named.removeprefix('bedrock/')}"
        named = regional if models.resolve(regional) else named
    tier = service_tier or said.get("service_tier")
    found = cost(
        usage,
        model=named,
        provider=provider,
        service_tier=tier if isinstance(tier, str) else None,
        base_model=base_model,
        custom_pricing=custom_cost_per_token,
        data_residency=data_residency,
        vertex_location=vertex_location,
    )
    _check_known(found, base_model or named, provider)
    return None if found.usd is None else float(found.usd)


def cost_per_token(
    model: str = "",
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
    response_time_ms: float | None = 0.0,
    custom_llm_provider: str | None = None,
    region_name: str | None = None,
    prompt_characters: int | None = None,
    completion_characters: int | None = None,
    cache_creation_input_tokens: int | None = 0,
    cache_read_input_tokens: int | None = 0,
    custom_cost_per_token: Mapping[str, float] | None = None,
    custom_cost_per_second: float | None = None,
    number_of_queries: int | None = None,
    usage_object: object = None,
    *,
    audio_transcription_file_duration: float = 0.0,
    service_tier: str | None = None,
    data_residency: str | None = None,
    vertex_location: str | None = None,
    **others: object,
) -> tuple[float | None, float | None]:
    """What tokens cost, in USD: those that went in, and those that came out.

    Args:
        model: As for `completion_cost`.
        prompt_tokens: All that went in, those of the cache included.
        completion_tokens: All that came out.
        response_time_ms: For `custom_cost_per_second`.
        custom_llm_provider: litellm's id of the provider.
        region_name: Bedrock's region.
        prompt_characters: Accepted for litellm's sake: tokens are what is billed.
        completion_characters: Accepted for litellm's sake.
        cache_creation_input_tokens: Of the prompt, written to a cache.
        cache_read_input_tokens: Of the prompt, read from a cache.
        custom_cost_per_token: Prices in the place of the table's, by litellm's field names.
        custom_cost_per_second: USD a second in the place of any other price.
        number_of_queries: Of a reranker, in the place of tokens.
        usage_object: A provider's usage object in the place of the counts.
        audio_transcription_file_duration: Seconds, in the place of tokens.
        service_tier: The tier that served.
        data_residency: `eu` or `us`, where OpenAI's regional host served.
        vertex_location: Vertex AI's location.
        **others: litellm's further arguments, which change no price.

    Returns:
        Both costs; (None, None) where a price is not known, which is logged, once for each reason.

    Raises:
        ModelNotMappedError: The price table does not know the model.
        BadRequestError: Nor is it known whose model it is.
    """
    del prompt_characters, completion_characters, others
    if custom_cost_per_second is not None:
        return 0.0, float(_number(custom_cost_per_second) * _number(response_time_ms or 0.0) / 1000)
    usage: Mapping[str, Any]
    if usage_object is not None:
        usage = _usage({"usage": _plain(usage_object)}) or {}
    elif number_of_queries:
        usage = {"queries": number_of_queries}
    elif audio_transcription_file_duration:
        usage = {"type": "duration", "seconds": audio_transcription_file_duration}
    else:
        details = {
            "cached_tokens": cache_read_input_tokens or 0,
            "cache_write_tokens": cache_creation_input_tokens or 0,
        }
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "prompt_tokens_details": details,
        }
    named = model
    if region_name and models.resolve(f"bedrock/{region_name}/{model}"):
        named = f"bedrock/{region_name}/{model}"
    found = cost(
        usage,
        model=named,
        provider=custom_llm_provider,
        service_tier=service_tier,
        custom_pricing=custom_cost_per_token,
        data_residency=data_residency,
        vertex_location=vertex_location,
    )
    _check_known(found, named, custom_llm_provider)
    if found.usd is None:
        return None, None
    of_output = sum((Decimal(line["usd"]) for name, line in found.breakdown.items() if name in _OUTPUT), Decimal())
    of_all = sum((Decimal(line["usd"]) for line in found.breakdown.values()), Decimal())
    if found.usd != found.computed_usd and of_all:
        # A discount, or the provider's own figure: shared out as the list prices are.
        of_output, of_all = of_output / of_all * found.usd, found.usd
    return float(of_all - of_output), float(of_output)


def _number(value: float) -> Decimal:
    return Decimal(str(value))


def _hidden(response: object) -> Mapping[str, object]:
    hidden = getattr(response, "_hidden_params", None)
    return cast("Mapping[str, object]", hidden) if isinstance(hidden, Mapping) else {}


def _plain(response: object) -> Mapping[str, Any]:
    """A response as a mapping."""
    if response is None:
        return {}
    if isinstance(response, Mapping):
        return cast("Mapping[str, Any]", response)
    for name in ("model_dump", "to_dict", "dict"):
        dump = getattr(response, name, None)
        if callable(dump):
            return cast("Mapping[str, Any]", dump())
    try:
        return vars(response)
    except TypeError:
        raise ValueError(
            f"completion_cost takes a response, as an object or a dict, not a {type(response).__name__}"
        ) from None


def _usage(response: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a response used; a response that counts in its own fields, as Ollama's, is its own usage."""
    for name in _USAGE:
        found = response.get(name)
        if found is not None and not isinstance(found, (str, int, list)):
            return _as_openai_counts(_plain(found))
    return response if "prompt_eval_count" in response or "inputTextTokenCount" in response else None


def _as_openai_counts(usage: Mapping[str, Any]) -> Mapping[str, Any]:
    """litellm counts writes to a cache under Anthropic's names, inside OpenAI's `prompt_tokens`."""
    details = usage.get("prompt_tokens_details")
    counts = dict(cast("Mapping[str, Any]", details)) if isinstance(details, Mapping) else {}
    written = usage.get("cache_creation_input_tokens") or counts.get("cache_creation_tokens")
    if usage.get("prompt_tokens") is None or not written or counts.get("cache_write_tokens") is not None:
        return usage
    counts["cache_write_tokens"] = written
    if counts.get("cached_tokens") is None:
        counts["cached_tokens"] = usage.get("cache_read_input_tokens") or 0
    return {**usage, "prompt_tokens_details": counts}


def _images(
    model: str, provider: str | None, size: str | None, quality: str | None, n: int | None
) -> tuple[Mapping[str, Any], str]:
    """Images as a usage, and the name that their prices stand under: `<quality>/<size>/<model>` or less of it."""
    across = (size or "1024x1024").replace("x", "-x-") if "-x-" not in (size or "") else cast("str", size)
    prefix, _, bare = model.rpartition("/")
    for parts in ((quality or "standard", across, bare), (across, bare)):
        name = "/".join(part for part in (prefix, *parts) if part)
        if models.resolve(name, provider):
            return {"images": n or 1}, name
    return {"images": n or 1, "image_size": size}, model


def _counted(model: str, prompt: str, messages: Sequence[object], completion: str) -> Mapping[str, Any]:
    """Tokens of texts, by litellm's counter."""
    import edgequake_obs

    counter = getattr(edgequake_obs, "token_counter", None)
    if counter is None:
        raise ValueError(
            "texts cannot be counted yet: give completion_response, or call cost_per_token with the counts"
        )
    went_in = counter(model=model, messages=messages) if messages else counter(model=model, text=prompt)
    return {"prompt_tokens": went_in, "completion_tokens": counter(model=model, text=completion)}


def _check_known(found: Cost, model: str, provider: str | None) -> None:
    """Raises what litellm raises for a model that it does not know, and says once why another has no figure."""
    if found.usd is not None:
        return
    if found.price_source is None and found.status == "unpriced" and models.resolve(model, provider) is None:
        raise models.unknown(model, provider)
    reason = f"{model}: {found.reason}"
    if reason not in _warned:
        _warned.add(reason)
        from logging import getLogger

        getLogger("edgequake_obs").warning("the cost is not known, and not 0: %s", reason)
