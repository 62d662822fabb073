"""The look at the data of a study: examples and splits of each task are built, and the first fault is told."""

import pytest
from written_table import OUTCOMES, lines

from triptych.check import build, check, with_cohort_columns
from triptych.errors import DataError
from triptych.tables import KEY

KFOLD = {"split": "repeated_kfold", "options": {"folds": 5, "repeats": 1}}


@pytest.fixture
def study(tmp_path):
    """A study of one table as plain values: ``study(lines, **task)``."""

    def made(text, kind="survival", **task):
        (tmp_path / "c.csv").write_text("\n".join(text) + "\n")
        spec = {
            "cohorts": ["c"],
            "kind": kind,
            "outcome": OUTCOMES[kind],
            "inputs": {"all": ["age"]},
            "exclude": {},
            "sessions": "all",
        }
        return {
            "tasks": {"os": {**spec, "validation": None, **task}},
            "cohorts": {"c": {"table": str(tmp_path / "c.csv")}},
            "root": None,
            "predictions": None,
            "seed": 0,
            "tolerance": {"patients": 0.05},
            "validation": KFOLD,
        }

    return made


@pytest.mark.parametrize("kind", ["survival", "classification"])
@pytest.mark.parametrize(
    ("n", "message"),
    [
        (
            3,
            r"task 'os': 3 of 20 patients have an event or are positive: too few for 5 folds with one in each; use `folds: 3`",
        ),
        (2, r"use `folds: 2`"),
    ],
)
def test_fewer_events_than_folds(study, kind, n, message):
    text = lines(20, died=[1] * n + [0] * (20 - n))
    with pytest.raises(DataError, match=message):
        check(study(text, kind))
    fewer = {**KFOLD, "options": {"folds": 2, "repeats": 1}}
    check(study(text, kind, validation=fewer))  # a task may be split in its own way
    check({**study(text, kind), "validation": fewer})


def test_numbers_are_spread_by_their_median(study):
    check(study(lines(20), "regression"))
    with pytest.raises(DataError, match=r"task 'os': 4 of 8 patients have an event or are positive: .*use `folds: 4`"):
        check(study(lines(8), "regression"))


def test_rows_of_a_rule_are_left_out_before_folds_are_counted(study):
    text = lines(20, died=[1] * 10 + [0] * 10, site=["pilot"] * 7 + ["main"] * 13)
    check(study(text))
    with pytest.raises(DataError, match="3 of 13 patients"):
        check(study(text, exclude={"site": ["pilot"]}))


def test_the_tolerance_is_of_all_participants(study):
    text = lines(20, months=["soon", "later", *range(18)])
    with pytest.raises(DataError, match="2 of 20 patients are in quarantine"):
        check(study(text))
    check({**study(text), "tolerance": {"patients": 0.1}})


def test_what_a_split_scheme_sees(study):
    text = lines(12, stratum=["x"] * 12, site=["h1", "h2"] * 6, note=["n"] * 12, months=[*range(11), ""])
    examples, people, ledger = build(study(text, inputs={"all": ["age", "site"]}), "os")
    seen = with_cohort_columns(examples, people)
    assert list(seen) == [*KEY, "site", "stratum", "age", "months", "died", "note"]
    assert seen["stratum"].tolist() == examples.stratum.tolist()  # ours, whatever a cohort calls so
    assert (len(seen), len(people), ledger.flow[-1]["n_patients"]) == (11, 12, 11)


def test_what_scans_will_give_is_not_looked_for_yet(study):
    """Columns of preprocessing do not exist before the run; an outcome or input among them is no fault."""
    asked = study(
        lines(20),
        kind="regression",
        outcome={"value": "mri_gm_ml"},
        inputs={"image": ["mri_t1w"], "rois": ["mri_roi_*"], "one": ["mri_roi_17"]},
    )
    asked["cohorts"]["c"]["mri"] = {"resolution": 2}
    examples, _, _ = build(asked, "os")
    assert len(examples) == 20
    assert examples.blocks == {"image": ["mri_t1w"], "rois": ["mri_roi_1", "mri_roi_17"], "one": ["mri_roi_17"]}
    check(asked)
