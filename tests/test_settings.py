"""Settings: comparable, and refused where no run could use them."""

from __future__ import annotations

import os
import pickle
from typing import Any

import attrs
import pytest

from flow import Graph, Settings, SettingsError
from flow.settings import TOPOLOGIES, cores
from operators import Collect, Table


def test_they_are_values() -> None:
    settings = Settings(partitions=3, topology="aligned")
    assert pickle.loads(pickle.dumps(settings)) == settings != Settings()
    assert attrs.evolve(settings, partitions=None, topology="prefetched") == Settings()


@pytest.mark.parametrize("name", ["partitions", "readers", "threads", "batch_rows", "edge_bytes", "edge_slots"])
def test_at_least_one(name: str) -> None:
    assert getattr(Settings(**{name: 1}), name) == 1
    with pytest.raises(SettingsError, match=f"^{name} must be at least 1, not 0$"):
        Settings(**{name: 0})


@pytest.mark.parametrize("name", ["prefetch", "grace", "commit_every"])
def test_not_negative(name: str) -> None:
    assert getattr(Settings(**{name: 0}), name) == 0
    with pytest.raises(SettingsError, match=f"^{name} must not be negative, not -1$"):
        Settings(**{name: -1})


def test_a_topology_is_one_of_four() -> None:
    unknown: Any = "star"
    with pytest.raises(SettingsError, match=r"no topology 'star'; known here: \['serial', 'routed', 'prefetched'"):
        Settings(topology=unknown)
    assert [Settings(topology=name).topology for name in TOPOLOGIES] == list(TOPOLOGIES)


def test_positions_mean_nothing() -> None:
    with pytest.raises(TypeError):
        Settings(8)  # type: ignore[misc]


def test_a_run_takes_changes_on_top_of_settings() -> None:
    graph = Graph("g")
    graph.source("rows", Table({"n": [1]})).sink("out", Collect())
    assert graph.run(Settings(topology="serial", threads=3), threads=5).threads == 5
    assert graph.run(Settings(topology="serial"), threads=5).topology == "serial"
    with pytest.raises(SettingsError, match="edge_slots"):
        graph.run(edge_slots=0)
    with pytest.raises(TypeError, match="sluts"):
        graph.run(sluts=1)


def test_there_is_a_core() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
