"""The command `penstock`: a module loaded at once, so that an interrupt while the rest is loaded ends it quietly."""

import sys


def main() -> int:
    """Run the command; returns the exit code."""
    try:
        from operators.command.main import main as command
    except KeyboardInterrupt:
        return 130
    return command()


if __name__ == "__main__":
    sys.exit(main())
