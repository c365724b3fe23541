from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("logfire") or find_spec("langfuse") else ["test_*.py"]
