"""Looks at tested people are counted by what was predicted for whom, whatever else changes."""

import pandas as pd
from simulated_waist import waist

from triptych.openings import counted, note


def test_the_same_predictions_are_one_look_and_others_for_the_same_people_another(tmp_path):
    file = tmp_path / "folder" / "openings.jsonl"
    table = waist(repeats=1)
    assert counted("s", ["os"], file) == {}
    note(table, "s", "os", file)
    note(table.sample(frac=1, random_state=1), "s", "os", file)  # a rerun, rows in another order
    assert counted("s", ["os", "pfs"], file) == {"os": 1}
    note(table.assign(risk=table["risk"] + 1e-9), "s", "os", file)
    assert counted("s", ["os"], file) == {"os": 2}


def test_looks_of_other_studies_at_these_people_count_and_those_at_others_do_not(tmp_path):
    file = tmp_path / "openings.jsonl"
    table = waist(repeats=1)
    note(table, "mine", "os", file)
    note(table[table["model"] == "a"], "yours", "death", file)
    note(pd.concat([table, table.assign(cohort="other")]), "theirs", "os", file)
    assert counted("mine", ["os"], file) == {"os": 2}
    assert counted("theirs", ["os"], file) == {"os": 1}
