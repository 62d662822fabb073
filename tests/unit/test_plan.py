"""What a run is made of: files, jobs, and the values that rules depend on."""

import hashlib
import json
from pathlib import Path

import pytest

from triptych.errors import DataError
from triptych.plan import Plan, as_json, batch
from triptych.study_file import read

REPOSITORY = Path(__file__).resolve().parents[2]
OUT = Path("results/gse7390")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIPTYCH_DATA", raising=False)
    return tmp_path


def plan(*paths, clone=REPOSITORY, **overrides):
    """A plan without its look at the data."""
    return Plan(read(*(paths or [REPOSITORY / "config" / "config.yaml"]), overrides=overrides), clone, {})


@pytest.fixture(scope="module")
def default():
    return plan()


def test_plan_of_the_default_study_looks_at_the_data(monkeypatch):
    looked = []
    monkeypatch.setattr("triptych.plan.precheck", lambda study, digests: looked.append(digests))
    found = Plan.of([], {}, REPOSITORY)
    assert found.study.name == "gse7390"
    assert list(found.digests) == ["gse7390"]
    assert looked == [found.digests]


def test_folder_and_tables(default):
    assert default.out == OUT
    assert default.study.tables == ["flow", "audit", "scores", "comparisons", "spread", "km_by_risk", "calibration"]
    assert "published" not in default.figures
    assert {"forest", "calibration", "flow"} <= set(default.figures)


def test_every_file_of_the_report(default):
    files = default.report_inputs
    assert len(files) == len(set(files))
    named = set(map(str, files))
    for name in (
        "cohorts/gse7390/participants.parquet",
        "cohorts/gse7390/failures.tsv",
        "dmfs/tables/scores.tsv",
        "dmfs/figures/forest.svg",
        "dmfs/failures.tsv",
        "dmfs/failures_fits.tsv",
        "dmfs/fits.json",
    ):
        assert f"results/gse7390/{name}" in named
    n_fixed = 2 + 3
    assert len(files) == n_fixed + len(default.study.tables) + len(default.figures)


def test_fits_of_the_default_study_are_one_job_per_model(default):
    files = default.fits("dmfs", "parquet")
    assert files == [OUT / f"dmfs/fits/{name}/all.parquet" for name in default.study.models], (
        "in the order of the study"
    )


def test_a_job_per_repeat_or_fold():
    found = plan(job="repeat", models={"deepsurv": {"job": "fold"}}, validation={"options": {"folds": 3, "repeats": 2}})
    jobs = found.batches("deepsurv")
    assert jobs == [f"repeat-{r}_fold-{f}" for r in range(2) for f in range(3)]
    assert found.batches("forest") == ["repeat-0", "repeat-1"]
    assert len(found.fits("dmfs", "json")) == 5 * 2 + 6


def test_defaults_of_the_split_count():
    content = read(REPOSITORY / "config" / "config.yaml").model_dump(mode="json")
    content["validation"]["options"] = {}
    content["job"] = "repeat"
    found = plan(REPOSITORY / "config" / "config.yaml")
    found = Plan(found.study.model_validate(content), REPOSITORY, {})
    assert found.batches("forest") == [f"repeat-{k}" for k in range(5)]


def test_a_given_split_is_one_job():
    found = plan(REPOSITORY / "config" / "studies" / "deepsurv-2018.yaml")
    assert found.batches("cox") == ["repeat-0"]
    assert len(found.fits("gbsg", "parquet")) == len(found.study.models)


def test_names_of_jobs():
    assert batch("all") == (-1, -1)
    assert batch("repeat-3") == (3, -1)
    assert batch("repeat-3_fold-12") == (3, 12)


def test_a_model_of_some_tasks_has_fits_in_those_only():
    found = plan(REPOSITORY / "config" / "studies" / "deepsurv-2018.yaml", models={"forest": {"tasks": ["gbsg"]}})
    assert len(found.fits("gbsg", "parquet")) == 4
    assert len(found.fits("support", "parquet")) == 3


@pytest.mark.parametrize(
    ("name", "expected"), [("repeat-0", (0, -1)), ("repeat-12", (12, -1)), ("repeat-3_fold-10", (3, 10))]
)
def test_batch(name, expected):
    assert batch(name) == expected


def test_files_of_cohorts_and_scores(default):
    assert default.cohort_files("dmfs", "x.tsv") == [OUT / "cohorts/gse7390/x.tsv"]
    assert [p.name for p in default.score_files("dmfs", "tsv")] == [
        f"{m}.tsv" for m in default.study.statistics.metrics
    ]


def test_templates_are_checksums_of_what_is_no_python(default):
    found = default.templates
    assert len(found) >= 2
    folder = REPOSITORY / "src" / "triptych" / "report"
    assert hashlib.sha256((folder / "page.html.j2").read_bytes()).hexdigest() in found
    assert hashlib.sha256((folder / "page.py").read_bytes()).hexdigest() not in found


def test_root(tmp_path):
    assert plan().root == "null"
    assert json.loads(plan(data_root=str(tmp_path)).root) == str(tmp_path.resolve())


def test_values(default):
    assert (
        as_json(default.task("dmfs").outcome) == '{"event": "e.tdm", "event_value": 1, "time": "t.tdm", "unit": "days"}'
    )
    assert as_json({"b": 1, "a": 2}) == as_json({"a": 2, "b": 1})
    about = json.loads(default.about("dmfs"))
    assert about["models"]["cox-clinical"] == ["Cox, clinical", "null"]
    assert (about["task"], about["time_unit"]) == ("dmfs", "days")
    assert json.loads(default.external("dmfs")) == json.loads(default.columns("dmfs")) == {}
    assert default.predictions == default.published == ("", "")


# ---- predictions made elsewhere ----


@pytest.fixture
def theirs(here):
    (here / "clone").mkdir()
    (here / "data").mkdir()
    (here / "clone" / "p.csv").write_text("in the clone")
    (here / "data" / "pub.csv").write_text("below the root")
    content = {
        "name": "theirs",
        "title": "t",
        "question": "q",
        "estimand": "new-patients",
        "data_root": str(here / "data"),
        "tasks": {"os": {"title": "OS"}},
        "models": {"a": {"external": "A (theirs)", "label": "A"}, "b": {"external": "B", "role": "null"}},
        "predictions": {
            "file": "p.csv",
            "columns": {c: c for c in ("model", "participant_id", "risk", "time", "event")},
        },
        "published": {"citation": "c", "file": "pub.csv", "columns": {"model": "m"}, "statistics": {}},
        "statistics": {"metrics": ["harrell_c"]},
    }
    return lambda **more: Plan(read(overrides={**content, **more}), here / "clone", {})


def test_files_that_the_study_names(theirs, here):
    found = theirs()
    assert found.predictions == (str(here / "clone" / "p.csv"), hashlib.sha256(b"in the clone").hexdigest())
    assert found.published == (str(here / "data" / "pub.csv"), hashlib.sha256(b"below the root").hexdigest())
    assert "published" in found.study.tables
    assert "calibration" not in found.study.tables
    assert not any(p.name == "fits.json" for p in found.report_inputs)
    assert json.loads(found.external("os")) == {"a": "A (theirs)", "b": "B"}
    assert json.loads(found.published_names("os")) == {"a": ["A (theirs)", "A"], "b": ["B", "b"]}


def test_columns_used_as_risk_and_published_names(here):
    found = plan(REPOSITORY / "config" / "studies" / "mcat-2021.yaml")
    assert json.loads(found.columns("blca")) == {"age": "age"}
    assert json.loads(found.columns("ucec")) == {}
    assert json.loads(found.published_names("blca"))["mcat"] == ["MCAT (Ours)", "MCAT"]


def test_checksum_of_a_named_file_that_does_not_match(theirs):
    spec = {
        "file": "p.csv",
        "sha256": "0" * 64,
        "columns": {c: c for c in ("model", "participant_id", "risk", "time", "event")},
    }
    found = theirs(predictions=spec)
    with pytest.raises(DataError) as caught:
        _ = found.predictions
    said = str(caught.value)
    for part in (
        "clone/p.csv: checksum",
        "expected sha256 " + "0" * 64,
        hashlib.sha256(b"in the clone").hexdigest(),
        "correct `sha256:`",
    ):
        assert part in said


def test_a_named_file_that_is_nowhere(theirs, here):
    (here / "clone" / "p.csv").unlink()
    with pytest.raises(DataError, match=r"data/p\.csv: no such file \(raw data of the study\)"):
        _ = theirs().predictions
