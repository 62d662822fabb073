"""Studies of predictions made elsewhere: columns of the file, baselines that are columns of a cohort, no folds of their own."""

import pytest
from written_study import HEADER

from triptych.errors import StudyError
from triptych.study_file import read

BROUGHT = """\
name: theirs
title: Theirs
question: Is it good?
estimand: new-patients
cohorts:
  ours: {table: TABLE}
tasks:
  os: {title: OS, cohorts: [ours]}
models:
  a: {external: A}
  age: {column: age}
predictions:
  file: p.csv
  columns: {model: m, participant_id: id, risk: r, time: t, event: e}
statistics: {metrics: [harrell_c]}
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("", ""), None),
        (
            ("column: age", "column: agee"),
            r":11, key models\.age\.column: cohort 'ours' has no column 'agee'; did you mean 'age'\?",
        ),
        ((", cohorts: [ours]", ""), r":11, key models\.age\.column: the task 'os' has no `cohorts:`"),
        (
            ("risk: r", "rsik: r"),
            r":14, key predictions\.columns: predictions have no column 'rsik'; did you mean 'risk'\?",
        ),
        (
            ("statistics:", "  site_pattern: ^TCGA\nstatistics:"),
            r":15, key predictions\.site_pattern: '\^TCGA' is no regular expression with a group in parentheses",
        ),
        (
            ("statistics:", "  site_pattern: '('\nstatistics:"),
            r":15, key predictions\.site_pattern: '\(' is no regular",
        ),
        ((", event: e", ""), r":14, key predictions\.columns: say which column of p\.csv holds 'event'"),
        (
            ("statistics:", "validation: {split: given}\nstatistics:"),
            r":15, key validation: .* bring their own folds; remove `validation:`",
        ),
    ],
)
def test_predictions_made_elsewhere(tmp_path, monkeypatch, change, message):
    monkeypatch.delenv("TRIPTYCH_DATA", raising=False)
    (tmp_path / "patients.csv").write_text(HEADER)
    path = tmp_path / "study.yaml"
    path.write_text(BROUGHT.replace("TABLE", str(tmp_path / "patients.csv")).replace(*change, 1))
    if message is None:
        assert read(path).predictions.file == "p.csv"
        return
    with pytest.raises(StudyError, match=message):
        read(path)


def brought(tmp_path, monkeypatch, *changes):
    monkeypatch.delenv("TRIPTYCH_DATA", raising=False)
    (tmp_path / "patients.csv").write_text(HEADER)
    text = BROUGHT.replace("TABLE", str(tmp_path / "patients.csv"))
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "study.yaml").write_text(text)
    return tmp_path / "study.yaml"


def test_nothing_is_fitted_so_nothing_is_controlled(tmp_path, monkeypatch):
    study = read(brought(tmp_path, monkeypatch))
    assert list(study.models) == ["a", "age"]
    assert study.validation_of("os") is None


def test_only_survival_is_read_from_files_of_predictions(tmp_path, monkeypatch):
    changes = (("title: OS,", "title: OS, kind: regression,"), ("[harrell_c]", "[mae]"))
    says = r":8, key tasks\.os\.kind: predictions made elsewhere are read for survival tasks only, not for regression"
    with pytest.raises(StudyError, match=says):
        read(brought(tmp_path, monkeypatch, *changes))


@pytest.mark.parametrize("name", ["permuted-a", "control-a"])
def test_names_of_controls_are_taken_here_too(tmp_path, monkeypatch, name):
    """They would be scored in the first repeat only, or be no part of the comparisons."""
    with pytest.raises(StudyError, match=rf":10, key models\.{name}: names that begin with control- or permuted-"):
        read(brought(tmp_path, monkeypatch, ("  a: {external", f"  {name}: {{external")))
