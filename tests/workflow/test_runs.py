"""The workflow from end to end: what a finished study leaves behind, and how one that cannot be run says so."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from small_study import ROOT, STUDY, clone, environment, people, planned, snakemake, write_study

from triptych.tables import KEY, PERSON, keys_hash

LIGHT_CPU = 4.5  # 3 s on an idle machine
ELSEWHERE = """\
name: elsewhere
title: Two models made elsewhere
question: Is the first model better than the second?
estimand: new-patients
tasks:
  death: {title: Death, outcome: {unit: months}}
models:
  good: {external: Good model, label: Good}
  bad: {external: Bad model, label: Bad}
predictions:
  file: predictions.csv
  columns: {model: method, fold: fold, participant_id: id, risk: risk, time: months, event: censored}
  event_value: 0
statistics:
  metrics: [harrell_c]
  figures: [forest]
"""


# ---- what a finished run leaves behind -----------------------------------------------------------


@pytest.fixture(scope="module")
def results(finished):
    return finished / "results" / "small"


def test_the_page_and_its_provenance(results):
    page = (results / "report.html").read_text()
    for said in (
        "Does a marker add to age?",
        "Both hospitals",
        "One hospital",
        "Harrell&#39;s C",
        "Forest",
        "Kaplan-Meier",
    ):
        assert said in page or said.replace("&#39;", "'") in page
    facts = json.loads((results / "provenance.json").read_text())
    assert facts["seed"] == 11
    assert facts["command"].startswith("snakemake")
    assert "--configfile study.yaml" in facts["command"]
    assert facts["git"]["commit"] == "not a git clone"
    assert facts["versions"]["snakemake"].startswith("9.")


def test_tasks_that_share_a_cohort_are_not_ranked(results):
    table = pd.read_csv(results / "ranks.tsv", sep="\t")
    assert set(table["metric"]) == {"harrell_c", "brier"}
    assert table["reason"].str.contains("share the cohort 'south'").all()
    assert not (results / "figures").exists()  # the study names its figures, and none over tasks


@pytest.mark.parametrize("task", ["both", "south"])
def test_every_table_has_rows(results, task):
    wanted = {
        "flow",
        "exclusion",
        "audit",
        "scores",
        "comparisons",
        "spread",
        "km_by_risk",
        "calibration",
        "decision",
        "components",
        "planning",
        "controls",
    }
    found = {path.stem: pd.read_csv(path, sep="\t") for path in (results / task / "tables").glob("*.tsv")}
    assert set(found) == wanted
    empty = ["planning"] if task == "both" else ["exclusion"]  # it has nulls only; nobody was left out
    assert [name for name, table in found.items() if not len(table)] == empty
    models = ["Kaplan-Meier", "Cox"] + ["Forest"] * (task == "south")
    controls = ["Site only"] + ["Forest, outcomes permuted"] * (task == "south")
    assert sorted(found["scores"]["model"].unique()) == sorted([*models, *controls])
    assert len(found["scores"]) == 2 * len([*models, *controls])
    assert set(found["controls"]["model"].dropna()) == set(controls)
    assert len(found["comparisons"]) == 2 * len(models) * (len(models) - 1) // 2
    cox = found["scores"].query("model == 'Cox' and metric == 'harrell_c'").iloc[0]
    assert cox["low"] < cox["value"] < cox["high"]
    assert cox["value"] > 0.6
    assert set(found["scores"]["time_unit"]) == {"months"}


@pytest.mark.parametrize("task", ["both", "south"])
def test_every_figure_in_every_format(results, task):
    heads = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG", "tsv": b"task\t"}
    for figure in ("forest", "km_by_risk"):
        for kind, head in heads.items():
            assert (results / task / "figures" / f"{figure}.{kind}").read_bytes().startswith(head)


def test_a_broken_row_costs_one_patient_and_is_told(results):
    failures = pd.read_csv(results / "both" / "failures.tsv", sep="\t")
    assert failures["participant_id"].tolist() == ["p07"]
    assert failures["row"].tolist() == [8]  # the line of the file
    assert "negative" in failures["reason"].iloc[0]
    assert "p07" in (results / "report.html").read_text()
    assert "p07" not in set(
        pd.read_parquet(results / "both" / "examples.parquet").query("cohort == 'north'")["participant_id"]
    )


def test_equal_ids_of_two_cohorts_are_two_people(results):
    predictions = pd.read_parquet(results / "both" / "predictions.parquet").query("model == 'cox'")
    assert len(predictions) == 59 + 50
    assert predictions["participant_id"].nunique() == 60
    assert not predictions.duplicated(PERSON).any()
    influence = pd.read_parquet(results / "both" / "scores" / "harrell_c.influence.parquet")
    assert (influence.groupby("model").size() == 109).all()
    scores = pd.read_csv(results / "both" / "tables" / "scores.tsv", sep="\t")
    assert set(scores["n_units"].dropna()) == {109}


def test_nobody_is_judged_by_a_model_that_saw_them(results):
    for task in ("both", "south"):
        splits = pd.read_parquet(results / task / "splits.parquet")
        fits = json.loads((results / task / "fits.json").read_text())
        predictions = pd.read_parquet(results / task / "predictions.parquet")
        assert len(fits) == (6 if task == "both" else 10)
        for fit in fits:
            rows = splits[(splits["repeat"] == fit["repeat"]) & (splits["fold"] == fit["fold"])]
            train, test = (rows[rows["part"] == part] for part in ("train", "test"))
            assert fit["seen"] == keys_hash(train)
            of_fit = predictions[(predictions["model"] == fit["model"]) & (predictions["fold"] == fit["fold"])]
            assert keys_hash(of_fit) == keys_hash(test)
            assert not set(map(tuple, train[KEY].to_numpy())) & set(map(tuple, of_fit[KEY].to_numpy()))


def test_lint_has_nothing_to_say(fresh):
    done = snakemake(fresh, "--lint", "--configfile", "study.yaml")
    assert done.rc == 0, done.said[-3000:]


def test_snakemakes_own_report_holds_the_figures(run):
    done = snakemake(run, "--report", "report.zip", "--configfile", "study.yaml")
    assert done.rc == 0, done.said[-3000:]
    with zipfile.ZipFile(run / "report.zip") as archive:
        names = [name.rpartition("/")[2] for name in archive.namelist()]
        assert sorted(name for name in names if name.endswith(".svg")) == ["forest.svg"] * 2 + ["km_by_risk.svg"] * 2
        assert "report.html" in names


# ---- planning is cheap ---------------------------------------------------------------------------


def test_the_default_study_is_planned_at_once(tmp_path):
    folder = clone(tmp_path / "clone")
    jobs = planned(folder, "--nolock")  # looks at the data, and remembers that it did
    assert jobs["fit"] >= 6  # of six models
    assert jobs["report"] == 1
    done = snakemake(folder, "-n")
    print(f"CPU of planning the default study: {done.cpu:.2f} s")
    assert done.rc == 0
    assert done.cpu < LIGHT_CPU


def test_a_parse_imports_nothing_heavy(finished):
    question = (
        "import sys; from pathlib import Path; sys.path.insert(0, 'src'); from triptych.plan import Plan\n"
        "plan = Plan.of([Path('study.yaml')], {}, Path.cwd()); plan.report_inputs; plan.templates; plan.about('both')\n"
        "plan.roles('both'); plan.pretrained('both'); plan.fits('south', 'json'); plan.contents\n"
        "heavy = 'torch pandas numpy scanpy anndata sksurv sklearn scipy matplotlib numba snakemake'.split()\n"
        "print(Path(sys.modules['triptych'].__file__).resolve(), [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", question], cwd=finished, capture_output=True, text=True, env=environment(), check=True
    )
    assert done.stdout.split() == [str(finished.resolve() / "src" / "triptych" / "__init__.py"), "[]"]


# ---- what cannot be run says why -----------------------------------------------------------------


def refused(folder, *says, words=("-n", "--configfile", "study.yaml"), **more):
    """The run must fail, say all of these words, and show no traceback."""
    done = snakemake(folder, *words, **more)
    assert done.rc != 0
    assert "Traceback" not in done.said, done.said[-3000:]
    for said in ("this study cannot be run", *says) if "-n" in words else says:
        assert said in done.said, done.said[-3000:]


def line_of(text, part):
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("level: 0.95", "levle: 0.95", ["key statistics.levle", "did you mean 'level'?"]),
        ("use: cox,", "use: coxx,", ["key models.cox.use", "'coxx'", "did you mean 'cox"]),
        ("{folds: 2, repeats: 1}", "{fold: 2}", ["key validation.options", "did you mean 'folds'?"]),
        ("{trees: 10}", "{trees: many}", ["key models.forest.options", "'trees'", "must be int, not 'many'"]),
        ("{clinical: [age, stage], markers: [m1, m2]}", "{a: [age, months]}", ["tasks.both.inputs.a", "target leak"]),
        ("table: data/north.csv", "table: data/norht.csv", ["data/norht.csv", "no such file"]),
    ],
)
def test_a_fault_in_the_study_is_one_sentence(fresh, old, new, says):
    text = STUDY.replace(old, new, 1)
    (fresh / "study.yaml").write_text(text)
    place = [] if "table" in old else [f"study.yaml:{line_of(text, new.split(':')[0] if 'levle' in new else new)}, key"]
    refused(fresh, *place, *says)


def test_a_constant_outcome(fresh):
    people(2, 50).assign(months=12.0).to_csv(fresh / "data" / "south.csv", index=False)
    refused(fresh, "task 'south'", "the outcome is constant", "'months' is 12")


def test_rows_that_contradict_each_other(fresh):
    table = people(2, 50)
    table.loc[9, "participant_id"] = "p03"
    table.to_csv(fresh / "data" / "south.csv", index=False)
    refused(fresh, "south.csv", "rows 4 and 11 are both p03", "'months'")


def test_a_missing_data_root(fresh):
    words = ("-n", "--configfile", "config/studies/deepsurv-2018.yaml")
    refused(fresh, "'support_katzman' needs a data root", "TRIPTYCH_DATA", words=words)
    refused(fresh, "the data root /no/such/folder does not exist", words=words, TRIPTYCH_DATA="/no/such/folder")


def test_a_raw_file_with_another_checksum(fresh):
    file = fresh / "raw" / "survival" / "deepsurv" / "metabric_IHC4_clinical_train_test.h5"
    file.parent.mkdir(parents=True)
    file.write_text("another file")
    text = STUDY.replace("  south: {table: data/south.csv}", "  south: {table: data/south.csv}\n  metabric_katzman:")
    (fresh / "study.yaml").write_text(text)
    refused(fresh, file.name, "checksum does not match", "'metabric_katzman'", TRIPTYCH_DATA="raw")


def test_an_outcome_in_disguise_stops_before_any_fit(fresh):
    people(2, 50).assign(m2=lambda t: -t["months"]).to_csv(fresh / "data" / "south.csv", index=False)
    words = ("--configfile", "study.yaml", "--until", "fit")
    refused(fresh, "task 'south': the audit stops the run before any fit", "outcome_in_inputs", "m2 (C ", words=words)
    assert not list(fresh.glob("results/small/south/fits/*/*.parquet"))
    assert len(list(fresh.glob("results/small/both/fits/*/*.parquet"))) == 4  # the other task went on


def test_a_fit_that_fails_for_good_is_named_and_the_rest_goes_on(fresh):
    noise = pd.DataFrame(np.random.default_rng(5).normal(size=(50, 30)), columns=[f"n{k}" for k in range(30)])
    people(2, 50).join(noise).to_csv(fresh / "data" / "south.csv", index=False)
    head, tail = STUDY.split("  south:\n    title")
    (fresh / "study.yaml").write_text(head + "  south:\n    title" + tail.replace("[m1, m2]", '["n*"]'))
    words = ("--configfile", "study.yaml", "--until", "gather")
    refused(
        fresh, "error: model 'cox', task 'south', repeat 1, fold 2: a Cox model without penalty", "ridge", words=words
    )
    results = fresh / "results" / "small"
    assert (results / "both" / "predictions.parquet").exists()
    assert (results / "south" / "fits" / "forest" / "repeat-0.parquet").exists()
    assert not (results / "south" / "predictions.parquet").exists()


# ---- predictions made elsewhere ------------------------------------------------------------------


def predictions():
    """Two models, 120 people, 2 folds; the first ranks them well."""
    random = np.random.default_rng(3)
    months = random.exponential(20, 120).round(1) + 0.1
    table = pd.DataFrame({"id": [f"{k:03d}" for k in range(120)], "fold": np.arange(120) % 2, "months": months})
    table["censored"] = (random.random(120) < 0.3).astype(int)
    good = table.assign(method="Good model", risk=-months + random.normal(0, 4, 120))
    return pd.concat([good, table.assign(method="Bad model", risk=random.normal(size=120))], ignore_index=True)


def test_predictions_from_elsewhere_get_the_same_statistics(tmp_path):
    folder = write_study(clone(tmp_path / "clone"), ELSEWHERE)
    predictions().to_csv(folder / "predictions.csv", index=False)
    done = snakemake(folder, "--configfile", "study.yaml")
    assert done.rc == 0, done.said[-3000:]
    results = folder / "results" / "elsewhere"
    scores = pd.read_csv(results / "death" / "tables" / "scores.tsv", sep="\t").set_index("model")
    assert scores.loc["Good", "value"] > 0.8 > scores.loc["Bad", "value"]
    assert set(scores["n_units"]) == {120}
    pair = pd.read_csv(results / "death" / "tables" / "comparisons.tsv", sep="\t").iloc[0]
    assert pair["difference"] == pytest.approx(scores.loc["Good", "value"] - scores.loc["Bad", "value"])
    assert pair["p"] < 0.01
    assert "Two models made elsewhere" in (results / "report.html").read_text()
    assert planned(folder) == {}

    replaced = predictions().assign(risk=lambda t: t["risk"].round(3))
    replaced.to_csv(folder / "predictions.csv", index=False)
    jobs = planned(folder)
    assert jobs["import_predictions"] == 1
    assert "fit" not in jobs

    with_sum = ELSEWHERE.replace("  file: predictions.csv\n", f"  file: predictions.csv\n  sha256: {'f' * 64}\n")
    (folder / "study.yaml").write_text(with_sum)
    refused(folder, "predictions.csv: checksum does not match the study's", "correct `sha256:`")


def test_these_tests_run_the_clone_that_they_stand_in():
    import triptych

    assert triptych.__file__ == str(ROOT / "src" / "triptych" / "__init__.py")
