"""The entry point of the command `penstock`: arguments in, exit code out.

Whatever goes wrong leaves as a message on standard error and one of the documented exit codes; a traceback comes of
nothing but a mistake of Penstock's own.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from flow.errors import PenstockError
from flow.signals import Signals
from flow.version import __version__
from operators.command.demo import demo_command
from operators.command.options import add_layout, add_reporting
from operators.command.run import run_command
from operators.command.show import check_command, explain_command, graph_command
from operators.command.target import TargetError, user_frames

WRONG: Final = 2
"""Exit code: wrong usage, no such target, or a wrong graph; nothing has run."""

INTERRUPTED: Final = 130
"""Exit code: interrupted before anything ran."""

PIPE_CLOSED: Final = 141
"""Exit code: whoever read standard output went away."""

_TARGET = "file.py[:name], package.module:name, or file.sql"

_EXIT_CODES = """\
exit codes:
  0    everything that was read has been written (also after a drain)
  1    the run failed
  2    wrong usage, no such target, or a wrong graph: nothing has run
  3    the run was aborted (second signal, or not drained within --grace)
  130  interrupted before anything ran
  141  whoever read standard output went away
"""

_EXAMPLES = """\
examples:
  penstock demo
  penstock check bars.sql
  penstock run bars.sql --partitions 8 --report report.json
  penstock run flows/trades.py:graph --log json
  penstock graph bars.sql --format mermaid --topology aligned
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    arguments = parser().parse_args(argv)
    try:
        with Signals() as arguments.signals:
            code: int = arguments.command(arguments)
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes standard output once more when it ends; that must not fail a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except (PenstockError, OSError) as error:
        _complain(error, error.details if isinstance(error, TargetError) else "")
        return WRONG
    except Exception as error:
        frames = user_frames(error.__traceback__)
        if not frames:
            raise  # Penstock's own mistake: whoever mends it needs all of it
        _complain(error, "".join(traceback.format_list(frames)).rstrip())
        return WRONG
    return code


def _complain(error: Exception, details: str) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    message = str(error) if isinstance(error, PenstockError) else f"{type(error).__name__}: {error}"
    console.print(Text.assemble(("penstock: ", "bold red"), message))
    if details:
        console.print(Text(details, style="dim"))


def parser() -> argparse.ArgumentParser:
    """The command's arguments; `command` is the function that carries them out."""
    top = argparse.ArgumentParser(
        prog="penstock",
        description="Continuous SQL and dataflow graphs over Arrow batches, in one process.",
        epilog=f"{_EXAMPLES}\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"penstock {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        name: str, function: Callable[[argparse.Namespace], int], text: str, example: str, *, target: bool = True
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=f"example:\n  {example}\n\n{_EXIT_CODES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(command=function)
        if target:
            added.add_argument("target", metavar="TARGET", help=_TARGET)
        return added

    run = command("run", run_command, "run a graph", "penstock run bars.sql --partitions 8 --report report.json")
    add_layout(run)
    add_reporting(run)
    command("check", check_command, "load a graph and say whether it could run", "penstock check bars.sql")
    graph = command(
        "graph", graph_command, "draw a graph", "penstock graph bars.sql --format dot | dot -Tsvg > bars.svg"
    )
    graph.add_argument(
        "--format", choices=("mermaid", "dot", "json"), default="mermaid", help="what to draw in (default: %(default)s)"
    )
    add_layout(graph, topology="draw how it would run in this topology: its readers, partitions and writers")
    explain = command(
        "explain",
        explain_command,
        "say what a SQL script would compute, or how a graph would run",
        "penstock explain bars.sql --physical",
    )
    explain.add_argument(
        "--physical",
        action="store_true",
        help="of a SQL script: the graph as it would run, in place of the plans of its queries",
    )
    add_layout(explain, "how the run is laid out; this and other layout options mean --physical")
    demo = command("demo", demo_command, "run a job over a month of flights", "penstock demo", target=False)
    add_layout(demo)
    add_reporting(demo)
    return top


if __name__ == "__main__":
    sys.exit(main())
