"""Examples: which inputs are usable, who is left out by rule, and that everybody is accounted for."""

import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written_table import DIED, MONTHS, OUTCOMES, examples, left, lines, put

from triptych.errors import DataError
from triptych.examples import make_examples, read_cohort
from triptych.ledger import Ledger
from triptych.models._inputs import fit_encoder
from triptych.outcomes import of_left_out
from triptych.tables import FAILURES, FLOW, KEY, read, write


def test_a_good_table(cohort_of):
    people, ledger = cohort_of(lines())
    assert ledger.failures == []
    made, ledger = examples(people)
    assert list(made.table) == [*KEY, "time", "event", "age"]
    assert (made.time.tolist(), made.event.tolist()) == ([float(x) for x in MONTHS], [bool(x) for x in DIED])
    assert made.blocks == {"all": ["age"]}
    flow = ledger.flow_table()
    assert list(flow) == FLOW
    assert flow[["what", "n_patients", "n_events"]].to_numpy().tolist() == [["read", 12, ""], ["kept", 12, 6]]


# ---- who is left out by rule ----


def with_protocol(n=12, **columns):
    """Every third patient was scanned by the old protocol, which one cell spells in another way."""
    protocol = ["old" if i % 3 == 0 else "new" for i in range(n)]
    return lines(n, protocol=put(protocol, i3="OLD "), **columns)


def test_rows_of_a_rule_leave_before_anything_looks_at_the_outcome(cohort_of):
    """An impossible time of such a row is no fault of the data: nobody looked at it."""
    people, _ = cohort_of(with_protocol(months=put(MONTHS, i3="never", i4="-1")))
    made, ledger = examples(people, exclude={"protocol": ["old"]})
    assert made.table["participant_id"].tolist() == [f"p{i}" for i in range(12) if i % 3 and i != 4]
    assert left(ledger) == [("left out by rule: protocol is old", 4), ("quarantined: time is negative", 1)]
    assert [row["participant_id"] for row in ledger.failures] == ["p4"]
    assert [row["what"] for row in ledger.flow] == ["read", "excluded", "excluded", "kept"]


def test_all_that_is_known_of_them_is_kept(cohort_of, tmp_path):
    people, _ = cohort_of(with_protocol(site=["h1", "h2"] * 6))
    _, ledger = examples(people, exclude={"protocol": ["old"]})
    write(ledger.left_out_table(), tmp_path / "excluded.parquet")
    gone = read(tmp_path / "excluded.parquet", [*KEY, "site", "months", "died", "age", "protocol"])
    assert gone["participant_id"].tolist() == ["p0", "p3", "p6", "p9"]
    assert set(gone["reason"]) == {"protocol is old"}
    assert set(gone["rule"]) == {"protocol"}
    assert gone["site"].tolist() == ["h1", "h2"] * 2
    assert of_left_out(gone, OUTCOMES["survival"])["event"].tolist() == [0, 1, 0, 1]


def test_several_rules_and_values(cohort_of):
    people, _ = cohort_of(with_protocol(scanner=["1", "2", "", "4"] * 3, died=[1] * 12))
    made, ledger = examples(people, exclude={"protocol": ["old"], "scanner": [2, 4.0]})
    assert made.table["participant_id"].tolist() == ["p2", "p4", "p8", "p10"], "an empty cell holds nothing"
    assert left(ledger) == [("left out by rule: protocol is old", 4), ("left out by rule: scanner is 2 or 4.0", 4)]
    gone = ledger.left_out_table()
    assert len(gone) == 8
    assert not gone.duplicated(KEY).any()


@pytest.mark.parametrize("cells", [("yes", "no"), ("True", "False"), (1, 0)])
@pytest.mark.parametrize("wanted", [True, False])
def test_a_plain_yes_of_the_study_file_is_understood(cohort_of, cells, wanted):
    """YAML reads ``exclude: {moved: [yes]}`` as true."""
    people, _ = cohort_of(lines(moved=[cells[0]] * 5 + [cells[1]] * 7))
    made, _ = examples(people, exclude={"moved": [wanted]})
    assert len(made) == (7 if wanted else 5)


def test_a_rule_that_nobody_meets_is_misspelt(cohort_of):
    people, _ = cohort_of(with_protocol())
    with pytest.raises(DataError, match=r"task 'os': `exclude:` 'protocol' never holds 'odl'; did you mean 'old'\?"):
        examples(people, exclude={"protocol": ["odl"]})
    with pytest.raises(DataError, match=r"`exclude:` 'protocol' never holds 7; known: old, new"):
        examples(people, exclude={"protocol": ["old", 7]})


def test_a_rule_that_an_earlier_one_has_used_up_is_fine(cohort_of):
    people, _ = cohort_of(with_protocol(scanner=["a", "b", "b"] * 4))
    made, _ = examples(people, exclude={"protocol": ["old"], "scanner": ["a"]})  # scanner a has the old protocol only
    assert len(made) == 8


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("survival", "no patient has a usable outcome in 'months' and 'died'"),
        ("classification", "no patient has a label in 'died'"),
        ("regression", "no patient has a usable value in 'months'"),
    ],
)
def test_a_rule_that_everybody_meets(cohort_of, kind, says):
    people, _ = cohort_of(lines(study=["pilot"] * 12))
    ledger = Ledger()
    with pytest.raises(DataError, match=f"task 'os': {says}"):
        examples(people, ledger, kind=kind, exclude={"study": ["pilot"]})
    assert left(ledger) == [("left out by rule: study is pilot", 12)]
    assert len(ledger.left_out_table()) == 12


def test_a_session_that_leaves_of_a_person_who_stays(cohort_of):
    head = "participant_id,session_id,age,months,died,quality"
    text = [head, "p1,a,50,1,1,good", "p1,b,51,1,1,bad", "p2,a,50,3,1,good", "p3,a,50,4,0,bad"]
    people, _ = cohort_of(text)
    made, ledger = examples(people, exclude={"quality": ["bad"]})
    assert made.table[["participant_id", "session_id"]].to_numpy().tolist() == [["p1", "a"], ["p2", "a"]]
    assert left(ledger) == [
        ("left out by rule: quality is bad", 1),
        ("1 sessions of 1 patients who stay: left out by rule: quality is bad", 0),
    ]
    assert ledger.left_out_table()["participant_id"].tolist() == ["p1", "p3"]


# ---- inputs ----


def test_constant_and_mostly_missing_features_stay_in_the_table_and_are_dropped_in_training(cohort_of):
    people, _ = cohort_of(lines(20, same=[3] * 20, rare=[1.5, 2.5] + [""] * 18, empty=[""] * 20))
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


def test_no_usable_feature_at_all(cohort_of):
    people, _ = cohort_of(lines(same=[3] * 12))
    made, _ = examples(people, inputs={"all": ["same"]})
    with pytest.raises(DataError, match=r"no usable input among 1 columns: \{'same': 'constant in training'\}"):
        fit_encoder(made, ["all"])


def test_a_few_words_are_levels(cohort_of):
    people, _ = cohort_of(lines(grade=["low", " low", "high", ""] * 3))
    made, _ = examples(people, inputs={"all": ["grade"]})
    assert made.table["grade"].tolist()[:4] == ["low", "low", "high", None]
    assert fit_encoder(made, ["all"]).names == ["grade=low"]


def test_free_text_is_refused(cohort_of):
    people, _ = cohort_of(lines(20, note=[f"text {i}" for i in range(20)]))
    with pytest.raises(
        DataError,
        match=r"inputs: column 'note' is text with 20 different values \(row 2: 'text 0'\); code it as numbers or as a few",
    ):
        examples(people, inputs={"all": ["note"]})


def test_a_word_among_numbers_is_refused(cohort_of):
    people, _ = cohort_of(lines(psa=put(MONTHS, i5="<0.1")))
    with pytest.raises(
        DataError, match=r"inputs: column 'psa', row 7: '<0\.1' among numbers; correct it or write an empty cell"
    ):
        examples(people, inputs={"all": ["psa"]})


@pytest.mark.parametrize("value", ["inf", "-inf"])
def test_an_infinite_feature_is_refused(cohort_of, value):
    people, _ = cohort_of(lines(psa=put(MONTHS, i5=value)))
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


def test_true_and_false_are_numbers(cohort_of):
    people, _ = cohort_of(lines(smoker=[True, False] * 6))
    made, _ = examples(people, inputs={"all": ["smoker"]})
    assert made.table["smoker"].tolist() == [1.0, 0.0] * 6


def test_the_site_may_be_an_input(cohort_of):
    people, _ = cohort_of(lines(site=["01", "02"] * 6))
    made, _ = examples(people, inputs={"all": ["site"]})
    assert list(made.table).count("site") == 1
    assert made.inputs(["all"])["site"].tolist() == ["01", "02"] * 6


@pytest.mark.parametrize(
    ("inputs", "outcome"),
    [(["age", "died"], {}), (["m*"], {}), (["*"], {}), (["age", "time"], {}), (["*e"], {"time": "t", "event": "d"})],
)
def test_the_outcome_among_the_inputs_is_refused(cohort_of, inputs, outcome):
    """Also a column that merely has the name that the outcome gets here."""
    people, _ = cohort_of(lines(time=list(MONTHS), t=list(MONTHS), d=DIED))
    with pytest.raises(
        DataError,
        match=r"task 'os': the inputs take the column '(died|months|time)', .*\(target leak\); name the inputs without it",
    ):
        examples(people, inputs={"all": inputs}, outcome=outcome)


def test_a_pattern_never_catches_the_outcome_that_is_added_here(cohort_of):
    people, _ = cohort_of(lines(size=list(MONTHS)))
    made, _ = examples(people, inputs={"all": ["*e"]})
    assert made.blocks == {"all": ["age", "size"]}


def test_an_input_that_is_not_there(cohort_of):
    people, _ = cohort_of(lines())
    with pytest.raises(DataError, match=r"inputs: no column 'weight' among 'age', 'months'"):
        examples(people, inputs={"all": ["weight"]})


def test_a_pattern_never_catches_an_id(cohort_of):
    people, _ = cohort_of(lines(ps=MONTHS, cs=MONTHS, ss=MONTHS))
    made, _ = examples(people, inputs={"all": ["p*", "c*", "s*"]})
    assert made.blocks == {"all": ["ps", "cs", "ss"]}


def test_a_column_name_with_brackets(cohort_of):
    people, _ = cohort_of(lines(**{"size [cm]": list(MONTHS)}))
    made, _ = examples(people, inputs={"all": ["size [cm]"]})
    assert made.blocks == {"all": ["size [cm]"]}


def test_blocks_may_overlap_and_keep_their_order(cohort_of):
    people, _ = cohort_of(lines(x2=MONTHS, x1=MONTHS))
    made, _ = examples(people, inputs={"one": ["x1", "age"], "two": ["x*", "x1"]})
    assert made.blocks == {"one": ["x1", "age"], "two": ["x2", "x1"]}
    assert list(made.inputs(["two"])) == ["x2", "x1"]


def test_sessions_that_are_lost_of_patients_who_stay(cohort_of):
    text = [
        "participant_id,session_id,age,months,died",
        "p1,a,50,1,1",
        "p1,b,51,,0",
        "p2,a,50,3,1",
        "p2,b,50,-3,1",
        "p3,a,50,,0",
        "p3,b,50,,0",
    ]
    people, _ = cohort_of([*text, "p4,a,1,7,0"])
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


# ---- kinds of tasks ----


def test_a_kind_that_is_not_read_from_tables(cohort_of):
    people, _ = cohort_of(lines())
    with pytest.raises(DataError, match="no stage for segmentation outcomes from tables yet; bring predictions"):
        make_examples(people, task="os", kind="segmentation", outcome={}, inputs={}, ledger=Ledger())


@pytest.mark.parametrize(
    ("kind", "columns", "stratum"),
    [
        ("survival", ["time", "event"], [False, True] * 6),
        ("classification", ["y"], [False, True] * 6),
        ("regression", ["y"], [False] * 6 + [True] * 6),
    ],
)
def test_each_kind_has_its_outcome_and_its_stratum(cohort_of, kind, columns, stratum):
    people, _ = cohort_of(lines())
    made, ledger = examples(people, kind=kind)
    assert list(made.table) == [*KEY, *columns, "age"]
    assert made.kind == kind
    assert made.stratum.tolist() == stratum
    assert ledger.flow[-1]["n_events"] == (6 if kind == "survival" else "")


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize("inputs", [["age", "y"], ["*"], ["age", "died", "months"]])
def test_classes_and_numbers_among_the_inputs_are_refused(cohort_of, kind, inputs):
    people, _ = cohort_of(lines(y=list(MONTHS)))
    with pytest.raises(DataError, match=r"the inputs take the column '(died|months|y)', .*\(target leak\)"):
        examples(people, kind=kind, inputs={"all": inputs})


def test_the_event_may_be_an_input_where_it_is_not_the_outcome(cohort_of):
    people, _ = cohort_of(lines())
    assert examples(people, kind="regression", inputs={"all": ["died"]})[0].blocks == {"all": ["died"]}
    assert examples(people, kind="classification", inputs={"all": ["months"]})[0].blocks == {"all": ["months"]}


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
