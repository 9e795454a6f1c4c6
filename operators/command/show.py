"""The commands that run nothing: ``check``, ``graph`` and ``explain``."""

from __future__ import annotations

import argparse
import json
import sys

from flow.describe import describe, summary
from flow.drawing import as_json, dot, draw, draw_laid_out, mermaid
from flow.layout import lay_out
from flow.settings import Settings
from operators.command.options import settings_of
from operators.command.target import load_target


def check_command(arguments: argparse.Namespace) -> int:
    """Load the target and say whether it could run."""
    graph = load_target(arguments.target)
    lay_out(graph.nodes, Settings())
    print(f"ok: {summary(graph)}")
    return 0


def graph_command(arguments: argparse.Namespace) -> int:
    """Draw the target, or how a topology lays it out."""
    graph = load_target(arguments.target)
    drawing = draw(graph) if arguments.topology is None else draw_laid_out(graph, settings_of(arguments))
    match arguments.format:
        case "json":
            text = json.dumps(as_json(drawing), indent=2, ensure_ascii=False) + "\n"
        case "dot":
            text = dot(drawing)
        case _:
            text = mermaid(drawing)
    sys.stdout.write(text)
    return 0


def explain_command(arguments: argparse.Namespace) -> int:
    """Say in words how the target would run."""
    sys.stdout.write(describe(load_target(arguments.target), settings_of(arguments)))
    return 0
