"""Survival, classes and numbers in one study of several scans a person, with people left out and negative controls: run once."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from small_study import clone, planned, replace, snakemake, write_study

from triptych.tables import KEY, PERSON, keys_hash

pytestmark = pytest.mark.slow

TASKS = ("death", "dementia", "score")
STUDY = """\
name: kinds
title: Does a marker tell three things?
question: Do models that read a marker do better than chance, whatever they are asked?
estimand: new-patients
cohorts:
  clinic: {table: data/clinic.csv}
tasks:
  death:
    title: Death
    cohorts: [clinic]
    outcome: {time: months, event: died, unit: months}
    inputs: {marker: [m1, m2]}
  dementia:
    title: Dementia
    kind: classification
    cohorts: [clinic]
    outcome: {label: diagnosis, positive: AD}
    inputs: {marker: [m1, m2]}
    exclude: {diagnosis: [MCI], protocol: [pilot]}
    roles: {acquisition: [scanner]}
  score:
    title: Score
    kind: regression
    cohorts: [clinic]
    outcome: {value: points, unit: points}
    inputs: {marker: [m1, m2]}
    validation: {split: row_kfold, options: {folds: 5, repeats: 1}, wrong_on_purpose: true}
models:
  chance: {use: dummy, label: Chance, role: "null", tasks: [dementia, score]}
  cox: {use: cox, label: Cox, tasks: [death]}
  logistic: {use: logistic, label: Logistic, options: {ridge: [1, 100]}, tasks: [dementia]}
  ridge: {use: ridge, label: Ridge, options: {ridge: [1, 100]}, tasks: [score]}
  neighbour: {use: nearest_neighbour, label: Nearest neighbour, tasks: [score]}
validation:
  split: repeated_kfold
  options: {folds: 2, repeats: 2}
statistics:
  metrics: [harrell_c, auc, sensitivity, brier_class, mae, r2]
  figures: [forest]
controls: [permuted, site, acquisition]
job: model
seed: 5
"""


def clinic(n=60, seed=8):
    """Two scans of each of ``n`` people whose marker tells when they die, whether they are demented, and a score."""
    random = np.random.default_rng(seed)
    truth, trait = random.normal(size=(2, n))  # the trait of a person tells nothing but who it is
    hidden, censored = random.exponential(20 * np.exp(-1.2 * truth)), random.uniform(10, 60, n)
    who = pd.DataFrame(
        {
            "participant_id": [f"c{k:02d}" for k in range(n)],
            "site": random.choice(["h1", "h2"], n),
            "months": np.minimum(hidden, censored).round(1) + 0.1,
            "died": (hidden <= censored).astype(int),
            "diagnosis": np.where(truth + random.normal(0, 0.7, n) > 0, "AD", "CN"),
            "points": (25 + 3 * truth + random.normal(0, 2, n)).round(1),
            "protocol": np.where(np.arange(n) < 4, "pilot", "main"),
        }
    )
    who.loc[[10, 20, 30], "diagnosis"] = "MCI"
    who.loc[15, "points"] = np.nan
    scans = [
        who.assign(
            session_id=f"s{k}",
            scanner=random.choice(["a", "b", "c"], n),
            m1=(truth + random.normal(0, 0.01, n)).round(4),
            m2=(trait + random.normal(0, 0.01, n)).round(4),
        )
        for k in (1, 2)
    ]
    return pd.concat(scans, ignore_index=True).sort_values(["participant_id", "session_id"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The study after one run."""
    made = write_study(clone(tmp_path_factory.mktemp("kinds") / "clone"), STUDY, clinic=clinic())
    done = snakemake(made, "--configfile", "study.yaml")
    assert done.rc == 0, done.said[-5000:]
    return made


@pytest.fixture(scope="module")
def results(folder):
    return folder / "results" / "kinds"


def table(results, task, name):
    return pd.read_csv(results / task / "tables" / f"{name}.tsv", sep="\t")


def test_each_task_is_scored_by_metrics_of_its_kind(results):
    found = {task: set(table(results, task, "scores")["metric"]) for task in TASKS}
    assert found == {
        "death": {"harrell_c"},
        "dementia": {"auc", "sensitivity", "brier_class"},
        "score": {"mae", "r2"},
    }
    for task, metric, model, least in (
        ("death", "harrell_c", "Cox", 0.6),
        ("dementia", "auc", "Logistic", 0.7),
        ("score", "r2", "Ridge", 0.3),
    ):
        row = table(results, task, "scores").set_index(["metric", "model"]).loc[metric, model]
        assert row["low"] < row["value"] < row["high"]
        assert row["value"] > least
    chance = table(results, "dementia", "scores").query("metric == 'auc' and model == 'Chance'").iloc[0]
    assert chance["value"] == 0.5


def test_two_scans_of_a_person_count_as_one(results):
    assert set(table(results, "death", "scores")["n_units"].dropna()) == {60}
    assert set(table(results, "score", "scores")["n_units"].dropna()) == {59}  # one has no score
    splits = pd.read_parquet(results / "death" / "splits.parquet")
    assert (splits.groupby(["repeat", "fold", *PERSON])["part"].nunique() == 1).all()
    predictions = pd.read_parquet(results / "death" / "predictions.parquet").query("model == 'cox' and repeat == 0")
    assert len(predictions) == 120


def test_who_was_left_out_is_counted_and_kept(results):
    flow = table(results, "dementia", "flow").set_index("reason")["n_patients"]
    assert flow["left out by rule: diagnosis is MCI"] == 3
    out = table(results, "dementia", "exclusion").set_index(["by", "group"])
    assert out.loc[("all", "everyone"), ["people", "left_out", "rule"]].tolist() == [60, 7, 7]
    assert out.loc["site", "people"].sum() == 60
    assert "Who was left out, by class and by site" in (results / "report.html").read_text()
    assert flow["left out by rule: protocol is pilot"] == 4
    assert flow["with outcome"] == 53
    gone = pd.read_parquet(results / "dementia" / "excluded.parquet")
    assert len(gone) == 2 * 7
    assert gone.groupby("reason")["participant_id"].nunique().to_dict() == {
        "diagnosis is MCI": 3,
        "protocol is pilot": 4,
    }
    assert {"site", "diagnosis", "scanner", "m1"} <= set(gone)
    assert len(pd.read_parquet(results / "death" / "excluded.parquet")) == 0


def test_negative_controls_are_fitted_scored_and_no_part_of_the_comparisons(results):
    names = {"death": "Cox", "dementia": "Logistic", "score": "Ridge"}
    for task, model in names.items():
        controls = table(results, task, "controls")
        wanted = {f"{model}, outcomes permuted", "Site only"}
        assert wanted <= set(controls["model"])
        assert ("Acquisition only" in set(controls["model"])) == (task == "dementia")
        pairs = table(results, task, "comparisons")
        if task == "death":
            assert not len(pairs), "one model has nothing to be compared with"
        else:
            assert {*pairs["model_a"], *pairs["model_b"]} >= {"Chance", model}
            assert not set(controls["model"]) & {*pairs["model_a"], *pairs["model_b"]}
        predictions = pd.read_parquet(results / task / "predictions.parquet")
        assert predictions.groupby("model")["repeat"].nunique()[f"permuted-{model.lower()}"] == 1


def test_a_permuted_model_learned_from_other_outcomes_and_finds_nothing(results):
    predictions = pd.read_parquet(results / "dementia" / "predictions.parquet").query("repeat == 0")
    told = predictions.query("model == 'logistic'").set_index(KEY)["y"].sort_index()
    again = predictions.query("model == 'permuted-logistic'").set_index(KEY)["y"].sort_index()
    assert (told != again).mean() > 0.2
    assert told.sum() == again.sum()
    assert (again.groupby(level=["cohort", "participant_id"]).nunique() == 1).all()
    scores = pd.read_csv(results / "dementia" / "scores" / "auc.values.tsv", sep="\t").query("kind == 'pooled'")
    auc = scores.set_index("model")["value"]
    assert auc["logistic"] - 0.5 > 2 * abs(auc["permuted-logistic"] - 0.5)


def test_a_split_that_leaks_on_purpose_says_so_and_flatters(results):
    audit = table(results, "score", "audit")
    torn = audit[(audit["check"] == "person_on_two_sides") & (audit["severity"] == "warn")]
    assert len(torn)
    assert "wrong_on_purpose" in " ".join(torn["message"])
    for task in ("death", "dementia"):
        honest = table(results, task, "audit")
        assert set(honest.loc[honest["check"] == "person_on_two_sides", "severity"]) == {"pass"}
    r2 = table(results, "score", "scores").query("metric == 'r2'").set_index("model")["value"]
    assert abs(r2["Ridge, outcomes permuted"]) < 0.3
    assert r2["Nearest neighbour, outcomes permuted"] > 0.3, "it finds the other scan of the person: the control tells"


def test_nobody_is_judged_by_a_model_that_saw_them(results):
    for task in TASKS:
        splits = pd.read_parquet(results / task / "splits.parquet")
        train = splits[splits["part"] == "train"]
        seen = {where: keys_hash(rows) for where, rows in train.groupby(["repeat", "fold"])}
        fits = json.loads((results / task / "fits.json").read_text())
        assert {fit["model"] for fit in fits} >= {"control-site"}
        assert all(fit["seen"] == seen[fit["repeat"], fit["fold"]] for fit in fits)


def test_the_page_names_every_task_and_control(results):
    page = (results / "report.html").read_text()
    for said in (
        "Death",
        "Dementia",
        "Score",
        "Site only",
        "outcomes permuted",
        "Nearest neighbour",
        "protocol is pilot",
    ):
        assert said in page


def test_nothing_changed_nothing_runs(folder):
    assert planned(folder) == {}


@pytest.mark.parametrize(
    ("file", "old", "new", "fits"),
    [
        # a control is made of the model of the kind: it is fitted again with it, in each task that has it
        ("models/logistic.py", "max_iter=2000", "max_iter=2001", {"dementia": 4, "death": 1, "score": 1}),
        ("models/nearest_neighbour.py", '"sqeuclidean"', '"euclidean"', {"score": 2}),
        ("metrics/r2.py", "ratio = error.sum()", "ratio = 1.0 * error.sum()", {}),
    ],
)
def test_what_an_edit_runs_again(folder, tmp_path, file, old, new, fits):
    run = shutil.copytree(folder, tmp_path / "clone")
    replace(run / "src" / "triptych" / file, old, new)
    jobs = planned(run)
    assert jobs.get("fit", 0) == sum(fits.values())
    assert jobs.get("gather", 0) == len(fits)
    assert "split" not in jobs
    assert jobs["report"] == 1
