"""A certificate authority that nobody but these tests knows, and what it signed."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme


class Authority:
    """A private authority.

    Attributes:
        file: Its certificate, in PEM.
        client: A client's certificate with its key, in one PEM file.
    """

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.file))
        self._client = self._authority.issue_cert("client@example.org")
        self.client = folder / "client.pem"
        self._client.private_key_and_cert_chain_pem.write_to_path(str(self.client))
        self._server = self._authority.issue_cert("localhost", "127.0.0.1", "::1")
        self.server = folder / "server.pem"
        self._server.private_key_and_cert_chain_pem.write_to_path(str(self.server))

    def split_client(self) -> tuple[Path, Path]:
        """The client's certificate and its key in files of their own."""
        chain, key = self.client.with_suffix(".chain"), self.client.with_suffix(".key")
        self._client.cert_chain_pems[0].write_to_path(str(chain))
        self._client.private_key_pem.write_to_path(str(key))
        return chain, key

    def context(self, *, asks_for_certificate: bool = False) -> ssl.SSLContext:
        """What a server of this authority's presents, and asks for."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.configure_cert(context)
        if asks_for_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            self._authority.configure_trust(context)
        return context
