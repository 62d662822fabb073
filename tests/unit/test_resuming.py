"""A job that was killed goes on with the fold where it was, and never with a fold of something else."""

import numpy as np
import pandas as pd
import pytest

from triptych import resuming
from triptych.errors import DataError
from triptych.fitting import fit_folds
from triptych.resuming import fit_or_resume, key
from triptych.tables import KEY, Examples

HOW = {
    "task": "death",
    "name": "cox",
    "use": "cox",
    "blocks": ["clinical"],
    "options": {},
    "times": np.array([0.5, 1.0]),
    "seed": 3,
    "device": "cpu",
    "tolerate": False,
}


@pytest.fixture
def examples():
    random = np.random.default_rng(0)
    x = random.normal(size=80)
    hidden, censored = random.exponential(np.exp(-x)), random.uniform(0.5, 3, 80)
    keys = {"cohort": "sim", "participant_id": [f"p{k:02d}" for k in range(80)], "session_id": "ses-1"}
    table = pd.DataFrame({**keys, "age": x, "time": np.minimum(hidden, censored), "event": hidden <= censored})
    return Examples(table, {"clinical": ["age"]})


@pytest.fixture
def splits(examples):
    fold = np.arange(80) % 4
    parts = [examples.table[KEY].assign(repeat=0, fold=k, part=np.where(fold == k, "test", "train")) for k in range(4)]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "examples.parquet"
    path.write_bytes(b"the examples")
    return path


def test_the_same_as_without(examples, splits, source, tmp_path):
    """Also when it is asked again, and when every fold but one is there already."""
    wanted = fit_folds(examples, splits, **HOW)
    folder = tmp_path / "folds"
    for _ in range(3):
        found = fit_or_resume(examples, splits, folder=folder, sources=[source], **HOW)
        pd.testing.assert_frame_equal(found[0], wanted[0], check_exact=True)
        assert found[1:] == wanted[1:]
        assert len(list(folder.iterdir())) == 4
        next(folder.iterdir()).unlink()


def test_a_finished_fold_is_not_fitted_again(examples, splits, source, tmp_path, monkeypatch, capsys):
    fitted, stop = [], 2

    def counted(examples, rows, **how):
        if len(fitted) == stop:
            raise KeyboardInterrupt
        fitted.append(int(rows["fold"].iloc[0]))
        return fit_folds(examples, rows, **how)

    monkeypatch.setattr(resuming, "fit_folds", counted)
    with pytest.raises(KeyboardInterrupt):
        fit_or_resume(examples, splits, folder=tmp_path / "folds", sources=[source], **HOW)
    stop = None
    found, notes, _ = fit_or_resume(examples, splits, folder=tmp_path / "folds", sources=[source], **HOW)
    assert fitted == [0, 1, 2, 3]
    assert [note["fold"] for note in notes] == [0, 1, 2, 3]
    assert len(found) == 80
    assert capsys.readouterr().out.count("finished before") == 2


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 4},
        {"options": {"ridge": [1.0]}},
        {"times": None},
        {"device": "cuda"},
        {"use": "coxnet"},
        {"tolerate": True},
    ],
    ids=str,
)
def test_what_it_was_told_is_part_of_its_name(source, other):
    assert key([source], **HOW) == key([source], **HOW)
    assert key([source], **{**HOW, **other}) != key([source], **HOW)


def test_what_was_read_is_part_of_its_name(source):
    before = key([source], **HOW)
    source.write_bytes(b"other examples")
    assert key([source], **HOW) != before


def test_failures_are_kept_and_a_fault_is_raised(examples, splits, source, tmp_path):
    how = {**HOW, "blocks": ["clinical"], "use": "cox"}
    none = examples.table.assign(event=False)
    bare = Examples(none, examples.blocks)
    found, notes, failures = fit_or_resume(
        bare, splits, folder=tmp_path / "a", sources=[source], **{**how, "tolerate": True}
    )
    assert (len(found), notes, len(failures)) == (0, [], 4)
    with pytest.raises(DataError, match="fold 1"):
        fit_or_resume(bare, splits, folder=tmp_path / "b", sources=[source], **how)
