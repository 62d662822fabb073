"""One content under two ids, beyond what test_audit_people.py asks."""

import numpy as np
from audited import apart, but, clean, one, twins


def test_one_content_in_two_cohorts():
    context = twins(clean())
    table = context.people.copy()
    table.loc[50, "cohort"] = "d"
    splits = context.splits.copy()
    splits.loc[splits["participant_id"] == "p050", "cohort"] = "d"
    row = one("same_content", apart(but(context, table=table, splits=splits), "p010", "p050", "two"))
    assert (row["severity"], row["keys"]) == ("stop", "c/p010 = d/p050")


def test_content_with_gaps_is_compared_too():
    context = clean()
    table = context.people.copy()
    table.loc[10, "g1"] = np.nan
    assert one("same_content", twins(but(context, table=table)))["keys"] == "c/p010 = c/p050"


def test_same_content_needs_columns_with_many_values():
    context = clean()
    table = context.people.drop(columns=["g1"])
    row = one("same_content", but(context, table=table))
    assert row["severity"] == "not assessable"
    assert row["message"] == "only 2 inputs have 20 values or more: equal rows can be different people"
