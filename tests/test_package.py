"""What an installation is: metadata, the command, the entry points, and types for its users."""

from importlib.metadata import entry_points, metadata, version
from pathlib import Path

import flow
import operators
from flow.version import __version__


def test_the_distribution_is_named_and_licensed() -> None:
    about = metadata("penstock")
    assert version("penstock") == __version__
    assert about["License-Expression"] == "Apache-2.0"
    assert about.get_all("License-File") == ["LICENSE"]
    assert about["Requires-Python"].split(",") == ["<3.14", ">=3.11"]


def test_the_licence_is_the_whole_apache_licence() -> None:
    text = (Path(__file__).parent.parent / "LICENSE").read_text()
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_command_resolves() -> None:
    (command,) = entry_points(group="console_scripts", name="penstock")
    assert callable(command.load())


def test_the_verbs_resolve_to_the_operators_package() -> None:
    (announced,) = entry_points(group="penstock.verbs", name="penstock")
    assert announced.load() is operators


def test_both_packages_carry_types() -> None:
    for package in (flow, operators):
        assert package.__file__ is not None
        assert (Path(package.__file__).parent / "py.typed").exists()


def test_everything_a_package_exports_is_there() -> None:
    for package in (flow, operators):
        assert [name for name in package.__all__ if not hasattr(package, name)] == []
