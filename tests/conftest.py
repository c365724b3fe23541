"""For all tests."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

# A shell starts what runs behind it with Ctrl-C ignored, and a program hands that on to those it starts: tests that
# interrupt a program would wait for ever there.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def shipped_models() -> Iterator[None]:
    """For a test that registers models: what it has registered is gone after it."""
    from edgequake_obs import _native, costs, models

    yield
    costs._warned.clear()
    for key in list(models.model_cost._own):
        del models.model_cost._own[key]
    models.model_cost._gone.clear()
    _native.forget_registered_prices()
