"""Recorded traffic, spoilt in every way that comes to mind, against everything that reads it."""
