"""For all tests."""

from __future__ import annotations

import signal

# A shell starts what runs behind it with Ctrl-C ignored, and a program hands that on to those it starts: tests that
# interrupt a program would wait for ever there.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
