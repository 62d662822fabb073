"""Look at the data of a study before the workflow is planned: ``python -m triptych.check <study.json>``.

Builds the examples and splits of each task in memory and throws them away, so that a constant outcome, a contradiction between
rows or too few events stop the run before its first job.
"""

import sys

import pandas as pd

from triptych import plugins
from triptych.errors import DataError, TriptychError
from triptych.examples import make_examples, read_cohort
from triptych.ledger import Ledger, check_tolerance
from triptych.mri import columns
from triptych.tables import KEY, PERSON, Examples, read_json


def check(study: dict) -> None:
    """Raise the first fault in the data of a study (as plain values)."""
    for name in study["tasks"]:
        examples, people, _ = build(study, name)
        validation = study["tasks"][name]["validation"] or study["validation"]
        split = plugins.load("splits", validation["split"])
        options = plugins.build_options(split, validation["options"])
        try:
            split.split(with_cohort_columns(examples, people), options, seed=study["seed"])
        except DataError as error:
            raise DataError(f"task {name!r}: {error}") from None


def build(study: dict, task: str) -> tuple[Examples, pd.DataFrame, Ledger]:
    """Examples of a task, all participants of its cohorts, and the ledger."""
    spec = study["tasks"][task]
    tables, ledger = [], Ledger(task)
    for cohort in spec["cohorts"]:
        entry = study["cohorts"][cohort] or {"table": None}
        source = {key: entry[key] for key in ("table", "bids", "scans", "runs") if key in entry}
        table, read = read_cohort(cohort, **source, root=study["root"])
        if entry.get("mri"):
            named = [
                *(c for wanted in spec["inputs"].values() for c in wanted),
                *filter(None, spec["outcome"].values()),
            ]
            table = table.assign(**columns.stand_ins(len(table), map(str, named)))
        tables.append(table)
        ledger.failures += read.failures
    people = pd.concat(tables)
    examples = make_examples(
        people,
        task=task,
        kind=spec["kind"],
        outcome=spec["outcome"],
        inputs=spec["inputs"],
        ledger=ledger,
        exclude=spec["exclude"],
        sessions=spec["sessions"],
    )
    check_tolerance(ledger, len(people[PERSON].drop_duplicates()), study["tolerance"]["patients"], task)
    return examples, people, ledger


def with_cohort_columns(examples: Examples, people: pd.DataFrame) -> pd.DataFrame:
    """What a split scheme sees: key, site, family and stratum of the examples, and the other columns of the cohorts."""
    known = [c for c in ("site", "family_id") if c in examples.table]
    rest = [c for c in people.columns if c not in {*KEY, *known, "stratum"}]
    rows = examples.table[[*KEY, *known]].assign(stratum=examples.stratum)
    return rows.merge(people[[*KEY, *rest]], on=KEY, how="left", validate="1:1")


def main() -> int:
    """Exit status 0, or 1 with one message on standard error."""
    try:
        check(read_json(sys.argv[1]))
    except TriptychError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
