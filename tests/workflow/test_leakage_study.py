"""The study of wrong and right protocols: its gaps have the direction and about the size that is known for these data.

Bands and not digits: folds, crops and permutations move the scores by some hundredths. Known values: reference runs on the same
files with scikit-learn, said beside each.
"""

import pytest
from small_study import ROOT

from triptych import plugins, tables
from triptych.check import build, with_cohort_columns
from triptych.fitting import fit_folds
from triptych.scoring import contributions
from triptych.study_file import read

STUDY = ROOT / "config" / "studies" / "leakage.yaml"
TABLE = ROOT / "results" / "leakage" / "protocols.tsv"
# task: known score, and the band around it; 0.05, and 0.1 for the 72 heads
KNOWN = {
    "slices-split": (0.95, 0.1),  # 0.979 and 0.950 in two runs
    "slices-people": (0.49, 0.1),  # 0.488, 0.495
    "volumes-scans": (0.813, 0.05),
    "volumes-people": (0.51, 0.05),  # 0.516, 0.505
    "volumes-hospital": (0.465, 0.05),  # 0.467, 0.462
    "quality-mixed": (0.936, 0.05),  # 0.938, 0.934
    "quality-hospital": (0.873, 0.05),  # 0.879, 0.867
    "quality-elsewhere": (0.69, 0.05),  # 0.711, 0.665
    "age-mixed": (5.14, 0.3),
    "age-hospital": (5.55, 0.3),
}
LEAKING = ("slices-split", "volumes-scans")  # permuted labels score as true ones do
BY_SITE = ("quality-mixed", "glioma-mixed")  # permuted within hospitals, labels still tell the hospital
APART = ("slices-people", "volumes-people", "volumes-hospital", "quality-hospital", "glioma-hospital")


@pytest.fixture(scope="module")
def scores(data_root):
    """(task, outcomes): score by the metric of the task's group; of a new site, the mean over sites."""
    study = read(STUDY, overrides={"data_root": str(data_root)})
    whole = {**study.model_dump(mode="json"), "root": str(data_root)}
    metric = {task: group.metric for group in study.protocols.values() for task in group.tasks}
    found = {}
    for task in study.tasks:
        examples, people, _ = build(whole, task)
        validation = study.validation_of(task)
        scheme = plugins.load("splits", validation.split)
        options = plugins.build_options(scheme, validation.options)
        splits = scheme.split(with_cohort_columns(examples, people), options, seed=study.seed)
        for name, model in study.models_of(task).items():
            if model.role == "model" or model.permuted:
                rows = splits[splits["repeat"] == 0] if model.permuted else splits
                one = (study.options_of(name, task), study.blocks_of(name, task), study.seed)
                found[task, "permuted" if model.permuted else "true"] = _score(
                    examples, rows, model, one, metric[task], study.estimand_of(task)
                )
    return found


def _score(examples, splits, model, chosen, metric, estimand):
    options, blocks, seed = chosen
    how = {"task": "t", "name": "m", "use": model.use, "blocks": blocks, "options": options, "times": None}
    more = {"seed": seed, "device": "cpu", "tolerate": False, "permuted": model.permuted}
    predictions, _, _ = fit_folds(examples, splits, **how, **more)
    values = contributions(predictions, None, metric, None, None)[0]
    wanted = values["kind"] == ("site" if estimand == "new-site" else "pooled")
    return values.loc[wanted & values["estimable"].astype(bool), "value"].mean()


@pytest.fixture(scope="module")
def finished():
    """What a run of the study left in this clone."""
    if not TABLE.exists():
        pytest.skip(f"{TABLE.relative_to(ROOT)} is not there: run `make studies`")
    return tables.read(TABLE).set_index(["task", "outcomes"])


def check_values(value):
    for task, (known, band) in KNOWN.items():
        assert value[task, "true"] == pytest.approx(known, abs=band), task
    for task in LEAKING:
        assert value[task, "permuted"] == pytest.approx(value[task, "true"], abs=0.1), task
        assert value[task, "permuted"] > 0.7, task
    for task in BY_SITE:
        assert value[task, "permuted"] > 0.6, task
    for task in APART:
        assert value[task, "permuted"] == pytest.approx(0.5, abs=0.1), task
    for wrong, right in (("slices-split", "slices-people"), ("volumes-scans", "volumes-people")):
        assert value[wrong, "true"] - value[right, "true"] > 0.25
    for mixed, apart in (("quality-mixed", "quality-hospital"), ("glioma-mixed", "glioma-hospital")):
        assert value[mixed, "true"] > value[apart, "true"] + 0.02
        assert value[mixed, "permuted"] > value[apart, "permuted"] + 0.1
    assert value["quality-hospital", "true"] > value["quality-elsewhere", "true"] + 0.05
    assert value["age-hospital", "true"] > value["age-mixed", "true"], "an error: lower is better"
    for task in ("age-mixed", "age-hospital"):
        assert value[task, "permuted"] > value[task, "true"] + 2


@pytest.mark.slow
def test_the_gaps_are_the_known_ones(scores):
    check_values(scores)


def test_the_gaps_of_a_finished_run_are_the_known_ones(finished):
    check_values(finished["value"])


def test_a_finished_run_has_intervals_and_says_what_leaks(finished):
    assert finished["estimable"].all()
    assert (finished["low"] < finished["value"]).all()
    assert (finished["value"] < finished["high"]).all()
    assert set(finished.index[finished["leaks"]].get_level_values("task")) == set(LEAKING)
    apart = finished["apart"].to_dict()
    assert {task for (task, _), kept in apart.items() if kept == "nothing"} == set(LEAKING)
    assert {apart[task, "true"] for task in ("volumes-hospital", "quality-elsewhere", "age-hospital")} == {"sites"}
    assert {apart[task, "true"] for task in ("slices-people", "quality-mixed", "glioma-mixed")} == {"people"}
    right = finished[~finished["leaks"]]
    assert (right.loc[(["slices-people", "volumes-people"], "permuted"), "low"] < 0.5).all()
    assert (right.loc[(["slices-people", "volumes-people"], "permuted"), "high"] > 0.5).all()
    assert (finished.loc[(list(LEAKING), "permuted"), "low"] > 0.5).all()
