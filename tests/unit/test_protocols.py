"""One question under several protocols: what was kept apart, whose chance it is, and which rows stand beside each other."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.plugins import build_options, load
from triptych.protocols import PROTOCOLS, apart, protocols
from triptych.tables import KEY


def people(n=40, scans=2, sites=4):
    rows = [("c", f"p{i:02d}", f"ses-{k}", f"s{i % sites}", i % 2 == 0) for i in range(n) for k in range(scans)]
    return pd.DataFrame(rows, columns=[*KEY, "site", "stratum"])


def split(name, table, **options):
    module = load("splits", name)
    return module.split(table, build_options(module, options), seed=1)


@pytest.mark.parametrize(
    ("scheme", "options", "kept"),
    [
        ("row_kfold", {"folds": 4, "repeats": 1}, "nothing"),
        ("repeated_kfold", {"folds": 4, "repeats": 2}, "people"),
        ("leave_site_out", {}, "sites"),
    ],
)
def test_what_a_scheme_keeps_apart(scheme, options, kept):
    table = people()
    found = split(scheme, table, **options)
    assert apart(found, table) == kept
    assert apart(found, table.drop(columns="site")) == ("people" if kept == "sites" else kept)


def test_a_missing_site_is_not_known_to_be_kept_apart():
    table = people()
    found = split("leave_site_out", table)
    table.loc[3, "site"] = None
    assert apart(found, table) == "people"


def test_equal_names_in_two_cohorts_are_two_people_and_two_sites():
    table = pd.concat([people(), people().assign(cohort="d")], ignore_index=True)
    found = split("given", table, column="cohort", test="d")
    assert apart(found, table) == "sites"


@settings(deadline=None)
@given(torn=st.integers(0, 79), fold=st.integers(0, 3))
def test_one_person_on_two_sides_of_one_fold_is_enough(torn, fold):
    table = people()
    found = split("repeated_kfold", table, folds=4, repeats=1)
    assert apart(found, table) == "people"
    row = found.index[found["fold"] == fold][torn]
    found.loc[row, "part"] = "test" if found.loc[row, "part"] == "train" else "train"
    assert apart(found, table) == "nothing"


# ---- side by side ----


def scores(null_value=0.5, direction="higher", **values):
    rows = [
        {"task": "t", "model": model, "role": role, "metric": metric, "label": "AUC", "value": value, "low": value - 0.1,
         "high": value + 0.1, "null_value": null_value, "direction": direction, "estimable": True, "reason": np.nan}
        for metric in ("auc", "other")
        for model, (role, value) in values.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def asked(task="t", **more):
    models = {"Forest": "Forest, outcomes permuted"}
    head = {
        "group": "g",
        "title": "G",
        "metric": "auc",
        "task": task,
        "protocol": f"{task} split",
        "leaks": False,
        "value_unit": "",
    }
    return {**head, "models": models, **more}


VALUES = {"Forest": ("model", 0.8), "Forest, outcomes permuted": ("control", 0.51), "Null": ("null", 0.45)}


def test_true_and_permuted_outcomes_of_each_protocol():
    wrong = {**VALUES, "Forest": ("model", 0.95)}
    found = protocols([asked("a", leaks=True), asked("b")], [scores(**wrong), scores(**VALUES)], ["nothing", "people"])
    assert list(found) == PROTOCOLS
    assert found["task"].tolist() == ["a", "a", "b", "b"]
    assert found["outcomes"].tolist() == ["true", "permuted"] * 2
    assert found["value"].tolist() == [0.95, 0.51, 0.8, 0.51]
    assert set(found["model"]) == {"Forest"}, "a permuted model stands beside the one that it is a control of"
    assert found["leaks"].tolist() == [True, True, False, False]
    assert found["apart"].tolist() == ["nothing", "nothing", "people", "people"]
    assert set(found["chance"]) == {0.5}
    assert set(found["chance_of"]) == {"no skill"}


@pytest.mark.parametrize(("direction", "best"), [("lower", 4.0), ("higher", 6.0)])
def test_without_a_fixed_value_chance_is_the_best_null(direction, best):
    values = {"Forest": ("model", 5.0), "One": ("null", 4.0), "Two": ("null", 6.0), "Three": ("null", np.nan)}
    found = protocols([asked()], [scores(np.nan, direction, **values)], ["people"])
    assert found["chance"].tolist() == [best]
    assert found["chance_of"].tolist() == ["One" if best == 4.0 else "Two"]


def test_no_null_and_no_control():
    found = protocols([asked(models={"Forest": None})], [scores(np.nan, Forest=("model", 5.0))], ["people"])
    assert found["outcomes"].tolist() == ["true"]
    assert np.isnan(found["chance"].iloc[0])
