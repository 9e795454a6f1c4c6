"""Async functions that the tests of look-ups name in scripts."""

import trio

USERS = {1: ("ann", "Bern"), 2: ("bob", None)}


async def user(key: int) -> dict[str, str | None] | None:
    await trio.lowlevel.checkpoint()
    if key == 13:
        raise OSError("no answer")
    return dict(zip(("name", "city"), USERS[key], strict=True)) if key in USERS else None


async def pair(a: int, b: str) -> tuple[int, str, int]:
    await trio.lowlevel.checkpoint()
    return a, b, 10 * a


async def listed(key: int) -> list[str]:
    await trio.lowlevel.checkpoint()
    return ["no row"]


def blocking(key: int) -> None:
    """Not async."""
