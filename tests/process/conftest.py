"""A recorded provider for the programs that these tests run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edgequake_obs.demo import recording
from edgequake_obs.demo.server import running

from .launch import PLAIN


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where the recorded exchanges are served."""
    with running(recording.load()) as server:
        yield server.url(PLAIN)
