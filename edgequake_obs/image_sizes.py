"""How large an image in a data URL is, read from the first bytes of its file."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NoBase64

# OpenAI's vision guide: an image of high detail is scaled into 2048 x 2048, then to a short side of 768, and counted
# in tiles of 512 x 512.
_LARGEST, _SHORT_SIDE, _TILE = 2048, 768, 512
# No format keeps its size further behind than this, but for photographs with large previews in them.
_READ_CHARACTERS = 64 * 1024


def high_detail_tiles(url: str) -> int | None:
    """The tiles of an image of high detail; None where its size is not known. Nothing is fetched."""
    size = _size(url)
    if size is None or not all(size):
        return None
    width, height = size
    shrink = min(1.0, _LARGEST / max(width, height))
    shrink *= min(1.0, _SHORT_SIDE / (min(width, height) * shrink))
    across, down = int(width * shrink), int(height * shrink)
    return max(-(-across // _TILE), 1) * max(-(-down // _TILE), 1)


def _size(url: str) -> tuple[int, int] | None:
    head, comma, data = url.partition(",")
    if not (comma and head.startswith("data:") and head.endswith(";base64")):
        return None
    try:
        start = b64decode(data[:_READ_CHARACTERS])
    except NoBase64:
        return None
    if start.startswith(b"\x89PNG") and len(start) >= 24:
        return int.from_bytes(start[16:20], "big"), int.from_bytes(start[20:24], "big")
    if start.startswith((b"GIF87a", b"GIF89a")):
        return int.from_bytes(start[6:8], "little"), int.from_bytes(start[8:10], "little")
    return _jpeg_size(start) if start.startswith(b"\xff\xd8") else None


def _jpeg_size(start: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(start) and start[at] == 0xFF:
        marker = start[at + 1]
        # A frame's header, of whatever coding; the three left out are tables.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(start[at + 7 : at + 9], "big"), int.from_bytes(start[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(start[at + 2 : at + 4], "big")
    return None
