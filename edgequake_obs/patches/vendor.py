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


class Vendor:
    """A vendor at an address.

    Attributes:
        provider: litellm's id of it.
        address: The host.
        accepts_stream_usage: It may be asked for the usage of a stream.
    """

    __slots__ = ("accepts_stream_usage", "address", "base_url", "provider")

    def __init__(self, client: Client, base_url: BaseURL) -> None:
        self.base_url = base_url
        self.provider = _native.provider_of_url(str(base_url))
        if self.provider == "openai" and any(base.__name__ == "BaseAzureClient" for base in type(client).__mro__):
            self.provider = "azure"  # behind a gateway of the program's own
        self.address = base_url.host or None
        self.accepts_stream_usage = _native.accepts_stream_usage(self.provider)


# By the identity of a client's URL object, which the entry keeps alive: looking into an httpx URL takes microseconds.
_known: dict[int, Vendor] = {}


def vendor_of(client: Client, url: str) -> Vendor:
    """The vendor that `client` sends a request for `url` to."""
    # The public property takes 1.5 µs in openai 3; the module-level client's gives another URL than this one.
    own = client.__dict__.get("_base_url")
    known = _known.get(id(own))
    if known is not None and known.base_url is own and url[:4] != "http":
        return known
    base_url = client.base_url
    if url[:4] == "http":
        return Vendor(client, type(base_url)(url))
    vendor = Vendor(client, base_url)
    if base_url is own:
        if len(_known) > 256:  # a program that makes a client for each call
            _known.clear()
        _known[id(own)] = vendor
    return vendor
