"""The table of measured coverages in short, as docs/coverage.md shows it: ``python -m triptych.coverage.digest``."""

from collections.abc import Iterator

from triptych.coverage.lookup import FEWEST, table

CLAIMS = {
    "given-model": "one trained model, new patients",
    "cross-validation": "models of a cross-validation, new patients",
    "procedure": "training again, by cross-validation",
    "new-site": "unseen hospitals",
    "calibration": "calibration of one trained model",
    "two-models": "two trained models",
    "two-models-cv": "two models of a cross-validation",
    "two-procedures": "two ways of training",
    "two-models-sites": "two models at unseen hospitals",
}
LEAST_HELD, MOST_HELD, MOST_REJECTED = 0.93, 0.97, 0.065  # the goal
INTERVALS = (
    "| claim | method | cells | lowest | mean | highest | clearly < .93 | clearly > .97 | refused: would have held |"
)
TESTS = "| claim | method | cells | lowest | mean | highest | clearly > .065 | refused: would have rejected |"


def markdown(*, tests: bool) -> list[str]:
    """One line per claim and method that the rule chooses: how many simulated cells, and what was measured in them."""
    head = TESTS if tests else INTERVALS
    return [head, "|---" * (head.count("|") - 1) + "|", *_lines(tests)]


def _lines(tests: bool) -> Iterator[str]:
    rows = [row for row in table() if row["chosen"] == "True"]
    for scenario, claim in CLAIMS.items():
        if scenario.startswith("two-") != tests:
            continue
        own = [row for row in rows if row["scenario"] == scenario]
        for method in dict.fromkeys(row["method"] for row in own):
            yield from _line(claim, method, [row for row in own if row["method"] == method], tests)


def missing(rows: list[dict[str, str]], errors: float = 2.0) -> list[dict[str, str]]:
    """Rows of what the rule gives that miss the goal by so many Monte-Carlo errors: short intervals, hasty tests."""
    return [
        row
        for row in rows
        if row["chosen"] == "True" and _times(row, "estimable") >= FEWEST and _beyond(row) > errors / 2
    ]


def _beyond(row: dict[str, str]) -> float:
    """How far a row lies on the wrong side of the goal, in units of `_error`."""
    share, n = float(row["share"]), _times(row, "estimable")
    if row["scenario"].startswith("two-"):
        return (share - MOST_REJECTED) / _error(MOST_REJECTED, n)
    return (LEAST_HELD - share) / _error(LEAST_HELD, n)


def _line(claim: str, method: str, rows: list[dict[str, str]], tests: bool) -> Iterator[str]:
    given = [(float(row["share"]), _times(row, "estimable")) for row in rows if _times(row, "estimable") >= FEWEST]
    refused = [float(row["if_not_refused"]) for row in rows if _times(row, "refused") >= FEWEST]
    if not given and not refused:
        return
    shares = [share for share, _ in given]
    found = [str(len(shares)), *(_number(f(shares)) if shares else "-" for f in (min, _mean, max))]
    above = MOST_REJECTED if tests else MOST_HELD
    clearly = [sum(share - above > _error(above, n) for share, n in given)]
    if not tests:
        clearly.insert(0, sum(LEAST_HELD - share > _error(LEAST_HELD, n) for share, n in given))
    spared = f"{_number(min(refused))} to {_number(max(refused))} in {len(refused)} cells" if refused else "-"
    yield f"| {claim} | `{method}` | {' | '.join([*found, *map(str, clearly)])} | {spared} |"


def _error(share: float, n: float) -> float:
    """Two Monte-Carlo errors."""
    return 2 * (share * (1 - share) / n) ** 0.5


def _times(row: dict[str, str], share: str) -> float:
    return float(row[share]) * int(row["replicates"])


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _number(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


if __name__ == "__main__":
    print("\n".join([*markdown(tests=False), "", *markdown(tests=True)]))
