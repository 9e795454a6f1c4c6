"""The command `penstock`: a module loaded at once, so that a signal while the rest is loaded ends it quietly."""

import atexit
import os
import signal
import sys
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_INTERRUPTED = 130


def main() -> int:
    """Run the command; returns the exit code."""
    atexit.register(_ignore_signals)
    # An exception could be raised, and get lost, anywhere in the loading of a library; nothing is there yet to undo.
    taken = [number for number in _SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, _leave) for number in taken}
    try:
        from operators.command.main import main as command
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return command()


def _leave(number: int, frame: object) -> NoReturn:
    os._exit(_INTERRUPTED)


def _ignore_signals() -> None:
    """Keep the exit code while the interpreter ends."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
