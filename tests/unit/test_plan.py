"""What a run is made of: files, jobs, and the values that rules depend on."""

import hashlib
import json
import shlex
from pathlib import Path

import pytest

from triptych.errors import DataError, StudyError
from triptych.plan import Plan, as_json, batch, batch_words
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
    always = {"flow", "audit", "scores", "comparisons", "controls", "spread"}
    assert always | {"km_by_risk", "calibration"} <= set(default.study.tables_of("dmfs"))
    assert default.study.tables == default.study.tables_of("dmfs"), "there is one task"
    assert {"decision", "components", "planning"} <= set(default.study.tables_of("dmfs"))
    assert default.overall == {"tables": [], "figures": []}, "one task has no ranks over tasks"
    assert "published" not in default.figures("dmfs")
    assert {"forest", "calibration", "flow"} <= set(default.figures("dmfs"))


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
    assert len(files) == n_fixed + len(default.study.tables) + len(default.figures("dmfs"))


def test_fits_of_the_default_study_are_one_job_per_model(default):
    files = default.fits("dmfs", "parquet")
    jobs = {name: "repeat-0" if name.startswith("permuted-") else "all" for name in default.study.models}
    assert files == [OUT / f"dmfs/fits/{name}/{job}.parquet" for name, job in jobs.items()], "in the order of the study"
    assert list(jobs.values()).count("repeat-0") == 4  # four models that claim something, permuted in one repeat


def test_a_job_per_repeat_or_fold():
    found = plan(
        job="repeat",
        models={"deepsurv": {"job": "fold"}},
        validation={"options": {"folds": 3, "repeats": 2}},
        controls=[],
    )
    jobs = found.batches("deepsurv", "dmfs")
    assert jobs == [f"repeat-{r}_fold-{f}" for r in range(2) for f in range(3)]
    assert found.batches("forest", "dmfs") == ["repeat-0", "repeat-1"]
    assert len(found.fits("dmfs", "json")) == 5 * 2 + 6


@pytest.mark.parametrize(
    ("job", "expected"),
    [("model", ["repeat-0"]), ("repeat", ["repeat-0"]), ("fold", ["repeat-0_fold-0", "repeat-0_fold-1"])],
)
def test_a_permuted_model_is_fitted_in_the_first_repeat_only(job, expected):
    found = plan(job=job, validation={"options": {"folds": 2, "repeats": 4}})
    assert found.batches("permuted-forest", "dmfs") == expected
    assert found.batches("control-demographics", "dmfs") == ["all"], (
        "a control of few columns is one job, whatever the study says"
    )
    assert len(found.batches("forest", "dmfs")) == {"model": 1, "repeat": 4, "fold": 8}[job]


def test_jobs_follow_the_split_of_their_task():
    own = {"split": "repeated_kfold", "options": {"folds": 3, "repeats": 2}}
    task = read(REPOSITORY / "config" / "config.yaml").model_dump(mode="json")["tasks"]["dmfs"]
    task["inputs"] = {block: columns for block, columns in task["inputs"].items() if not block.startswith("control-")}
    found = plan(job="repeat", tasks={"other": {**task, "validation": own}})
    assert found.batches("forest", "dmfs") == [f"repeat-{k}" for k in range(10)]
    assert found.batches("forest", "other") == ["repeat-0", "repeat-1"]
    assert len(found.fits("dmfs", "parquet")) > len(found.fits("other", "parquet"))


def test_defaults_of_the_split_count():
    content = read(REPOSITORY / "config" / "config.yaml").model_dump(mode="json")
    content["validation"]["options"] = {}
    content["job"] = "repeat"
    found = Plan(plan().study.model_validate(content), REPOSITORY, {})
    assert found.batches("forest", "dmfs") == [f"repeat-{k}" for k in range(5)]


def test_a_given_split_is_one_job():
    found = plan(REPOSITORY / "config" / "studies" / "deepsurv-2018.yaml")
    assert found.batches("cox", "gbsg") == ["repeat-0"]
    assert len(found.fits("gbsg", "parquet")) == len(found.study.models)


def test_names_of_jobs():
    assert batch("all") == (-1, -1)
    assert batch("repeat-3") == (3, -1)
    assert batch("repeat-3_fold-12") == (3, 12)


def test_a_model_of_some_tasks_has_fits_in_those_only():
    study = REPOSITORY / "config" / "studies" / "deepsurv-2018.yaml"
    found = plan(study, models={"forest": {"tasks": ["gbsg"]}}, controls=[])
    assert len(found.fits("gbsg", "parquet")) == 4
    assert len(found.fits("support", "parquet")) == 3
    controlled = plan(study, models={"forest": {"tasks": ["gbsg"]}}, controls=["permuted"])
    assert controlled.models("gbsg").keys() - controlled.models("support").keys() == {"forest", "permuted-forest"}


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
    said = json.loads(as_json(default.task("dmfs").outcome))
    assert {"time": "t.tdm", "event": "e.tdm", "event_value": 1, "unit": "days", "label": None}.items() <= said.items()
    assert as_json({"b": 1, "a": 2}) == as_json({"a": 2, "b": 1})
    about = json.loads(default.about("dmfs"))
    assert about["models"]["cox-clinical"] == ["Cox, clinical", "null"]
    assert about["models"]["control-demographics"] == ["Demographics only", "control"]
    assert about["models"]["permuted-deepsurv"] == ["DeepSurv, outcomes permuted", "control"]
    assert (about["task"], about["time_unit"]) == ("dmfs", "days")
    assert json.loads(default.external("dmfs")) == json.loads(default.columns("dmfs")) == {}
    assert default.predictions == default.published == ("", "")


# ---- what columns stand for, and weights that were trained elsewhere ----


def spelled(write_study, task="", *more):
    return plan(write_study(("    horizon: 12\n", f"    horizon: 12\n{task}"), *more))


def test_roles_are_columns_whatever_is_said(write_study):
    plain = json.loads(spelled(write_study).roles("os"))
    assert plain == {"demographics": ["age", "sex"], "acquisition": [], "quality": [], "visit": [], "label_visit": []}
    task = "    roles: {demographics: [age], acquisition: [scanner], quality: [blur], visit: scan_day}\n"
    said = json.loads(spelled(write_study, task, ("event_value: 1", "event_value: 1, visit: dx_day")).roles("os"))
    assert said == {
        "demographics": ["age"],
        "acquisition": ["scanner"],
        "quality": ["blur"],
        "visit": ["scan_day"],
        "label_visit": ["dx_day"],
    }


def test_weights_of_people_who_are_listed_or_not_known(write_study, here):
    (here / "people.csv").write_text("participant_id\np1\n")
    path = write_study(
        ("    label: Cox", f"    pretrained: {here}/people.csv"),
        ("{use: kaplan_meier}", "{use: kaplan_meier, pretrained: unknown}"),
    )
    found = plan(path)
    assert found.pretrained("os") == {"cox": here / "people.csv", "km": None}, (
        "nothing is asked again of permuted models"
    )
    assert spelled(write_study).pretrained("os") == {}


def test_a_list_of_people_that_is_nowhere_is_told_before_anything_runs(write_study):
    path = write_study(("    label: Cox", "    pretrained: nowhere.csv"))
    with pytest.raises(DataError, match=r"nowhere\.csv: no such file in .*no data root is given; correct"):
        Plan.of([path], {}, REPOSITORY)


def test_scores_of_each_task_by_metrics_of_its_kind(write_study):
    more = (
        "  dx:\n    title: D\n    kind: classification\n    cohorts: [ours]\n    outcome: {label: dx, positive: AD}\n"
        "    inputs: {clinical: [age]}\nmodels:\n  logistic: {use: logistic, tasks: [dx]}\n"
    )
    found = spelled(
        write_study,
        "",
        ("models:\n", more),
        ("    label: Cox", "    tasks: [os]"),
        ("{use: kaplan_meier}", "{use: kaplan_meier, tasks: [os]}"),
        ("    - brier\n", "    - brier\n    - auc\n"),
    )
    assert [path.name for path in found.score_files("os", "tsv")] == ["harrell_c.tsv", "brier.tsv"]
    assert [path.name for path in found.score_files("dx", "tsv")] == ["auc.tsv"]
    assert "km_by_risk" in found.study.tables_of("os")
    assert "km_by_risk" not in found.study.tables_of("dx")
    assert not any("dx/tables/km_by_risk" in str(path) for path in found.report_inputs)


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


def test_several_tasks_have_ranks_over_them(here):
    found = plan(REPOSITORY / "config" / "studies" / "mcat-2021.yaml")
    assert found.overall == {"tables": ["ranks"], "figures": ["critical_difference"]}
    files = set(map(str, found.report_inputs))
    assert {"results/mcat-2021/ranks.tsv", "results/mcat-2021/figures/critical_difference.svg"} <= files
    cohorts = json.loads(found.cohorts_by_task)
    assert list(cohorts) == list(found.study.tasks), "in the order of the study"
    assert cohorts["blca"] == ["tcga_blca"]
    assert cohorts["ucec"] == []


def test_a_figure_over_tasks_needs_several(theirs):
    statistics = {"metrics": ["harrell_c"], "figures": ["critical_difference", "forest"]}
    with pytest.raises(
        StudyError, match="'critical_difference' draws the table 'ranks', which this study does not make"
    ):
        theirs(statistics=statistics)
    found = theirs(statistics=statistics, tasks={"os": {"title": "OS"}, "pfs": {"title": "PFS"}})
    assert found.overall["figures"] == ["critical_difference"]
    assert found.figures("os") == ["forest"]


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


@pytest.mark.parametrize("name", ["all", "repeat-3", "repeat-12_fold-4"])
def test_words_of_a_batch(name):
    repeat, fold = batch(name)
    assert batch_words(name) == f"--repeat {repeat} --fold {fold}"


def test_a_fit_is_told_what_it_depends_on(default):
    words = shlex.split(default.fit_words("dmfs", "deepsurv"))
    told = dict(zip(words[::2], words[1::2], strict=True))
    assert told["--use"] == "deepsurv"
    assert told["--device"] == "cpu"
    assert json.loads(told["--options"]) == default.study.options_of("deepsurv", "dmfs")
    assert json.loads(told["--inputs"]) == ["clinical", "genes"]
    assert json.loads(told["--horizon"]) == 1826
    assert (told["--tolerate"], told["--permuted"]) == ("false", "false")


def test_a_fit_is_told_of_its_processes_only_where_there_are_several(default):
    assert "--devices" not in default.fit_words("dmfs", "deepsurv")
    shared = plan(device="cuda", models={"deepsurv": {"devices": 4, "nodes": 2}})
    assert shared.fit_words("dmfs", "deepsurv").endswith(" --devices 4 --nodes 2")
    assert "--devices" not in shared.fit_words("dmfs", "forest")


def test_only_networks_are_fitted_on_a_gpu():
    found = plan(device="cuda").study
    assert {name for name in found.models if found.device_of(name) == "cuda"} >= {"deepsurv"}
    assert {found.device_of(name) for name in ("kaplan-meier", "cox-clinical", "cox-ridge", "forest")} == {"cpu"}
    assert {plan().study.device_of(name) for name in found.models} == {"cpu"}


def test_scans_of_a_study(here):
    (here / "t.csv").write_text("participant_id,run,t1w\np1,1,a.nii\np1,2,b.nii\np2,,c.nii\n")
    (here / "a.nii").write_bytes(b"a")
    found = plan(cohorts={"mine": {"table": "t.csv", "scans": "t1w", "runs": "last"}})
    assert found.imaged == ["mine"], "the default study's own cohort has no scans"
    assert [scan.name for scan in found.scans("mine")] == ["sub-p1_run-2", "sub-p2"]
    here_ = Path("results/gse7390/cohorts/mine")
    every = ["sub-p1_run-1", "sub-p1_run-2", "sub-p2"]
    assert found.scan_files("mine", "bids.json") == [here_ / "scans" / name / "bids.json" for name in every]
    assert found.bids_files == [here_ / "bids_scans.tsv"]
    assert found.scan_lists("dmfs") == [], "no cohort of this task has scans"
    found.study.tasks["dmfs"].cohorts.append("mine")
    assert found.scan_lists("dmfs") == [here_ / "bids_scans.tsv"]
    assert found.scan_digest("mine", "sub-p1_run-1") == hashlib.sha256(b"a").hexdigest()[:16]
    assert found.scan_digest("mine", "sub-p2") == "missing"
    assert found.scan_source("mine") == '{"scans": "t1w", "table": "t.csv"}', "which run is used reruns no scan"
    assert json.loads(found.source("mine"))["runs"] == "last"


def test_a_study_without_scans_says_how_to_name_them(default):
    with pytest.raises(StudyError, match=r"no cohort of this study has scans; name the column that holds them"):
        _ = default.bids_files


def test_preprocessed_scans_of_a_study(here):
    (here / "t.csv").write_text("participant_id,t1w\np1,a.nii\np2,c.nii\n")
    (here / "atlas.nii").write_bytes(b"labels")
    entry = {"table": "t.csv", "mri": {"atlas": str(here / "atlas.nii"), "outliers": 5}}
    found = plan(cohorts={"mine": entry})
    cohorts = Path("results/gse7390/cohorts")
    assert found.imaged == ["mine"], "`mri:` asks for scans, named t1w when nothing is said"
    assert [found.preprocessed(name) for name in ("mine", "gse7390")] == [True, False]
    said = json.loads(found.preprocessing("mine"))
    assert said["resolution"] == 2
    assert "outliers" not in said, "who is an outlier preprocesses no scan again"
    assert found.atlas_digest("mine") == hashlib.sha256(b"labels").hexdigest()
    names = [cohorts / "mine/scans" / name / "preprocessed.json" for name in ("sub-p1", "sub-p2")]
    assert found.used_scan_files("mine", "preprocessed.json") == names
    assert {cohorts / "mine" / name for name in ("quality.html", "failures_scans.tsv")} <= set(found.report_inputs)
    assert found.people_files("dmfs") == [cohorts / "gse7390/participants.parquet"]


def test_a_study_without_tasks_ends_with_its_quality_pages(here, default):
    (here / "t.csv").write_text("participant_id,t1w\np1,a.nii\n")
    (here / "study.yaml").write_text(
        "name: mine\ntitle: Heads\nquestion: Are they usable?\n"
        "cohorts:\n  raw: {table: t.csv, scans: t1w}\n  made: {table: t.csv, mri: {}}\n"
    )
    cohorts, found = Path("results/mine/cohorts"), plan(here / "study.yaml")
    assert found.targets == [
        *(cohorts / name / "bids_scans.tsv" for name in ("raw", "made")),
        cohorts / "made/quality.html",
    ]
    assert default.targets == [OUT / "report.html"]


# ---- where models of images look ----


@pytest.fixture
def imaged(here):
    """A study of images with a net, one that makes no maps, a null and its controls."""
    (here / "heads.csv").write_text("participant_id,sex,mri_t1w,mri_background\np1,m,a,b\n")
    task = {
        "title": "Sex",
        "kind": "classification",
        "cohorts": ["heads"],
        "outcome": {"label": "sex", "positive": "m"},
    }
    models = {
        "net": {"use": "conv5_fc3", "label": "Net"},
        "dark": {"use": "vit3d", "options": {"maps": 0}},
        "cubes": {"use": "resnet3d", "options": {"maps": "occlusion"}},
        "svm": {"use": "voxel_svm", "job": "model"},
        "half": {"use": "voxel_svm", "options_by_task": {"sex": {"maps": False}}},
        "none": {"use": "dummy", "role": "null"},
    }
    study = {"name": "heads", "title": "t", "question": "q", "estimand": "new-patients", "models": models}
    study |= {"cohorts": {"heads": {"table": str(here / "heads.csv")}}, "statistics": {"metrics": ["auc"]}}
    study |= {"tasks": {"sex": {**task, "inputs": {"image": ["mri_t1w"]}}}}
    study |= {"validation": {"split": "repeated_kfold", "options": {"repeats": 2}}}
    (here / "study.yaml").write_text(json.dumps(study))
    return plan(here / "study.yaml")


def test_models_that_show_where_they_look(imaged, default):
    assert {"control-background", "permuted-net", "permuted-svm"} <= set(imaged.models("sex"))
    assert imaged.maps("sex") == ["net", "cubes", "svm"], "not those of controls"
    assert imaged.contents["sex"]["maps"] == ["net", "cubes", "svm"]
    assert Path("results/heads/sex/maps/net.svg") in imaged.report_inputs
    assert default.maps("dmfs") == []
    assert set(default.contents["dmfs"]) == {"tables", "figures"}, "other studies are told nothing new"


def test_a_map_is_the_mean_of_all_jobs_of_its_model(imaged):
    here = Path("results/heads/sex/fits")
    assert imaged.fits_of("net", "sex", "json") == [here / "net" / f"repeat-{k}.json" for k in (0, 1)]
    assert imaged.fits_of("svm", "sex", "json") == [here / "svm" / "all.json"]
    every = [path for name in imaged.models("sex") for path in imaged.fits_of(name, "sex", "json")]
    assert imaged.fits("sex", "json") == every
