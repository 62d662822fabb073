"""Rows of a cohort: contradictions, ids that are one person, and files as people write them; nothing is lost in silence."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from written_table import examples, lines, put

from triptych import plugins
from triptych.errors import DataError
from triptych.examples import read_cohort
from triptych.ledger import check_tolerance
from triptych.tables import KEY

# ---- rows of one patient ----


def test_identical_rows_one_is_kept_and_noted(cohort_of):
    text = lines()
    people, ledger = cohort_of([*text, text[3]])
    assert len(people) == 12
    (note,) = ledger.failures
    assert (note["stage"], note["participant_id"], note["row"]) == ("note", "p2", 14)
    assert note["reason"] == "the same row again; one is kept"
    assert note["file"].endswith("c.csv")


def test_identical_rows_with_empty_cells(cohort_of):
    people, ledger = cohort_of([*lines(), "p20,,5,1", "p20,,5,1"])
    assert len(people) == 13
    assert len(ledger.failures) == 1


def test_contradictory_rows_name_both(cohort_of):
    with pytest.raises(
        DataError,
        match=r"c\.csv: rows 4 and 14 are both p2 \(ses-1\) but differ in 'age', 'died'; correct or remove one, "
        "or give each a session_id",
    ):
        cohort_of([*lines(), "p2,99,3,1"])


def test_contradiction_with_an_empty_cell(cohort_of):
    with pytest.raises(DataError, match=r"rows 4 and 14 are both p2 \(ses-1\) but differ in 'age'"):
        cohort_of([*lines(), "p2,,3,0"])


def test_contradiction_under_another_spelling(cohort_of):
    with pytest.raises(DataError, match=r"rows 4 and 14 are both p2 \(ses-1\) but differ in 'age'"):
        cohort_of([*lines(), "P02,99,3,0"])


def test_sessions_are_no_contradiction(cohort_of):
    people, ledger = cohort_of(
        ["participant_id,session_id,age,months,died", "p1,a,50,1,1", "p1,b,51,2,0", "p2,a,50,1,1"]
    )
    assert len(people) == 3
    assert ledger.failures == []


def test_an_empty_session_is_the_first_one(cohort_of):
    people, _ = cohort_of(["participant_id,session_id,age,months,died", "p1,,50,1,1", "p2, ,51,2,0"])
    assert people["session_id"].tolist() == ["ses-1", "ses-1"]
    with pytest.raises(DataError, match=r"rows 2 and 3 are both p1 \(ses-1\) but differ in 'age'"):
        cohort_of(["participant_id,session_id,age", "p1,,50", "p1,,51"])


def test_scans_of_one_session_are_no_contradiction(cohort_of):
    rows = ["participant_id,run,series,t1w,age", "p1,1,5,a,50", "p1,2,7,b,50", "p2,,,c,60"]
    people, ledger = cohort_of(rows)
    assert people[["participant_id", "run", "t1w"]].to_numpy().tolist() == [["p1", "1", "a"], ["p2", "", "c"]]
    assert ledger.failures[0]["reason"] == "2 scans of one session; run 1 is used"
    with pytest.raises(
        DataError, match=r"rows 2 and 3 are both p1 \(ses-1\) but differ in 'run', 'series', 't1w', 'age'"
    ):
        cohort_of([*rows[:2], "p1,2,7,b,51"])
    with pytest.raises(DataError, match=r"are both p1 \(ses-1\) but differ in 'run'"):
        cohort_of(["participant_id,run,age", "p1,1,50", "p1,2,50"])  # no scans: the word means something else there


# ---- ids ----


@pytest.mark.parametrize("other", ["P3", " p3", "p3 ", "p03", "P003 "])
def test_ids_that_differ_by_blanks_case_or_padding_are_one_person(cohort_of, other):
    text = ["participant_id,session_id,age,months,died", "p3,a,50,1,1", "p4,a,60,1,1", f"{other},b,51,2,0"]
    people, ledger = cohort_of(text)
    assert people["participant_id"].tolist() == ["p3", "p4", "p3"]
    (note,) = ledger.failures
    assert (note["stage"], note["row"], note["column"], note["participant_id"]) == ("note", 4, "participant_id", "p3")
    assert note["reason"] == f"id {other!r} is another spelling of 'p3'; taken as the same person"
    assert note["advice"] == "spell ids one way; if they are two people, rename one"


def test_one_id_in_two_cohorts_is_two_people(cohort_of):
    tables = [cohort_of(lines(), name=f"{name}.csv", cohort=name)[0] for name in "ab"]
    people = pd.concat(tables)
    made, ledger = examples(people)
    assert len(np.unique(made.people)) == 24
    assert [(row["cohort"], row["n_patients"]) for row in ledger.flow] == [("a", 12), ("b", 12)] * 2


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_row_without_an_id(cohort_of, blank):
    people, ledger = cohort_of(lines(participant_id=put([f"p{i}" for i in range(12)], i5=blank)))
    assert len(people) == 11
    (lost,) = ledger.failures
    assert (lost["stage"], lost["row"], lost["column"], lost["reason"]) == (
        "cohort",
        7,
        "participant_id",
        "no participant id",
    )
    with pytest.raises(DataError, match=r"1 of 12 patients are in quarantine, more than `tolerance: patients: 0\.05`"):
        check_tolerance(ledger, 12, 0.05, "os")


def test_each_row_without_an_id_counts(cohort_of):
    _, ledger = cohort_of(lines(participant_id=["p1", *[""] * 5, *[f"q{i}" for i in range(6)]]))
    with pytest.raises(DataError, match="5 of 12 patients are in quarantine"):
        check_tolerance(ledger, 12, 0.2, "os")


def test_ids_that_look_like_numbers_stay_text(cohort_of):
    people, _ = cohort_of(
        lines(participant_id=[f"{i:03d}" for i in range(12)], site=["01"] * 12, family_id=["", *["007"] * 11])
    )
    assert people["participant_id"].iloc[7] == "007"
    assert people["site"].iloc[0] == "01"
    assert people["family_id"].tolist() == [None, *["007"] * 11]


# ---- files ----


def test_an_empty_file(cohort_of):
    with pytest.raises(DataError, match=r"c\.csv: the file is empty"):
        cohort_of("")


def test_a_header_and_nothing_more(cohort_of):
    people, ledger = cohort_of(lines()[:1])
    assert len(people) == 0
    assert ledger.failures == []
    with pytest.raises(DataError, match="task 'os': no patient has a usable outcome"):
        examples(people)


@pytest.mark.parametrize(
    ("name", "mark", "shown"), [("c.csv", ";", "';'"), ("c.csv", "\t", r"'\\t'"), ("c.tsv", ",", "','")]
)
def test_a_wrong_delimiter(cohort_of, name, mark, shown):
    with pytest.raises(DataError, match=rf"{name}: line 1 is one column, .* separated by {shown}, not by "):
        cohort_of([line.replace(",", mark) for line in lines()], name=name)


@pytest.mark.parametrize(
    "how",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
        lambda text: text.rstrip("\n").encode(),
    ],
    ids=["BOM", "Windows line ends", "both", "no last line end"],
)
def test_other_ways_to_write_the_same_table(tmp_path, how):
    text = "\n".join(lines()) + "\n"
    for name, content in (("a", text.encode()), ("b", how(text))):
        (tmp_path / f"{name}.csv").write_bytes(content)
    one, other = (read_cohort("c", str(tmp_path / f"{name}.csv"), None)[0] for name in "ab")
    pd.testing.assert_frame_equal(one, other)


def test_tab_and_gzip(tmp_path):
    import gzip

    (tmp_path / "a.csv").write_text("\n".join(lines()))
    (tmp_path / "b.tsv.gz").write_bytes(gzip.compress("\n".join(lines()).replace(",", "\t").encode()))
    one, other = (read_cohort("c", str(tmp_path / name), None)[0] for name in ("a.csv", "b.tsv.gz"))
    pd.testing.assert_frame_equal(one, other)


def test_no_participant_id(cohort_of):
    with pytest.raises(DataError, match=r"c\.csv: no column 'participant_id'; it has 'patient', 'age'"):
        cohort_of([line.replace("participant_id", "patient") for line in lines()])


def test_a_line_with_too_many_cells(cohort_of):
    text = lines()
    with pytest.raises(DataError, match=r"c\.csv: cannot be read as a table \(.*line 5.*\); correct that line"):
        cohort_of([*text[:4], text[4] + ",1,2", *text[5:]])


def test_every_line_with_a_cell_too_many(cohort_of):
    text = lines()
    with pytest.raises(DataError, match=r"c\.csv: the rows have more cells than line 1 has names; name every column"):
        cohort_of([text[0], *(line + ",1" for line in text[1:])])


def test_not_utf8(tmp_path):
    (tmp_path / "c.csv").write_bytes("\n".join([*lines(), "Müller,1,2,1"]).encode("latin-1"))
    with pytest.raises(DataError, match=r"c\.csv: .*(?i:utf-8)"):
        read_cohort("c", str(tmp_path / "c.csv"), None)


def test_a_cohort_of_a_plugin(monkeypatch):
    class Mine:
        @staticmethod
        def participants(root):
            assert root == Path("/data")
            return pd.DataFrame({"participant_id": [1, 2], "site": [3, None], "age": [1.0, 2.0]})

    monkeypatch.setattr(plugins, "load", lambda kind, name: Mine)
    people, ledger = read_cohort("mine", None, "/data")
    assert people[[*KEY]].to_numpy().tolist() == [["mine", "1", "ses-1"], ["mine", "2", "ses-1"]]
    assert ledger.failures == []
