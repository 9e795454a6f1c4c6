"""Measures cases side by side: each run in a fresh process, the cases in turn, medians and ratios over all runs."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

Case = Callable[[argparse.Namespace], Mapping[str, Any]]


class Clock:
    """Times a block: seconds, processor seconds, and the peak of the process's memory afterwards."""

    def __enter__(self) -> Clock:
        self.cpu, self.wall = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self.wall
        self.cores = (time.process_time() - self.cpu) / self.seconds

    def result(self, rows: int, **more: Any) -> dict[str, Any]:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"rows": rows, "seconds": self.seconds, "cores": self.cores, "peak_mb": peak, **more}


def machine() -> str:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as info:
            model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), model)
    return f"{len(os.sched_getaffinity(0))} x {model}, Python {platform.python_version()}"


def main(description: str, cases: Mapping[str, Case], arguments: Callable[[argparse.ArgumentParser], None]) -> None:
    """The command line of a benchmark; the first case is what the others are compared with."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--runs", type=int, default=5, help="runs of each case (default: 5)")
    parser.add_argument("--only", action="append", help="measure only these cases")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    arguments(parser)
    args = parser.parse_args()
    if args.case:
        print("RESULT " + json.dumps(cases[args.case](args)))
        return
    chosen = [name for name in cases if not args.only or name in args.only]
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in chosen}
    print(f"{description}\n{machine()}; {args.runs} runs of each, in turn")
    for _ in range(args.runs):
        for name in chosen:
            results[name].append(_in_fresh_process(name))
    _print(results)


def _in_fresh_process(name: str) -> dict[str, Any]:
    module = sys.modules["__main__"].__spec__
    target = ["-m", module.name] if module is not None else [sys.argv[0]]
    done = subprocess.run(
        [sys.executable, *target, *sys.argv[1:], "--case", name], stdout=subprocess.PIPE, text=True, check=True
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    return dict(json.loads(line.removeprefix("RESULT ")))


def _print(results: Mapping[str, list[dict[str, Any]]]) -> None:
    base = next(iter(results.values()))
    print(f"{'case':28} {'rows/s (median)':>16} {'min':>12} {'max':>12} {'ratio':>7} {'cores':>6} {'peak MB':>8}  more")
    for name, runs in results.items():
        rates = [run["rows"] / run["seconds"] for run in runs]
        ratio = statistics.median(
            rate / (other["rows"] / other["seconds"]) for rate, other in zip(rates, base, strict=True)
        )
        known = {"rows", "seconds", "cores", "peak_mb"}
        more = " ".join(f"{key}={value}" for key, value in runs[-1].items() if key not in known)
        print(
            f"{name:28} {statistics.median(rates):16,.0f} {min(rates):12,.0f} {max(rates):12,.0f} {ratio:7.2f} "
            f"{statistics.median(run['cores'] for run in runs):6.2f} {max(run['peak_mb'] for run in runs):8.0f}  {more}"
        )
    checks = {json.dumps(run["check"]) for runs in results.values() for run in runs if "check" in run}
    if len(checks) > 1:
        sys.exit(f"the cases do not agree: {sorted(checks)}")


class MemoryWatch:
    """Samples the resident memory of this process, in MB, while a block runs."""

    def __init__(self, every: float = 0.1) -> None:
        self.samples: list[float] = []
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def _sample(self) -> None:
        page = resource.getpagesize() / (1 << 20)
        while not self._stop.wait(self._every):
            with open("/proc/self/statm") as statm:
                self.samples.append(int(statm.read().split()[1]) * page)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
