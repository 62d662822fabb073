"""Copies made before the split: oversampled, augmented, interpolated rows; and people behind pretrained weights."""

import numpy as np
import pandas as pd
import pytest
from audited import but, check, clean, given, one, sessions

from triptych.errors import DataError

MEASURED = {f"g{k}": np.random.default_rng(k).normal(size=60) for k in range(3, 7)}


def again(context, rows, **changes):
    """Rows once more, tested with the second half of the people."""
    table = context.people
    extra = table.iloc[rows].assign(**changes)
    context = but(context, table=pd.concat([table, extra], ignore_index=True))
    return given(context, np.arange(len(context.people)) >= 30)


# ---- copied rows ----


@pytest.mark.parametrize(
    ("part", "severity", "where"), [("train", "stop", "some on two sides"), ("same", "warn", "always on the same side")]
)
def test_a_row_copied_as_a_further_session(part, severity, where):
    context = clean()
    row = one("copied_rows", sessions(context, age=context.people["age"][20], part=part))
    assert (row["severity"], row["keys"]) == (severity, "c/p020/ses-1; c/p020/ses-2")
    assert row["message"].startswith("2 rows of 1 people are the same person's with equal inputs")
    assert where in row["message"]
    assert row["action"] == "copy and change rows inside training only, after the split"


def test_an_oversampled_row_with_another_outcome_and_gaps_is_a_copy_all_the_same():
    context = clean()
    context.people.loc[20, "g2"] = np.nan
    context = but(context, table=context.people)
    found = one("copied_rows", sessions(context, age=context.people["age"][20], time=1.0))
    assert found["keys"] == "c/p020/ses-1; c/p020/ses-2"


def test_another_session_with_one_other_value_is_no_copy():
    assert check("copied_rows", sessions(clean())).empty


@pytest.mark.parametrize("name", ["p010_aug1", "p010-copy", "P10_flip", "p010 dup2", "p010.noise", "p010rot90"])
def test_an_id_with_a_word_for_copies(name):
    row = one("copied_rows", again(clean(), [11], participant_id=name, age=50.0))
    assert (row["severity"], row["keys"]) == ("stop", f"{name} = p010")
    assert row["message"].startswith("1 rows have the id of another with something added, as copies have")


@pytest.mark.parametrize(("noise", "found"), [(0.1, True), (1.0, False)])
def test_an_id_with_a_number_needs_nearly_the_same_inputs(noise, found):
    context = again(clean(**MEASURED), [10], participant_id="p010_2")
    table = context.people
    columns = ["g1", "g2", *MEASURED]
    table.loc[60, columns] = table.loc[60, columns].astype(float) + noise
    assert (len(check("copied_rows", but(context, table=table))) == 1) == found


def test_an_id_that_only_looks_like_a_copy_is_none():
    names = {10: "p011_copy", 11: "site_2", 12: "x-1", 13: "flip3", 14: "p015"}
    ids = [names.get(k, f"q{k:03d}") for k in range(60)]
    context = clean()
    assert check("copied_rows", but(context, table=context.people.assign(participant_id=ids))).empty


def test_copies_need_inputs_of_many_values():
    context = clean()
    row = one("copied_rows", but(context, table=context.people[[*context.people.columns[:7], "sex", "grade"]]))
    assert row["severity"] == "not assessable"
    assert row["message"] == "only 0 inputs have 20 values or more: equal rows can be honest"


# ---- interpolated rows ----


def smote(context, n=6, digits=None, seed=0):
    """Rows between the first and the next people."""
    random = np.random.default_rng(seed)
    columns = ["age", "g1", "g2", *MEASURED]
    context = again(context, list(range(n)), participant_id=[f"s{k}" for k in range(n)])
    table = context.people.copy()
    a, b = table.loc[: n - 1, columns].to_numpy(), table.loc[n : 2 * n - 1, columns].to_numpy()
    made = a + random.random((n, 1)) * (b - a)
    table.loc[60:, columns] = made if digits is None else made.round(digits)
    return but(context, table=table)


@pytest.mark.parametrize("digits", [None, 9, 7])
def test_rows_between_two_others_are_found(digits):
    row = one("interpolated_rows", smote(clean(**MEASURED), digits=digits))
    assert row["severity"] == "stop"
    assert row["keys"] == "; ".join(f"c/s{k}/ses-1" for k in range(6))
    assert row["message"] == "6 of 66 rows lie exactly between two others, on two sides of a split"


def test_rows_between_two_others_in_training_only_are_a_warning():
    context = smote(clean(**MEASURED))
    assert one("interpolated_rows", but(context, splits=context.splits.assign(part="train")))["severity"] == "warn"


def test_rounded_rows_and_gaps():
    coarse = smote(clean(**MEASURED), digits=2)
    assert check("interpolated_rows", coarse).empty, "rounding hides them"
    context = smote(clean(**MEASURED))
    table = context.people.copy()
    table.loc[[20, 30], "g3"] = np.nan
    assert one("interpolated_rows", but(context, table=table))["keys"].startswith("c/s0/ses-1")


@pytest.mark.parametrize("seed", range(5))
def test_no_row_of_a_large_coarse_cohort_is_taken_for_made(seed):
    random = np.random.default_rng(seed)
    columns = {f"g{k}": random.normal(size=700).round(3) for k in range(8)}
    assert check("interpolated_rows", clean(700, seed=seed, **columns)).empty


def test_interpolation_needs_finely_measured_inputs():
    assert one("interpolated_rows", clean())["severity"] == "not assessable"


# ---- pretraining ----


def weights(**models):
    return but(clean(), pretrained=models)


@pytest.mark.parametrize("name", ["p010", "P10", "sub-p010", " p0010"])
def test_a_tested_person_who_trained_the_weights(name):
    row = one("pretraining_overlap", weights(net=pd.DataFrame({"participant_id": [name, "q1"]})))
    assert (row["severity"], row["keys"]) == ("stop", "p010")
    assert row["message"] == "1 of 60 tested people trained the weights that 'net' starts from"
    assert row["value"] == pytest.approx(1 / 60)


@pytest.mark.parametrize(("cohort", "found"), [("c", 1), ("d", 0), (None, 1)])
def test_the_cohort_counts_where_it_is_known(cohort, found):
    people = pd.DataFrame({"participant_id": ["p010"], "cohort": [cohort]})
    assert len(check("pretraining_overlap", weights(net=people))) == found


def test_someone_who_only_trains_here_may_have_trained_the_weights():
    context = weights(net=pd.DataFrame({"participant_id": ["p011"]}))
    splits = context.splits[~((context.splits["participant_id"] == "p011") & (context.splits["part"] == "test"))]
    assert check("pretraining_overlap", but(context, splits=splits)).empty


def test_weights_of_unknown_origin_and_none():
    row = one("pretraining_overlap", weights(net=None))
    assert (row["severity"], row["keys"]) == ("warn", "net")
    assert row["message"] == "nobody knows whose data trained the weights that 'net' starts from"
    assert one("pretraining_overlap", clean())["severity"] == "pass"


def test_a_table_of_people_without_ids_is_refused():
    with pytest.raises(DataError, match=r"the weights of 'net': no column 'participant_id'; it has 'subject'"):
        check("pretraining_overlap", weights(net=pd.DataFrame({"subject": ["a"]})))
