"""Callbacks: what a program registered is told of each call, on a thread of its own. Imported with the first one."""

from __future__ import annotations

from .observing import observe

__all__ = ["observe"]
