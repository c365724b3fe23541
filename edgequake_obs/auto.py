"""`import edgequake_obs.auto`: the same as `edgequake_obs.instrument()`, as an import."""

from __future__ import annotations

from . import instrument

instrument()
