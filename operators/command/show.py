"""The commands that run nothing: ``check``, ``graph`` and ``explain``."""

from __future__ import annotations

import argparse
import json
import sys
from textwrap import indent

from flow.describe import describe, summary
from flow.drawing import as_json, dot, draw, draw_laid_out, mermaid
from flow.layout import lay_out
from operators.command.options import settings_of
from operators.command.target import load_target, open_target
from operators.sql.explain import logical


def check_command(arguments: argparse.Namespace) -> int:
    """Load the target and say whether it could run."""
    opened = open_target(arguments.target)
    lay_out(opened.graph.nodes, opened.graph.settings)
    asked = f"; {len(opened.answers)} answered" if opened.answers else ""
    print(f"ok: {summary(opened.graph)}{asked}")
    return 0


def graph_command(arguments: argparse.Namespace) -> int:
    """Draw the target, or how a topology lays it out."""
    graph = load_target(arguments.target)
    drawing = draw(graph) if arguments.topology is None else draw_laid_out(graph, settings_of(arguments, graph))
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
    """Say in words what a script would compute, or how the target would run."""
    opened = open_target(arguments.target)
    graph = opened.graph
    settings = settings_of(arguments, graph)
    if opened.plans and not arguments.physical and settings == graph.settings:
        for name, plan in opened.plans:
            sys.stdout.write(f"{name}:\n\n{indent(logical(plan), '    ')}\n")
    else:
        sys.stdout.write(describe(load_target(arguments.target), settings))
    return 0
