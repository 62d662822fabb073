"""Different people who look alike: which are a finding, what it says, and when nothing can be said."""

import numpy as np
import pandas as pd
import pytest
from audited import apart, but, check, clean, one, sessions

from triptych.contents import content

GENES = [f"ENSG{k:03d}" for k in range(250)]


def with_genes(**changes):
    """People with profiles; the last has that of p010 in another unit."""
    random = np.random.default_rng(3)
    counts = random.lognormal(5, 1.5, 250) * random.lognormal(0, 0.7, (60, 250))
    counts[59] = np.log2(counts[10] + 1)
    return clean(**dict(zip(GENES, counts.T, strict=True)), **changes)


def with_images(same=(("p010", "p059"),), n=60, kind="volume", modality="t1w", seed=4):
    """People with images of two views; some have the mirror image of another's."""
    context, random = clean(), np.random.default_rng(seed)
    shown = {who: random.normal(size=(2, 80)) for who in context.people["participant_id"].iloc[-n:]}
    for a, b in same:
        shown[b] = shown[a][::-1] + 0.1 * random.normal(size=(2, 80))
    about = {"cohort": "c", "session_id": "ses-1", "modality": modality, "kind": kind, "path": "x"}
    return but(context, content=pd.concat([content({**about, "participant_id": k}, v) for k, v in shown.items()]))


@pytest.mark.parametrize(("side", "severity"), [("two", "stop"), ("one", "warn")])
@pytest.mark.parametrize(("name", "make"), [("same_profile", with_genes), ("same_image", with_images)])
def test_two_ids_with_one_content(name, make, side, severity):
    row = one(name, apart(make(), "p010", "p059", side))
    assert row["severity"] == severity
    assert row["keys"].startswith("c/p010 = c/p059 (0.9") or row["keys"].startswith("c/p010 = c/p059 (1.0")
    assert row["value"] > row["threshold"] > 0.1
    assert row["message"].startswith("1 pairs of ids look like one person among ")
    assert ("some on two sides of a split" in row["message"]) == (side == "two")


@pytest.mark.parametrize(("name", "make"), [("same_profile", with_genes), ("same_image", with_images)])
def test_relatives_are_no_finding(name, make):
    context = make()
    table = context.people.copy()
    table.loc[[10, 59], "family_id"] = "twins"
    row = one(name, but(context, people=table))
    assert row["severity"] == "pass"
    assert row["value"] < row["threshold"]


def test_sessions_of_one_person_are_no_finding():
    context = sessions(with_genes(), who="p020", part="same")
    assert one("same_profile", context)["keys"].startswith("c/p010 = c/p059")


def test_one_image_in_two_cohorts():
    context = with_images()
    table, seen, splits = context.people.copy(), context.content.copy(), context.splits.copy()
    for part in (table, seen, splits):
        part.loc[part["participant_id"] > "p029", "cohort"] = "d"
    moved = but(context, table=table, content=seen, splits=splits)
    row = one("same_image", apart(moved, "p010", "p059", "two"))
    assert (row["severity"], row["keys"].partition(" (")[0]) == ("stop", "c/p010 = d/p059")


def test_three_ids_of_one_person():
    row = one("same_image", with_images(same=[("p010", "p058"), ("p010", "p059")]))
    assert row["message"].startswith("3 pairs")


def test_each_column_of_images_is_compared_for_itself():
    first, second = with_images(), with_images(same=(), kind="tile", modality="slide")
    few = with_images(same=(), n=8, modality="flair")
    both = pd.concat([first.content, second.content, few.content], ignore_index=True)
    found = check("same_image", but(first, content=both))
    assert list(found["severity"]) == ["not assessable", "pass", "stop"]
    assert found["message"].iloc[0].startswith("volumes of the column 'flair': 8 subjects: fewer than the 20")
    assert "tiles of the column 'slide'" in found["message"].iloc[1]


def test_images_of_people_who_are_not_in_the_task_say_nothing():
    context = with_images()
    gone = context.splits["participant_id"] == "p059"
    assert one("same_image", but(context, splits=context.splits[~gone]))["severity"] == "pass"


def with_scans(context, **changes):
    """Scans of all people of a context, all different but for the changes (participant: hash)."""
    scans = context.people[["cohort", "participant_id", "session_id"]].drop_duplicates()
    own = scans["participant_id"].map(lambda who: changes.get(who, f"hash of {who}"))
    return but(context, scans=scans.assign(voxels=own, days=float("nan")))


@pytest.mark.parametrize(("side", "severity"), [("two", "stop"), ("one", "warn")])
def test_the_same_scan_under_two_ids_is_found_without_a_role(side, severity):
    context = with_scans(apart(clean(), "p010", "p059", side), p010="1234567890123456", p059="1234567890123456")
    row = one("same_image", context)
    assert (row["severity"], row["keys"]) == (severity, "c/p010 = c/p059")
    assert row["message"].startswith("1 sets of ids share a scan, equal voxel by voxel, among 60 scans of 60 people")


def test_scans_that_differ_or_could_not_be_read_are_no_copies():
    row = one("same_image", with_scans(clean()))
    assert (row["severity"], row["message"].partition(";")[0]) == (
        "pass",
        "no two of 60 scans of 60 people are equal voxel by voxel",
    )
    unread = with_scans(clean(), p010="", p059="")
    assert one("same_image", unread)["message"].startswith("no two of 58 scans")


def test_the_same_scan_of_two_sessions_of_a_person_or_of_who_is_not_in_the_task_is_no_leak():
    context = sessions(clean(), who="p020", part="same")
    assert one("same_image", with_scans(context))["severity"] == "pass"
    gone = context.splits["participant_id"] == "p059"
    out = but(with_scans(context, p010="same", p059="same"), splits=context.splits[~gone])
    assert one("same_image", out)["severity"] == "pass"


@pytest.mark.parametrize(
    ("name", "context", "reason"),
    [
        ("same_image", clean(), "no column of the role image whose files could be read: nothing to compare"),
        (
            "same_profile",
            clean(),
            "no block of inputs is a profile of 200 numbers or more, each with 20 values or more",
        ),
        ("same_profile", but(clean(), examples=None), "no inputs to compare: the predictions were made elsewhere"),
    ],
)
def test_what_cannot_be_looked_at_is_said(name, context, reason):
    row = one(name, context)
    assert (row["severity"], row["message"]) == ("not assessable", reason)


def test_mutations_are_no_profile():
    flags = np.random.default_rng(0).integers(0, 2, (250, 60)).astype(float)
    row = one("same_profile", clean(**dict(zip(GENES, flags, strict=True))))
    assert row["severity"] == "not assessable"
