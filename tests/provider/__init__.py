"""Recorded provider traffic through our own client and through the patched openai package."""
