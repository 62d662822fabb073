"""Bad input, one fault per test: what is wrong, in which row and column, and nothing is lost in silence."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triptych import plugins
from triptych.check import check
from triptych.errors import DataError
from triptych.examples import Ledger, check_tolerance, event_flag, make_examples, read_cohort
from triptych.models._inputs import fit_encoder
from triptych.tables import FAILURES, FLOW, KEY, read, write

OUTCOME = {"time": "months", "event": "died", "event_value": None}


def lines(n=12, **columns):
    """The lines of a good table; columns are replaced or added."""
    made = {
        "participant_id": [f"p{i}" for i in range(n)],
        "age": [50 + i for i in range(n)],
        "months": [i + 1 for i in range(n)],
        "died": [i % 2 for i in range(n)],
    }
    made.update(columns)
    return [",".join(made), *(",".join(map(str, row)) for row in zip(*made.values(), strict=True))]


@pytest.fixture
def cohort(tmp_path):
    """Write lines as a table and read it as the cohort ``c``."""

    def readed(text, name="c.csv", cohort="c"):
        (tmp_path / name).write_text("\n".join(text) + "\n" if isinstance(text, list) else text)
        return read_cohort(cohort, str(tmp_path / name), None)

    return readed


def examples(people, ledger=None, inputs=None, outcome=None, **more):
    ledger = ledger or Ledger()
    spec = {**OUTCOME, **(outcome or {})}
    made = make_examples(
        people,
        task="os",
        kind="survival",
        outcome=spec,
        inputs={"all": ["age"]} if inputs is None else inputs,
        ledger=ledger,
        **more,
    )
    return made, ledger


def put(values, **at):
    """A copy of values, with some replaced: ``put(values, i3="x")``."""
    values = list(values)
    for place, value in at.items():
        values[int(place[1:])] = value
    return values


MONTHS, DIED = range(1, 13), [0, 1] * 6


def test_a_good_table(cohort):
    people, ledger = cohort(lines())
    assert ledger.failures == []
    made, ledger = examples(people)
    assert list(made.table) == [*KEY, "time", "event", "age"]
    assert (made.time.tolist(), made.event.tolist()) == ([float(x) for x in MONTHS], [bool(x) for x in DIED])
    assert made.blocks == {"all": ["age"]}
    flow = ledger.flow_table()
    assert list(flow) == FLOW
    assert flow[["what", "n_patients", "n_events"]].to_numpy().tolist() == [["read", 12, ""], ["kept", 12, 6]]


# ---- rows of one patient ----


def test_identical_rows_one_is_kept_and_noted(cohort):
    text = lines()
    people, ledger = cohort([*text, text[3]])
    assert len(people) == 12
    (note,) = ledger.failures
    assert (note["stage"], note["participant_id"], note["row"]) == ("note", "p2", 14)
    assert note["reason"] == "the same row again; one is kept"
    assert note["file"].endswith("c.csv")


def test_identical_rows_with_empty_cells(cohort):
    people, ledger = cohort([*lines(), "p20,,5,1", "p20,,5,1"])
    assert len(people) == 13
    assert len(ledger.failures) == 1


def test_contradictory_rows_name_both(cohort):
    with pytest.raises(
        DataError,
        match=r"c\.csv: rows 4 and 14 are both p2 \(ses-1\) but differ in 'age', 'died'; correct or remove one, "
        "or give each a session_id",
    ):
        cohort([*lines(), "p2,99,3,1"])


def test_contradiction_with_an_empty_cell(cohort):
    with pytest.raises(DataError, match=r"rows 4 and 14 are both p2 \(ses-1\) but differ in 'age'"):
        cohort([*lines(), "p2,,3,0"])


def test_contradiction_under_another_spelling(cohort):
    with pytest.raises(DataError, match=r"rows 4 and 14 are both p2 \(ses-1\) but differ in 'age'"):
        cohort([*lines(), "P02,99,3,0"])


def test_sessions_are_no_contradiction(cohort):
    people, ledger = cohort(["participant_id,session_id,age,months,died", "p1,a,50,1,1", "p1,b,51,2,0", "p2,a,50,1,1"])
    assert len(people) == 3
    assert ledger.failures == []


def test_an_empty_session_is_the_first_one(cohort):
    people, _ = cohort(["participant_id,session_id,age,months,died", "p1,,50,1,1", "p2, ,51,2,0"])
    assert people["session_id"].tolist() == ["ses-1", "ses-1"]
    with pytest.raises(DataError, match=r"rows 2 and 3 are both p1 \(ses-1\) but differ in 'age'"):
        cohort(["participant_id,session_id,age", "p1,,50", "p1,,51"])


# ---- ids ----


@pytest.mark.parametrize("other", ["P3", " p3", "p3 ", "p03", "P003 "])
def test_ids_that_differ_by_blanks_case_or_padding_are_one_person(cohort, other):
    text = ["participant_id,session_id,age,months,died", "p3,a,50,1,1", "p4,a,60,1,1", f"{other},b,51,2,0"]
    people, ledger = cohort(text)
    assert people["participant_id"].tolist() == ["p3", "p4", "p3"]
    (note,) = ledger.failures
    assert (note["stage"], note["row"], note["column"], note["participant_id"]) == ("note", 4, "participant_id", "p3")
    assert note["reason"] == f"id {other!r} is another spelling of 'p3'; taken as the same person"
    assert note["advice"] == "spell ids one way; if they are two people, rename one"


def test_one_id_in_two_cohorts_is_two_people(cohort):
    tables = [cohort(lines(), name=f"{name}.csv", cohort=name)[0] for name in "ab"]
    people = pd.concat(tables)
    made, ledger = examples(people)
    assert len(np.unique(made.people)) == 24
    assert [(row["cohort"], row["n_patients"]) for row in ledger.flow] == [("a", 12), ("b", 12)] * 2


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_row_without_an_id(cohort, blank):
    people, ledger = cohort(lines(participant_id=put([f"p{i}" for i in range(12)], i5=blank)))
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


def test_each_row_without_an_id_counts(cohort):
    _, ledger = cohort(lines(participant_id=["p1", *[""] * 5, *[f"q{i}" for i in range(6)]]))
    with pytest.raises(DataError, match="5 of 12 patients are in quarantine"):
        check_tolerance(ledger, 12, 0.2, "os")


def test_ids_that_look_like_numbers_stay_text(cohort):
    people, _ = cohort(
        lines(participant_id=[f"{i:03d}" for i in range(12)], site=["01"] * 12, family_id=["", *["007"] * 11])
    )
    assert people["participant_id"].iloc[7] == "007"
    assert people["site"].iloc[0] == "01"
    assert people["family_id"].tolist() == [None, *["007"] * 11]


# ---- outcome ----


@pytest.mark.parametrize("column", ["months", "died"])
def test_a_missing_outcome_is_excluded_and_counted(cohort, column):
    values = put({"months": MONTHS, "died": DIED}[column], i2="", i7="")
    people, _ = cohort(lines(**{column: values}))
    made, ledger = examples(people)
    assert len(made) == 10
    assert ledger.failures == [], "never eligible, so no fault of the data"
    out = [row for row in ledger.flow if row["what"] == "excluded"]
    assert [(row["reason"], row["n_patients"]) for row in out] == [("missing outcome", 2)]
    check_tolerance(ledger, 12, 0.0, "os")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("-3", "time is negative: -3.0"),
        ("-0.5", "time is negative: -0.5"),
        ("inf", "time is infinite: inf"),
        ("-inf", "time is infinite: -inf"),
        ("twelve", "time is not a number: 'twelve'"),
        ("12 months", "time is not a number: '12 months'"),
        ("2020-01-01", "time is not a number: '2020-01-01'"),
    ],
)
def test_an_impossible_time_is_quarantined(cohort, value, reason):
    people, _ = cohort(lines(months=put([float(x) for x in MONTHS], i4=value)))
    made, ledger = examples(people)
    assert len(made) == 11
    (lost,) = ledger.failures
    assert (lost["participant_id"], lost["row"], lost["column"]) == ("p4", 6, "months")
    assert (
        lost["reason"]
        .replace("'-3.0'", "-3.0")
        .replace("'-0.5'", "-0.5")
        .replace("'inf'", "inf")
        .replace("'-inf'", "-inf")
        == reason
    )
    assert lost["advice"]
    out = [row for row in ledger.flow if row["what"] == "excluded"]
    assert [(row["reason"], row["n_patients"]) for row in out] == [(f"quarantined: {reason.partition(':')[0]}", 1)]
    check_tolerance(ledger, 12, 1 / 12, "os")
    with pytest.raises(
        DataError,
        match=r"task 'os': 1 of 12 patients are in quarantine, more than `tolerance: patients: 0\.05`; "
        r"the first: p4 \(row 6, column 'months'\): time is",
    ):
        check_tolerance(ledger, 12, 0.05, "os")


@pytest.mark.parametrize("word", ["NaN", "nan", "NA", ""])
def test_nan_is_a_missing_time(cohort, word):
    people, _ = cohort(lines(months=put(MONTHS, i4=word)))
    made, ledger = examples(people)
    assert len(made) == 11
    assert "missing outcome" in [row["reason"] for row in ledger.flow]


def test_time_zero_is_accepted(cohort):
    people, _ = cohort(lines(months=put(MONTHS, i1="0")))
    made, ledger = examples(people)
    assert made.time[1] == 0
    assert ledger.failures == []


def test_the_row_of_the_file_survives_the_file_between(cohort, tmp_path):
    text = lines(months=put(MONTHS, i4="-1"))
    people, _ = cohort([text[0], text[1], *text[1:]])
    write(people, tmp_path / "p.parquet")
    _, ledger = examples(read(tmp_path / "p.parquet"))
    assert ledger.failures[0]["row"] == 7


def test_blank_lines_do_not_shift_rows(cohort):
    text = lines(months=put(MONTHS, i4="-1"))
    people, notes = cohort([*text[:2], "", ",,,", *text[2:], "", ""])
    assert notes.failures == []
    made, ledger = examples(people)
    assert len(made) == 11
    assert ledger.failures[0]["row"] == 8


def test_nobody_has_an_outcome(cohort):
    people, _ = cohort(lines(months=[""] * 12))
    with pytest.raises(DataError, match=r"task 'os': no patient has a usable outcome in 'months' and 'died'"):
        examples(people)


def test_a_constant_outcome(cohort):
    people, _ = cohort(lines(months=[5] * 12))
    with pytest.raises(DataError, match=r"task 'os': the outcome is constant: every 'months' is 5$"):
        examples(people)


@pytest.mark.parametrize("n", [0, 1])
def test_all_censored_or_one_event(cohort, n):
    people, _ = cohort(lines(died=[1] * n + [0] * (12 - n)))
    with pytest.raises(
        DataError, match=rf"task 'os': {n} of 12 patients has an event in 'died'; .* check `event_value:`"
    ):
        examples(people)


def test_everyone_with_an_event_is_fine(cohort):
    people, _ = cohort(lines(died=[1] * 12))
    assert examples(people)[0].event.all()


# ---- coding of the event ----


@pytest.mark.parametrize(
    ("values", "event_value", "events"),
    [
        ([0, 1], None, [False, True]),
        ([0.0, 1.0], None, [False, True]),
        ([False, True], None, [False, True]),
        (["no", "YES "], None, [False, True]),
        (["False", "true"], None, [False, True]),
        ([1, 2], 2, [False, True]),
        ([1, 2], 1, [True, False]),
        ([1.0, 2.0], "2", [False, True]),
        (["alive", "Dead"], "dead", [False, True]),
        (["alive", " dead"], "Dead", [False, True]),
        ([0, 1], 0, [True, False]),
        ([0, 1], True, [False, True]),
        ([0, 1], False, [True, False]),
        ([False, True], 1, [False, True]),
        (["no", "yes"], True, [False, True]),  # YAML reads a plain `yes` as true
        (["no", "yes"], False, [True, False]),
    ],
)
def test_codings(values, event_value, events):
    assert event_flag(pd.Series(values, name="died"), {"event_value": event_value}).tolist() == events


@pytest.mark.parametrize(
    ("values", "event_value", "message"),
    [
        ([1, 2], None, r"event column 'died' holds '1', '2'; say which value is an event: `event_value:`"),
        (["alive", "dead"], None, r"event column 'died' holds 'alive', 'dead'; say which"),
        ([0, 1, 2], None, r"event column 'died' holds '0', '1', '2'; say which"),
        (
            [0, 1, 2],
            1,
            r"event column 'died' holds more than two values \('0', '1', '2'\); competing events .*make a column",
        ),
        ([0, 1], 2, r"event column 'died' never holds 2; it holds '0', '1'"),
        (["alive", "dead"], "deceased", r"never holds 'deceased'; it holds 'alive', 'dead'"),
    ],
)
def test_codings_that_are_not_clear(values, event_value, message):
    with pytest.raises(DataError, match=message):
        event_flag(pd.Series(values, name="died"), {"event_value": event_value})


def test_events_of_1_and_2_in_a_table(cohort):
    people, _ = cohort(lines(died=[1, 2] * 6))
    made, _ = examples(people, outcome={"event_value": 2})
    assert made.event.sum() == 6
    with pytest.raises(DataError, match="event_value"):
        examples(people)


# ---- folds ----


@pytest.mark.parametrize(
    ("died", "message"),
    [
        (
            [1, 1, 1] + [0] * 17,
            r"3 of 20 patients have an event: too few for 5 folds with an event in each; use `folds: 3`",
        ),
        ([1] * 2 + [0] * 18, r"use `folds: 2`"),
    ],
)
def test_fewer_events_than_folds_stop_the_look_at_the_data(tmp_path, died, message):
    (tmp_path / "c.csv").write_text("\n".join(lines(20, died=died)) + "\n")
    study = {
        "tasks": {"os": {"cohorts": ["c"], "kind": "survival", "outcome": OUTCOME, "inputs": {"all": ["age"]}}},
        "cohorts": {"c": {"table": str(tmp_path / "c.csv")}},
        "root": None,
        "predictions": None,
        "seed": 0,
        "tolerance": {"patients": 0.05},
        "validation": {"split": "repeated_kfold", "options": {"folds": 5, "repeats": 1}},
    }
    with pytest.raises(DataError, match=message):
        check(study)
    study["validation"]["options"]["folds"] = 2
    check(study)


# ---- inputs ----


def test_constant_and_mostly_missing_features_stay_in_the_table_and_are_dropped_in_training(cohort):
    people, _ = cohort(lines(20, same=[3] * 20, rare=[1.5, 2.5] + [""] * 18, empty=[""] * 20))
    made, ledger = examples(people, inputs={"all": ["age", "same", "rare", "empty"]})
    assert len(made) == 20
    assert ledger.failures == []
    encoder = fit_encoder(made, ["all"])
    assert encoder.dropped == {
        "same": "constant in training",
        "rare": "90% missing in training",
        "empty": "100% missing in training",
    }
    assert encoder.names == ["age"]
    assert encoder(made).shape == (20, 1)
    assert encoder.seen == made.fingerprint()


def test_no_usable_feature_at_all(cohort):
    people, _ = cohort(lines(same=[3] * 12))
    made, _ = examples(people, inputs={"all": ["same"]})
    with pytest.raises(DataError, match=r"no usable input among 1 columns: \{'same': 'constant in training'\}"):
        fit_encoder(made, ["all"])


def test_a_few_words_are_levels(cohort):
    people, _ = cohort(lines(grade=["low", " low", "high", ""] * 3))
    made, _ = examples(people, inputs={"all": ["grade"]})
    assert made.table["grade"].tolist()[:4] == ["low", "low", "high", None]
    assert fit_encoder(made, ["all"]).names == ["grade=low"]


def test_free_text_is_refused(cohort):
    people, _ = cohort(lines(20, note=[f"text {i}" for i in range(20)]))
    with pytest.raises(
        DataError,
        match=r"inputs: column 'note' is text with 20 different values \(row 2: 'text 0'\); code it as numbers or as a few",
    ):
        examples(people, inputs={"all": ["note"]})


def test_a_word_among_numbers_is_refused(cohort):
    people, _ = cohort(lines(psa=put(MONTHS, i5="<0.1")))
    with pytest.raises(
        DataError, match=r"inputs: column 'psa', row 7: '<0\.1' among numbers; correct it or write an empty cell"
    ):
        examples(people, inputs={"all": ["psa"]})


@pytest.mark.parametrize("value", ["inf", "-inf"])
def test_an_infinite_feature_is_refused(cohort, value):
    people, _ = cohort(lines(psa=put(MONTHS, i5=value)))
    with pytest.raises(
        DataError, match=r"inputs: column 'psa', row 7: infinite; write an empty cell for a missing value"
    ):
        examples(people, inputs={"all": ["psa"]})


def test_numbers_that_came_as_text_are_numbers():
    people = pd.DataFrame(
        {
            "cohort": "c",
            "participant_id": list("abcd"),
            "session_id": "s",
            "months": [1, 2, 3, 4],
            "died": [1, 1, 0, 0],
            "x": ["1", "2.5", None, " 3"],
        }
    )
    made, _ = examples(people, inputs={"all": ["x"]})
    assert made.table["x"].tolist()[:2] == [1.0, 2.5]
    assert made.table["x"].isna().tolist() == [False, False, True, False]
    with pytest.raises(DataError, match="column 'x', row 1: infinite"):
        examples(people.assign(x=["1", "inf", "2", "3"]), inputs={"all": ["x"]})


def test_true_and_false_are_numbers(cohort):
    people, _ = cohort(lines(smoker=[True, False] * 6))
    made, _ = examples(people, inputs={"all": ["smoker"]})
    assert made.table["smoker"].tolist() == [1.0, 0.0] * 6


def test_the_site_may_be_an_input(cohort):
    people, _ = cohort(lines(site=["01", "02"] * 6))
    made, _ = examples(people, inputs={"all": ["site"]})
    assert list(made.table).count("site") == 1
    assert made.inputs(["all"])["site"].tolist() == ["01", "02"] * 6


@pytest.mark.parametrize(
    ("inputs", "outcome"),
    [(["age", "died"], {}), (["m*"], {}), (["*"], {}), (["age", "time"], {}), (["*e"], {"time": "t", "event": "d"})],
)
def test_the_outcome_among_the_inputs_is_refused(cohort, inputs, outcome):
    """Also a column that merely has the name that the outcome gets here."""
    people, _ = cohort(lines(time=list(MONTHS), t=list(MONTHS), d=DIED))
    with pytest.raises(
        DataError,
        match=r"task 'os': the inputs take the column '(died|months|time)', .*\(target leak\); name the inputs without it",
    ):
        examples(people, inputs={"all": inputs}, outcome=outcome)


def test_a_pattern_never_catches_the_outcome_that_is_added_here(cohort):
    people, _ = cohort(lines(size=list(MONTHS)))
    made, _ = examples(people, inputs={"all": ["*e"]})
    assert made.blocks == {"all": ["age", "size"]}


def test_an_input_that_is_not_there(cohort):
    people, _ = cohort(lines())
    with pytest.raises(DataError, match=r"inputs: no column 'weight' among 'age', 'months'"):
        examples(people, inputs={"all": ["weight"]})


def test_a_pattern_never_catches_an_id(cohort):
    people, _ = cohort(lines(ps=MONTHS, cs=MONTHS, ss=MONTHS))
    made, _ = examples(people, inputs={"all": ["p*", "c*", "s*"]})
    assert made.blocks == {"all": ["ps", "cs", "ss"]}


def test_a_column_name_with_brackets(cohort):
    people, _ = cohort(lines(**{"size [cm]": list(MONTHS)}))
    made, _ = examples(people, inputs={"all": ["size [cm]"]})
    assert made.blocks == {"all": ["size [cm]"]}


def test_blocks_may_overlap_and_keep_their_order(cohort):
    people, _ = cohort(lines(x2=MONTHS, x1=MONTHS))
    made, _ = examples(people, inputs={"one": ["x1", "age"], "two": ["x*", "x1"]})
    assert made.blocks == {"one": ["x1", "age"], "two": ["x2", "x1"]}
    assert list(made.inputs(["two"])) == ["x2", "x1"]


# ---- files ----


def test_an_empty_file(cohort):
    with pytest.raises(DataError, match=r"c\.csv: the file is empty"):
        cohort("")


def test_a_header_and_nothing_more(cohort):
    people, ledger = cohort(lines()[:1])
    assert len(people) == 0
    assert ledger.failures == []
    with pytest.raises(DataError, match="task 'os': no patient has a usable outcome"):
        examples(people)


@pytest.mark.parametrize(
    ("name", "mark", "shown"), [("c.csv", ";", "';'"), ("c.csv", "\t", r"'\\t'"), ("c.tsv", ",", "','")]
)
def test_a_wrong_delimiter(cohort, name, mark, shown):
    with pytest.raises(DataError, match=rf"{name}: line 1 is one column, .* separated by {shown}, not by "):
        cohort([line.replace(",", mark) for line in lines()], name=name)


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


def test_no_participant_id(cohort):
    with pytest.raises(DataError, match=r"c\.csv: no column 'participant_id'; it has 'patient', 'age'"):
        cohort([line.replace("participant_id", "patient") for line in lines()])


def test_a_line_with_too_many_cells(cohort):
    text = lines()
    with pytest.raises(DataError, match=r"c\.csv: cannot be read as a table \(.*line 5.*\); correct that line"):
        cohort([*text[:4], text[4] + ",1,2", *text[5:]])


def test_every_line_with_a_cell_too_many(cohort):
    text = lines()
    with pytest.raises(DataError, match=r"c\.csv: the rows have more cells than line 1 has names; name every column"):
        cohort([text[0], *(line + ",1" for line in text[1:])])


def test_not_utf8(tmp_path):
    (tmp_path / "c.csv").write_bytes("\n".join([*lines(), "Müller,1,2,1"]).encode("latin-1"))
    with pytest.raises(DataError, match=r"c\.csv: .*(?i:utf-8)"):
        read_cohort("c", str(tmp_path / "c.csv"), None)


def test_tasks_of_other_kinds_are_refused(cohort):
    people, _ = cohort(lines())
    with pytest.raises(DataError, match="no stage for regression outcomes from tables yet; bring predictions"):
        make_examples(people, task="os", kind="regression", outcome=OUTCOME, inputs={}, ledger=Ledger())


def test_sessions_that_are_lost_of_patients_who_stay(cohort):
    text = [
        "participant_id,session_id,age,months,died",
        "p1,a,50,1,1",
        "p1,b,51,,0",
        "p2,a,50,3,1",
        "p2,b,50,-3,1",
        "p3,a,50,,0",
        "p3,b,50,,0",
    ]
    people, _ = cohort([*text, "p4,a,1,7,0"])
    _, ledger = examples(people)
    got = [(row["what"], row["reason"], row["n_patients"]) for row in ledger.flow]
    assert got == [
        ("read", "in the cohort's table", 4),
        ("excluded", "missing outcome", 1),
        ("excluded", "1 sessions of 1 patients who stay: missing outcome", 0),
        ("excluded", "1 sessions of 1 patients who stay: quarantined: time is negative", 0),
        ("kept", "with outcome", 3),
    ]
    assert [row["session_id"] for row in ledger.failures] == ["b"]


# ---- nothing is lost in silence ----

fault = st.sampled_from(
    ["", "", "", "copy", "no id", "no time", "no event", "negative", "text", "infinite", "spelling"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(faults=st.lists(st.tuples(fault, st.sampled_from("ab")), min_size=6, max_size=25))
def test_every_row_of_the_files_is_kept_or_accounted_for(faults):
    """Rows read = kept + excluded (flow) + copies and rows without id (failures); people read = kept + excluded."""
    header = "participant_id,session_id,age,months,died"
    text = {"a": [header], "b": [header]}
    for i, (what, where) in enumerate(faults):
        who = {"no id": " "}.get(what, f"q{i}")
        time = {"no time": "", "negative": "-1", "text": "soon", "infinite": "inf"}.get(what, str(i + 1))
        row = f"{who},s1,50,{time},{'' if what == 'no event' else 1}"
        text[where].append(row)
        if what == "copy":
            text[where].append(row)
        if what == "spelling":
            text[where].append(f"Q0{i} ,s2,50,{i + 1},1")
    for where in "ab":  # two rows that always stay
        text[where] += ["z1,s1,50,1,1", "z2,s1,50,2,1"]
    with tempfile.TemporaryDirectory() as folder:
        read_ = {}
        for where in "ab":
            Path(folder, f"{where}.csv").write_text("\n".join(text[where]) + "\n")
            read_[where] = read_cohort(where, f"{folder}/{where}.csv", None)
    people = pd.concat([table for table, _ in read_.values()])
    made, ledger = examples(people)
    notes = pd.concat([log.failures_table() for _, log in read_.values()])
    flow, lost = ledger.flow_table(), ledger.failures_table()
    kinds = [what for what, _ in faults]

    assert (notes["reason"] == "no participant id").sum() == kinds.count("no id")
    assert (notes["reason"] == "the same row again; one is kept").sum() == kinds.count("copy")
    assert notes["reason"].str.contains("another spelling").sum() == kinds.count("spelling")
    assert len(lost) == sum(kinds.count(what) for what in ("negative", "text", "infinite"))
    assert (lost["row"] >= 2).all()
    missing = kinds.count("no time") + kinds.count("no event")
    n_rows = sum(len(lines) - 1 for lines in text.values())
    assert n_rows == len(made) + len(lost) + missing + kinds.count("no id") + kinds.count("copy")
    for where in "ab":
        counts = flow[flow["cohort"] == where].groupby("what")["n_patients"].sum()
        assert counts["read"] == counts["kept"] + counts.get("excluded", 0)
        assert counts["kept"] == made.table.loc[made.table["cohort"] == where, "participant_id"].nunique()
        assert counts["read"] == read_[where][0]["participant_id"].nunique()
    assert list(lost) == FAILURES


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
