"""Spans and metrics in the program's own OpenTelemetry. Imported by a program's first call that finds it loaded."""

from __future__ import annotations
