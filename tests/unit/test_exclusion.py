"""Who was left out, by class and by site: every person once, with an interval and a kind of reason."""

import numpy as np
import pandas as pd
import pytest

from triptych import exclusion
from triptych.examples import make_examples
from triptych.inference.proportions import wilson
from triptych.ledger import KINDS, Ledger
from triptych.outcomes import of_left_out

OUTCOME = {"label": "dx", "positive": "AD"}


@pytest.fixture
def task():
    """Forty people of four sites; of some the scan was set aside, some have none, a rule leaves two out, one has no class."""
    n = np.arange(40)
    people = pd.DataFrame(
        {
            "cohort": "c",
            "participant_id": [f"p{k}" for k in n],
            "session_id": "ses-1",
            "site": [f"s{k % 4}" for k in n],
            "dx": np.where(n % 2 == 0, "AD", "CN"),
            "mri_status": "ok",
            "mri_t1w": [f"{k}.npy" for k in n],
            "mri_gm_ml": 1.0 + n,
            "quality": "good",
        }
    ).rename_axis(index="row")
    people.loc[[0, 2, 4], ["mri_status", "mri_t1w"]] = ["quarantined", None]
    people.loc[5, ["mri_status", "mri_t1w"]] = ["outlier", None]
    people.loc[6, ["mri_status", "mri_t1w"]] = ["none", None]
    people.loc[[8, 9], "quality"] = "bad"
    people.loc[11, "dx"] = None
    more = people.loc[[1, 8]].assign(session_id="ses-2", quality=["bad", "bad"])
    return pd.concat([people, more])


def tabled(people, level=0.95):
    ledger = Ledger("t")
    told = {"task": "t", "kind": "classification", "outcome": OUTCOME, "inputs": {"volumes": ["mri_gm_ml"]}}
    made = make_examples(people, ledger=ledger, exclude={"quality": ["bad"]}, **told)
    gone = of_left_out(ledger.left_out_table(), OUTCOME)
    return exclusion.table(made.table, gone, "classification", level).set_index(["by", "group"]), made


def test_every_person_is_counted_once_with_one_kind_of_reason(task):
    found, made = tabled(task)
    whole = found.loc[("all", "everyone")]
    assert (whole["people"], whole["left_out"]) == (40, 8)
    assert whole["people"] - whole["left_out"] == made.table["participant_id"].nunique()
    assert whole[list(KINDS)].to_dict() == {"scan set aside": 4, "rule": 2, "no scan": 1, "no outcome": 1}
    for _, part in found.groupby(level="by"):
        assert (part["people"].sum(), part["left_out"].sum()) == (40, 8)
        assert (part[list(KINDS)].sum(axis=1) == part["left_out"]).all()


def test_classes_and_sites(task):
    found, _ = tabled(task)
    assert found.loc["class", "left_out"].to_dict() == {"negative": 2, "not known": 1, "positive": 5}
    assert found.loc["site", "left_out"].to_dict() == {"c/s0": 3, "c/s1": 2, "c/s2": 2, "c/s3": 1}
    share = wilson(5, 20, level=0.95)
    told = found.loc[("class", "positive")]
    assert (told["share"], told["low"], told["high"]) == pytest.approx((share.value, share.low, share.high))
    assert told["method"] == "Wilson"


def test_the_level_is_that_of_the_study(task):
    narrow, wide = tabled(task, 0.5)[0], tabled(task, 0.99)[0]
    assert (narrow["low"] >= wide["low"]).all()
    assert narrow.loc[("all", "everyone"), "high"] < wide.loc[("all", "everyone"), "high"]


def test_an_empty_table_when_everybody_stays():
    kept = pd.DataFrame({"cohort": "c", "participant_id": ["a", "b"], "session_id": "s", "y": [0, 1]})
    gone = of_left_out(Ledger().left_out_table(), OUTCOME)
    assert exclusion.table(kept, gone, "classification", 0.95).empty
    again = kept.iloc[:1].assign(session_id="t", reason="r", rule="q", kind="rule")
    assert exclusion.table(kept, again, "classification", 0.95).empty, "who keeps another session was not left out"


def test_numbers_have_halves():
    kept = pd.DataFrame({"cohort": "c", "participant_id": list("abcd"), "session_id": "s", "y": [1.0, 2, 3, 4]})
    gone = kept.assign(participant_id=list("efgh"), y=[9.0, 9, 9, np.nan], kind="rule")
    found = exclusion.table(kept, gone, "regression", 0.95).set_index(["by", "group"])
    assert found.loc["class", "left_out"].to_dict() == {"above 2.5": 3, "not known": 1, "up to 2.5": 0}
    assert "site" not in found.index.get_level_values("by"), "one cohort without sites"
