"""What `opentelemetry-instrument` starts: the entry point `edgequake_obs` of the group `opentelemetry_instrumentor`."""

from __future__ import annotations


class EdgequakeObsInstrumentor:
    """Hooks the libraries that `edgequake_obs.instrument()` knows.

    It has the methods that OpenTelemetry's own instrumentors have, and needs none of its packages.
    """

    def instrument(self, **_: object) -> None:
        """Hook them, whether imported already or later."""
        from . import instrument

        instrument()

    def uninstrument(self, **_: object) -> None:
        """Put every original back."""
        from . import uninstrument

        uninstrument()

    def instrumentation_dependencies(self) -> tuple[str, ...]:
        """None: what is not installed is not hooked."""
        return ()
