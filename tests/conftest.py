"""What holds for all tests."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is.
settings.register_profile("penstock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("penstock")

# A shell's background jobs, and what a server starts, may be born with SIGINT ignored, which Penstock respects. The
# tests send it, here and to the processes that they start, so it has to count.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that do come back shall not be given up because the machine is busy; tests of the others say so."""
    for module in ("flow.kernels", "flow.runtime"):
        monkeypatch.setattr(f"{module}.SETTLE", 60.0)
