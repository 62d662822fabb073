"""The tables between stages: ids, checks, and files that are whole or not there."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych import tables
from triptych.errors import DataError
from triptych.tables import Examples, canonical_id, check_columns, check_predictions, check_unique, keys_hash, unify_ids

word = st.text("abXY-_.", min_size=1, max_size=4)


# ---- ids ----


@given(word, st.integers(0, 10**6), st.integers(0, 5), st.booleans(), st.sampled_from(["", " ", "  ", "\t"]))
def test_spellings_of_one_id_agree(prefix, number, zeros, upper, blank):
    plain = f"{prefix}{number}"
    other = blank + prefix + "0" * zeros + str(number) + blank
    assert canonical_id(other.upper() if upper else other) == canonical_id(plain)


@given(word, st.integers(0, 10**6), st.integers(0, 10**6))
def test_different_numbers_are_different_people(prefix, one, other):
    assert (canonical_id(f"{prefix}{one}") == canonical_id(f"{prefix}{other}")) == (one == other)


@given(st.text(max_size=12))
def test_canonical_twice_is_once(text):
    assert canonical_id(canonical_id(text)) == canonical_id(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("SUB-001", " sub-1", True),
        ("0", "00", True),
        ("10", "1", False),
        ("a100", "a1", False),
        ("a", "b", False),
        ("1-01", "1-1", True),
    ],
)
def test_known_pairs(one, other, same):
    assert (canonical_id(one) == canonical_id(other)) == same


def test_unify_lists_each_change_and_never_merges_cohorts():
    table = pd.DataFrame({"cohort": list("aaab"), "participant_id": ["P01", "p1", " P01 ", "p1"]}, index=[2, 3, 4, 5])
    found, changes = unify_ids(table)
    assert found["participant_id"].tolist() == ["P01", "P01", "P01", "p1"]
    assert changes[["cohort", "row", "old", "new"]].to_numpy().tolist() == [
        ["a", 3, "p1", "P01"],
        ["a", 4, " P01 ", "P01"],
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["1", "01", " 1", "2", "x1", "X01"])), min_size=1, max_size=12
    )
)
def test_unify_groups_as_canonical_says(rows):
    table = pd.DataFrame(rows, columns=["cohort", "participant_id"])
    found, changes = unify_ids(table)
    canonical = {(c, canonical_id(i)) for c, i in rows}
    assert len(found.drop_duplicates()) == len(canonical)
    assert len(found) == len(rows)
    unchanged = table["participant_id"] == found["participant_id"]
    assert sorted(changes["row"]) == sorted(table.index[~unchanged])


# ---- checks ----


def test_check_columns_names_all_that_are_missing():
    with pytest.raises(DataError, match=r"^x\.tsv: no column 'a', 'c'; it has 'b', 'd'$"):
        check_columns(pd.DataFrame(columns=["b", "d"]), ["a", "b", "c"], "x.tsv")


def test_check_unique_names_two_rows():
    table = pd.DataFrame({"k": [1, 2, 1], "j": ["x", "x", "x"]}, index=[5, 6, 7])
    check_unique(table.iloc[:2], ["k", "j"], "x.tsv")
    with pytest.raises(DataError, match=r"^x\.tsv: rows 5 and 7 are both 1 / x; keep one$"):
        check_unique(table, ["k", "j"], "x.tsv")


def waist(**changes):
    table = pd.DataFrame(
        {
            "task": "t",
            "model": "m",
            "repeat": 0,
            "fold": [0, 0, 1],
            "cohort": "c",
            "participant_id": ["p1", "p2", "p3"],
            "session_id": "ses-1",
            "time": [1.0, 0.0, 3.0],
            "event": [1, 0, 1],
            "risk": [0.5, -np.inf, 2.0],
        }
    )
    return table.assign(**changes)


def test_a_good_waist():
    check_predictions(waist(), "survival", "p")
    check_predictions(waist(event=[True, False, True]), "survival", "p")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"risk": [0.5, np.nan, np.nan]},
            r"p: row 1 \(t / m / 0 / 0 / c / p2\), column 'risk': nan is not a number \(2 such rows\)",
        ),
        ({"risk": ["a", "b", 1]}, r"row 0 \(.*p1\), column 'risk': 'a' is not a number \(2 such rows\)"),
        ({"time": [1, -2.5, 3]}, r"row 1 \(.*p2\), column 'time': -2\.5 is negative or infinite \(1 such rows\)"),
        ({"time": [1, 2, np.inf]}, r"row 2 \(.*p3\), column 'time': inf is negative or infinite"),
        ({"time": [1, 2, np.nan]}, r"row 2 \(.*p3\), column 'time': nan is not a number"),
        ({"event": [1, 2, 0]}, r"row 1 \(.*p2\), column 'event': 2 is neither 0 \(censored\) nor 1 \(event\)"),
        ({"event": [1, None, 0]}, r"row 1 \(.*p2\), column 'event': nan is missing"),
        ({"participant_id": ["p1", "p1", "p3"]}, r"p: rows 0 and 1 are both t / m / 0 / 0 / c / p1 / ses-1; keep one"),
    ],
)
def test_a_bad_waist(changes, message):
    with pytest.raises(DataError, match=message):
        check_predictions(waist(**changes), "survival", "p")


def test_a_waist_without_a_column():
    with pytest.raises(DataError, match=r"^p: no column 'session_id', 'risk'; it has 'task'"):
        check_predictions(waist().drop(columns=["risk", "session_id"]), "survival", "p")


def told(**changes):
    """The same rows as predictions of a class."""
    return (
        waist()
        .drop(columns=["time", "event", "risk"])
        .assign(**{"y": [1, 0, 1], "score": 0.5, "predicted": 1, **changes})
    )


def test_good_classes_and_numbers():
    check_predictions(told(), "classification", "p")
    check_predictions(told(p=[0.0, 1.0, np.nan]), "classification", "p")  # no probability is no fault
    check_predictions(told(y=[True, False, True], score=[-np.inf, 0, np.inf]), "classification", "p")
    check_predictions(told(y=[-3.5, 0, 1e9], predicted=[0.1, 2, 3]), "regression", "p")


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (
            "classification",
            {"y": [1, 2, 0]},
            r"p: row 1 \(t / m / 0 / 0 / c / p2\), column 'y': 2 is neither 0 nor 1 \(1 such",
        ),
        ("classification", {"predicted": [1, 0, -1]}, r"row 2 \(.*p3\), column 'predicted': -1 is neither 0 nor 1"),
        ("classification", {"score": [1, np.nan, 0]}, r"row 1 \(.*p2\), column 'score': nan is not a number"),
        (
            "classification",
            {"p": [0.5, -0.1, 1.5]},
            r"row 1 \(.*\), column 'p': -0\.1 is no probability: .* \(2 such rows\)",
        ),
        ("classification", {"p": [0.5, "x", 0.1]}, r"row 1 \(.*p2\), column 'p': 'x' is not a number"),
        ("regression", {"y": [1, "x", 2]}, r"row 1 \(.*p2\), column 'y': 'x' is not a number"),
        ("regression", {"predicted": [1, 2, None]}, r"row 2 \(.*p3\), column 'predicted': nan is not a number"),
    ],
)
def test_bad_classes_and_numbers(kind, changes, message):
    with pytest.raises(DataError, match=message):
        check_predictions(told(**changes), kind, "p")


# ---- files ----


@pytest.mark.parametrize("ending", ["tsv", "parquet"])
def test_ids_stay_text(tmp_path, ending):
    table = pd.DataFrame(
        {
            "cohort": ["7", "7"],
            "participant_id": ["001", "1"],
            "session_id": ["01", "NA"],
            "site": ["0", None],
            "family_id": [None, "00"],
            "value": [0.1, np.nan],
            "model": ["1", "2"],
            "reason": ["a\tb", 'quote " and\nline'],
        }
    )
    tables.write(table, tmp_path / "new" / f"t.{ending}")
    found = tables.read(tmp_path / "new" / f"t.{ending}", ["participant_id"])
    pd.testing.assert_frame_equal(found.replace({None: np.nan}), table.replace({None: np.nan}))


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=5))
def test_numbers_survive_a_tsv_to_the_last_digit(values):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        tables.write(pd.DataFrame({"x": values}), f"{folder}/t.tsv")
        assert tables.read(f"{folder}/t.tsv")["x"].astype(float).tolist() == values


def test_json_and_text(tmp_path):
    tables.write({"ä": [1, None, "x"]}, tmp_path / "x.json")
    assert tables.read_json(tmp_path / "x.json") == {"ä": [1, None, "x"]}
    tables.write("ä", tmp_path / "x.html")
    assert (tmp_path / "x.html").read_text(encoding="utf-8") == "ä"


@pytest.mark.parametrize("name", ["t.tsv", "t.parquet"])
def test_a_write_renames_and_leaves_nothing_beside(tmp_path, name):
    for _ in range(2):
        tables.write(pd.DataFrame({"a": [1]}), tmp_path / name)
        assert [p.name for p in tmp_path.iterdir()] == [name]


def test_only_the_row_of_the_file_is_an_index_that_is_kept(tmp_path):
    table = pd.DataFrame({"a": [1, 2]}, index=[5, 9])
    tables.write(table, tmp_path / "a.parquet")
    assert tables.read(tmp_path / "a.parquet").index.tolist() == [0, 1]
    tables.write(table.rename_axis(index=tables.ROW), tmp_path / "b.parquet")
    assert tables.read(tmp_path / "b.parquet").index.tolist() == [5, 9]
    assert tables.read(tmp_path / "b.parquet").columns.tolist() == ["a"]


def test_read_names_the_file_that_lacks_a_column(tmp_path):
    tables.write(pd.DataFrame({"a": [1]}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet: no column 'b'; it has 'a'"):
        tables.read(tmp_path / "t.parquet", ["a", "b"])


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    class Broken(pd.DataFrame):
        def to_parquet(self, path, **_):
            path.write_bytes(b"half")
            raise OSError("disk full")

    tables.write(pd.DataFrame({"a": [1]}), tmp_path / "t.parquet")
    with pytest.raises(OSError, match="disk full"):
        tables.write(Broken({"a": [2]}), tmp_path / "t.parquet")
    assert tables.read(tmp_path / "t.parquet")["a"].tolist() == [1]


def test_a_writer_that_is_killed_leaves_the_old_file(tmp_path):
    tables.write(pd.DataFrame({"a": [1]}), tmp_path / "t.parquet")
    work = (
        "import sys, time\nimport pandas as pd\nfrom pathlib import Path\nfrom triptych import tables\n"
        "class Slow(pd.DataFrame):\n"
        "    def to_parquet(self, path, **_):\n"
        "        path.write_bytes(b'half a file'); Path(sys.argv[1] + '.begun').touch(); time.sleep(60)\n"
        "tables.write(Slow({'a': [2]}), sys.argv[1])\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", work, str(tmp_path / "t.parquet")])
    try:
        for _ in range(600):
            if (tmp_path / "t.parquet.begun").exists():
                break
            time.sleep(0.05)
        assert writer.poll() is None
        writer.send_signal(signal.SIGKILL)
        assert writer.wait(10) == -signal.SIGKILL
    finally:
        writer.kill()
    assert any(p.read_bytes() == b"half a file" for p in tmp_path.iterdir() if p.name.startswith(".")), (
        "the kill came in the middle"
    )
    assert tables.read(tmp_path / "t.parquet")["a"].tolist() == [1]


def test_two_writers_do_not_share_the_file_beside(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(pd.DataFrame, "to_csv", lambda self, path, **_: (seen.append(path.name), path.touch()))
    for pid in (11, 12):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        tables.write(pd.DataFrame(), tmp_path / "t.tsv")
    assert len(set(seen)) == 2


# ---- examples ----


@pytest.fixture
def examples():
    table = pd.DataFrame(
        {
            "cohort": ["a", "a", "a", "b"],
            "participant_id": ["p1", "p1", "p2", "p1"],
            "session_id": ["s1", "s2", "s1", "s1"],
            "time": [1, 2, 3, 4],
            "event": [1, 0, 0, 1],
            "x": [1.0, 2, 3, 4],
            "y": [5.0, 6, 7, 8],
        }
    )
    return Examples(table, {"one": ["x"], "two": ["y", "x"]})


def test_examples(examples):
    assert len(examples) == 4
    assert (examples.time.dtype, examples.event.dtype) == (np.float64, bool)
    assert examples.people.tolist() == [0, 0, 1, 2], "p1 of two cohorts are two people"
    assert list(examples.inputs(["two"])) == ["y", "x"]
    assert list(examples.inputs(["one", "two"])) == ["x", "y", "x"]


def test_take_by_mask_and_by_position(examples):
    assert examples.take(np.array([True, False, False, True])).time.tolist() == [1, 4]
    assert examples.take(np.array([3, 0])).time.tolist() == [4, 1]
    assert examples.take(np.array([3, 0])).people.tolist() == [1, 0], "codes follow the sorted ids"


@pytest.mark.parametrize(
    ("kind", "outcome", "expected"),
    [
        ("survival", {"event": [1, 0, 0, 1]}, [True, False, False, True]),
        ("classification", {"y": [0, 1, 1, 0]}, [False, True, True, False]),
        ("regression", {"y": [4.0, 1.0, 9.0, 4.0]}, [False, False, True, False]),  # above the median, not at it
    ],
)
def test_what_folds_should_hold_alike(examples, kind, outcome, expected):
    made = Examples(examples.table.assign(**outcome), {}, kind)
    assert made.stratum.tolist() == expected
    assert tables.stratum(made.table, kind).tolist() == expected
    assert made.take(np.array([3, 0, 1])).kind == kind


def test_examples_go_through_files(examples, tmp_path):
    made = Examples(examples.table.assign(y=[0, 1, 1, 0]), examples.blocks, "classification")
    tables.write(made.table, tmp_path / "e.parquet")
    tables.write({"kind": made.kind, "blocks": made.blocks}, tmp_path / "b.json")
    found = tables.read_examples(tmp_path / "e.parquet", tmp_path / "b.json")
    pd.testing.assert_frame_equal(found.table, made.table)
    assert (found.kind, found.blocks) == (made.kind, made.blocks)
    assert (found.y.dtype, found.y.tolist()) == (np.float64, [0, 1, 1, 0])


def test_fingerprint_is_of_the_keys_only(examples):
    before = examples.fingerprint()
    assert examples.take(np.array([3, 1, 0, 2])).fingerprint() == before
    assert Examples(examples.table.assign(x=0.0, time=9), {}).fingerprint() == before
    assert examples.take(np.array([0, 1, 2])).fingerprint() != before
    for column in tables.KEY:
        assert keys_hash(examples.table.assign(**{column: "z"})) != before


def test_a_failure_has_every_column():
    row = tables.failure("cohort", {"cohort": "a"}, row=3, reason="why")
    assert list(row) == tables.FAILURES
    assert (row["cohort"], row["row"], row["participant_id"]) == ("a", 3, "")
