"""litellm's functions about models: what they cost, what they take, what they can. Loaded when first used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from functools import cache
from json import dumps, loads
from typing import Any

from . import _native
from ._model_fields import FIELDS
from .exceptions import BadRequestError, ModelNotMappedError

Entry = dict[str, Any]

_WHERE = "see `edgequake-obs prices search`, or give it prices with register_model"


class ModelCost(MutableMapping[str, Entry]):
    """litellm's `model_cost`: the price table's entries by key, each made when it is looked at.

    An entry that is set here counts from then on, as by `register_model`; a change inside of an entry is not seen.
    """

    def __init__(self) -> None:
        self._made: dict[str, Entry] = {}
        self._own: dict[str, Entry] = {}
        self._gone: set[str] = set()

    def __getitem__(self, key: str) -> Entry:
        if key in self._own:
            return self._own[key]
        if key in self._gone:
            raise KeyError(key)
        if key not in self._made:
            entry = _native.price_entry(key)
            if entry is None:
                raise KeyError(key)
            self._made[key] = loads(entry)
        return self._made[key]

    def __setitem__(self, key: str, entry: Entry) -> None:
        _native.register_prices(dumps({key: entry}, default=str))
        self._own[key] = entry

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._own.pop(key, None)
        self._gone.add(key)

    def __contains__(self, key: object) -> bool:
        return key in self._own or (
            isinstance(key, str) and key not in self._gone and _native.price_entry(key) is not None
        )

    def __iter__(self) -> Iterator[str]:
        shipped = _native.price_keys()
        yield from (key for key in shipped if key not in self._gone)
        known = set(shipped) - self._gone
        yield from (key for key in self._own if key not in known)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<model_cost: {len(self)} models, prices {_native.price_versions()[0]}>"


model_cost = ModelCost()


def register_model(
    model_cost: Mapping[str, Mapping[str, Any]] | str,
    *,
    persist_across_reloads: bool = True,
    warning_display_name: str | None = None,
    custom_llm_provider: str | None = None,
) -> Mapping[str, Mapping[str, Any]]:
    """Add models, or change what is known of them; calls are priced by it from now on, in this process.

    Args:
        model_cost: Entries in the form of `litellm.model_cost`, by model; or the path of a JSON file of them. What an
            entry does not say stays as it was.
        persist_across_reloads: Accepted for litellm's sake.
        warning_display_name: Accepted for litellm's sake.
        custom_llm_provider: Only an entry of this provider is changed; one of another is replaced.

    Returns:
        The entries given.

    Raises:
        ValueError: A price is no number, or a file has another form. A URL is not fetched: prices come by a network
            only through `edgequake-obs prices update --from URL`.
    """
    del persist_across_reloads, warning_display_name
    if isinstance(model_cost, str):
        if model_cost.startswith(("http://", "https://")):
            raise ValueError(f"{model_cost} is not fetched: use `edgequake-obs prices update --from {model_cost}`")
        with open(model_cost, encoding="utf-8") as file:
            model_cost = loads(file.read())
    if not isinstance(model_cost, Mapping):
        raise ValueError("register_model takes a dict of models, such as {'mine': {'input_cost_per_token': 0.000001}}")
    table = globals()["model_cost"]
    merged: dict[str, Entry] = {}
    for key, fields in model_cost.items():
        known = table.get(key, {})
        if custom_llm_provider is not None and known.get("litellm_provider") != custom_llm_provider:
            known = {}
        merged[key] = {**known, **fields}
    _native.register_prices(dumps(merged, default=str))
    for key, entry in merged.items():
        table._own[key] = entry
    return model_cost


def resolve(model: str, custom_llm_provider: str | None = None) -> str | None:
    """The key of a model's entry; None where there is none."""
    for name in (f"{custom_llm_provider}/{model}" if custom_llm_provider else model, model):
        if name in model_cost._own:
            return name
    named = f"{custom_llm_provider}/{model}" if custom_llm_provider else model
    if named in model_cost:  # an entry that has no prices may still say what the model can do
        return named
    return _native.price_key(custom_llm_provider or "", model)


def provider_of(model: str, custom_llm_provider: str | None = None) -> str | None:
    """litellm's id of a model's provider; None where neither its name nor the price table tells it."""
    if custom_llm_provider:
        return custom_llm_provider
    from .model_names import get_llm_provider

    try:
        return get_llm_provider(model)[1]
    except BadRequestError:
        key = resolve(model)
        if key is not None:
            return model_cost[key].get("litellm_provider")
        prefix, slash, _ = model.partition("/")
        return prefix if slash and prefix in _prefixes() else None


@cache
def _prefixes() -> frozenset[str]:
    """The providers that the shipped prices are of: what may stand before a model's name."""
    return frozenset(key.partition("/")[0] for key in _native.price_keys() if "/" in key)


def unknown(model: str, custom_llm_provider: str | None) -> Exception:
    """litellm's error for a model that has no entry: another one where nobody knows whose model it is."""
    provider = provider_of(model, custom_llm_provider)
    if provider is not None:
        return _not_mapped(model, provider)
    return BadRequestError(
        f"LLM Provider NOT provided. Pass in the LLM provider you are trying to call. You passed model={model}",
        model=model,
    )


def _not_mapped(model: str, provider: str | None) -> ModelNotMappedError:
    return ModelNotMappedError(f"This model isn't mapped yet. model={model}, custom_llm_provider={provider}; {_WHERE}")


def get_model_info(
    model: str, custom_llm_provider: str | None = None, api_base: str | None = None, api_key: str | None = None
) -> Entry:
    """What is known of a model: prices in USD, limits in tokens, what it supports.

    Returns:
        litellm's fields; None: not known. An unknown price is None too, where litellm says 0.

    Raises:
        ModelNotMappedError: There is no entry for it.
    """
    del api_base, api_key
    key = resolve(model, custom_llm_provider)
    if key is None:
        raise _not_mapped(model, custom_llm_provider)
    entry = model_cost[key]
    info = {name: entry.get(name) for name in FIELDS}
    info["key"] = key
    if info["max_tokens"] is None:
        info["max_tokens"] = _most_tokens(entry)
    return info


def get_max_tokens(model: str) -> int | None:
    """The most tokens that a model writes, of an embedding model that it reads; None where its entry does not say.

    Raises:
        Exception: There is no entry for it; of this class, as in litellm.
    """
    key = resolve(model)
    if key is None:
        raise Exception(f"Model {model} isn't mapped yet; {_WHERE}")
    return _most_tokens(model_cost[key])


def _most_tokens(entry: Entry) -> int | None:
    """litellm's `max_tokens`: what a model writes, and of a model that writes nothing, what it reads."""
    most = entry.get("max_output_tokens")
    return entry.get("max_input_tokens") if most is None and entry.get("mode") == "embedding" else most


def _supports(field: str, model: str, custom_llm_provider: str | None, unsaid: bool = False) -> bool:
    key = resolve(model, custom_llm_provider)
    if key is None:
        return False
    found = model_cost[key].get(field)
    if found is None:
        # The entry under the provider's name may lack what the one of the model alone says.
        found = model_cost.get(key.rpartition("/")[2], {}).get(field)
    return unsaid if found is None else found is True


def supports_httpx_timeout(custom_llm_provider: str) -> bool:
    """Whether a provider takes an `httpx.Timeout`: here every one does."""
    del custom_llm_provider
    return True


def supports_native_streaming(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether a model streams by itself; one whose entry does not say so does."""
    return _supports("supports_native_streaming", model, custom_llm_provider, unsaid=True)


def _by_provider() -> dict[str, list[str]]:
    """The table's keys of each of litellm's providers."""
    found: dict[str, list[str]] = {}
    for key, entry in model_cost.items():
        found.setdefault(entry.get("litellm_provider") or "", []).append(key)
    return found


def __getattr__(name: str) -> Any:
    """`supports_<something>(model, custom_llm_provider=None) -> bool`: whether a model's entry says so."""
    if name == "model_list":
        return list(model_cost)
    if name == "models_by_provider":
        return _by_provider()
    if name.startswith("supports_") and name in FIELDS:

        def supports(model: str, custom_llm_provider: str | None = None) -> bool:
            return _supports(name, model, custom_llm_provider)

        supports.__name__ = supports.__qualname__ = name
        supports.__doc__ = f"Whether the price table says that a model has `{name}`; False where it does not say."
        globals()[name] = supports
        return supports
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
