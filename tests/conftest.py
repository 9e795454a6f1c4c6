"""What holds for all tests."""

from __future__ import annotations

import signal

# A shell's background jobs, and what a server starts, may be born with SIGINT ignored, which Penstock respects. The
# tests send it, here and to the processes that they start, so it has to count.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
