"""From a provider's own usage object to exact USD, with the proof of the figure."""

from __future__ import annotations

from ._native import Cost, price_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime
    from decimal import Decimal

__all__ = ["Cost", "cost"]


def cost(
    usage: Mapping[str, object] | Sequence[object] | str | None,
    *,
    model: str,
    provider: str | None = None,
    usage_format: str | None = None,
    at: datetime | date | str | None = None,
    service_tier: str | None = None,
    requested_service_tier: str | None = None,
    batch: bool = False,
    data_residency: str | None = None,
    vertex_location: str | None = None,
    base_model: str | None = None,
    custom_pricing: Mapping[str, str | float | Decimal] | None = None,
    web_search_calls: int | None = None,
) -> Cost:
    """Price a usage object.

    Args:
        usage: The provider's native usage object, or the list of stream events that carry one; None where the response
            carried none. A text is taken as the JSON of one of these, a model object by its `model_dump()`.
        model: The model, as the caller wrote it or as the response names it.
        provider: litellm's id of the provider; None: the model is a key of the price table, or begins
            with its provider.
        usage_format: Whose usage object it is, such as `openai.chat` or `anthropic.messages`; None: told by its shape.
        at: When the request was made (naive: UTC), for dated prices and those that depend on the hour; None: now.
        service_tier: The tier that served the call, where the usage does not say; it wins over what the usage says.
        requested_service_tier: The tier asked for. It never decides: a provider may serve by another one.
        batch: The call was part of a batch.
        data_residency: `eu` or `us`, where OpenAI's regional host served it.
        vertex_location: Vertex AI's location, such as `europe-west1`.
        base_model: The model behind a deployment's name or an opaque profile.
        custom_pricing: Prices by litellm's field names, in USD: they replace all others. Floats are taken by their
            shortest digits, texts and Decimals as they are.
        web_search_calls: Web searches that the usage object does not count.

    Returns:
        The cost: `usd` (a Decimal; None is unknown, never 0) and how it came about.

    Raises:
        ValueError: `usage_format`, `at` or `custom_pricing` cannot be understood. A usage object that contradicts
            itself is no error: its cost has the status `no_usage` and a reason.
    """
    at_ns = None
    if at is not None:
        from ._instants import instant_ns

        at_ns = instant_ns("at", at)
    return price_usage(
        usage,
        model,
        provider,
        usage_format,
        at_ns,
        service_tier,
        batch,
        data_residency,
        vertex_location,
        base_model,
        custom_pricing,
        web_search_calls,
    )
