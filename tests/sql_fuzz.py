"""Random queries over random changes, compared with DuckDB for as long as is asked: python -m tests.sql_fuzz --cases N.

Prints each difference, shrunk, as a case for a file of tests/sql; exits with 1 if there was one.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable

import attrs
import duckdb
from hypothesis import HealthCheck, Phase, given, seed, settings

from operators import SqlError
from operators.testing import assert_matches_batch
from tests.sql_cases import written
from tests.sql_generator import Random, cases

CHUNK = 100
WHOLE = 25


@attrs.define
class Tally:
    """What became of the cases: compared, refused by the planner (by message), or unknown to DuckDB."""

    compared: int = 0
    refused: Counter[str] = attrs.field(factory=Counter)
    unknown: Counter[str] = attrs.field(factory=Counter)
    failed: Random | None = None

    def check(self, case: Random) -> None:
        """Compare one case. Raises what a difference, or an operator, raises."""
        try:
            assert_matches_batch(
                case.query,
                case.tables,
                batches=[case.batching],
                partitions=[case.partitions],
                seed=case.seed,
                whole=case.seed % WHOLE == WHOLE - 1,
            )
        except SqlError as error:
            self.refused[error.message[:100]] += 1
        except duckdb.Error as error:
            self.unknown[str(error).splitlines()[0][:100]] += 1
        except BaseException:
            self.failed = case
            raise
        else:
            self.compared += 1


def chunk(tally: Tally, number: int, examples: int = CHUNK, *, shrink: bool = True) -> Exception | None:
    """So many random cases; returns the error of the first that fails, made as small as it goes with `shrink`."""

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, *([Phase.shrink] if shrink else [])),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(case=cases())
    def one(case: Random) -> None:
        tally.check(case)

    try:
        one()
    except (Exception, ExceptionGroup) as error:
        return error
    return None


def search(tally: Tally, count: int, first: int = 0, told: Callable[[str], None] = print) -> int:
    """Random cases until so many have been compared; returns how many differences were found."""
    found, number, began = 0, first, time.perf_counter()
    while tally.compared < count:
        error = chunk(tally, number, min(CHUNK, max(20, count - tally.compared)))
        number += 1
        if error is not None and tally.failed is not None:
            found += 1
            case = written(f"found at random, seed {number - 1}", tally.failed.query, tally.failed.tables)
            told(f"\n{error}\n\n{case}")
        rate = tally.compared / (time.perf_counter() - began)
        told(f"{tally.compared} cases, {rate:.0f} cases/s, {found} differences, {tally.refused.total()} refused")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="how many to compare")
    parser.add_argument("--seed", type=int, default=0, help="where to begin")
    options = parser.parse_args()
    tally = Tally()
    found = search(tally, options.cases, options.seed, lambda text: print(text, flush=True))
    for what, counts in (("refused", tally.refused), ("unknown to DuckDB", tally.unknown)):
        for message, times in counts.most_common(12):
            print(f"{what} {times} times: {message}")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
