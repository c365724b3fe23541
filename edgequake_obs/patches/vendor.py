"""Who answers a client of the openai SDK: told by its base URL."""

from __future__ import annotations

import sys

from edgequake_obs import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class BaseURL(Protocol):
        def __init__(self, url: str, /) -> None: ...
        @property
        def host(self) -> str: ...

    class Client(Protocol):
        base_url: BaseURL


# By the identity of a client's URL object, which the entry keeps alive: looking into an httpx URL takes microseconds.
_known: dict[int, tuple[BaseURL, _native.Service]] = {}


def service_of(client: Client, url: str) -> _native.Service:
    """Who answers a request for `url` that `client` sends."""
    # The public property takes 1.5 µs in openai 3; the module-level client's gives another URL than this one.
    own: BaseURL | None = client.__dict__.get("_base_url")
    known = _known.get(id(own))
    if known is not None and known[0] is own and url[:4] != "http":
        return known[1]
    base_url = client.base_url
    if url[:4] == "http":
        return _service(client, type(base_url)(url))
    service = _service(client, base_url)
    if own is not None and base_url is own:
        if len(_known) > 256:  # a program that makes a client for each call
            _known.clear()
        _known[id(own)] = (own, service)
    return service


# What an SDK's clients ask, where their class says more than their URL.
_CLASSES = {
    "BaseAzureClient": "azure",
    "BaseBedrockClient": "bedrock",
    "BaseVertexClient": "vertex_ai",
    "AnthropicFoundry": "azure_ai",
    "AsyncAnthropicFoundry": "azure_ai",
}


def _service(client: Client, base_url: BaseURL) -> _native.Service:
    classes = type(client).__mro__
    is_anthropic = any(base.__module__.startswith("anthropic.") for base in classes)
    origin = "anthropic" if is_anthropic else "openai"
    version: str | None = getattr(sys.modules.get(f"{origin}._version"), "__version__", None)

    def service(provider: str | None = None) -> _native.Service:
        return _native.Service(
            origin=origin,
            origin_version=version,
            base_url=str(base_url),
            server_address=base_url.host,
            provider=provider,
        )

    told_by_class = next((_CLASSES[base.__name__] for base in classes if base.__name__ in _CLASSES), None)
    if is_anthropic:
        return service(told_by_class or "anthropic")
    told_by_url = service()
    # Azure behind a gateway of the program's own.
    return service(told_by_class) if told_by_class and told_by_url.provider == "openai" else told_by_url
