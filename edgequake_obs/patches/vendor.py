"""Who answers a client of the openai SDK: told by its base URL."""

from __future__ import annotations

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


def service_of(client: Client, url: str, version: str | None) -> _native.Service:
    """Who answers a request for `url` that `client`, of this version of the SDK, sends."""
    # The public property takes 1.5 µs in openai 3; the module-level client's gives another URL than this one.
    own: BaseURL | None = client.__dict__.get("_base_url")
    known = _known.get(id(own))
    if known is not None and known[0] is own and url[:4] != "http":
        return known[1]
    base_url = client.base_url
    if url[:4] == "http":
        return _service(client, type(base_url)(url), version)
    service = _service(client, base_url, version)
    if own is not None and base_url is own:
        if len(_known) > 256:  # a program that makes a client for each call
            _known.clear()
        _known[id(own)] = (own, service)
    return service


def _service(client: Client, base_url: BaseURL, version: str | None) -> _native.Service:
    def service(provider: str | None = None) -> _native.Service:
        return _native.Service(
            origin="openai",
            origin_version=version,
            base_url=str(base_url),
            server_address=base_url.host,
            provider=provider,
        )

    told_by_url = service()
    # Azure behind a gateway of the program's own.
    is_azure = any(base.__name__ == "BaseAzureClient" for base in type(client).__mro__)
    return service("azure") if is_azure and told_by_url.provider == "openai" else told_by_url
