"""What every model promises for every kind of outcome that it claims: a new file in models/ is tested without a line added."""

import dataclasses
import typing
from functools import cache

import numpy as np
import pandas as pd
import pytest
from simulated_examples import KINDS, MODELS, OF_IMAGES, PAIRS, changed, cohort, fit
from sklearn.metrics import roc_auc_score

from triptych import plugins
from triptych.errors import DataError
from triptych.survival.concordance import harrell

# Random numbers or gradient steps; of all others the order of rows is nothing.
DRAWN = ["conv5_fc3", "deepsurv", "random_forest", "random_survival_forest", "resnet3d", "vit3d"]
CONSTANT = [(name, kind) for name, kind in PAIRS if not plugins.describe("models", name)["NEEDS"]]
LEARNERS = [pair for pair in PAIRS if pair not in CONSTANT]
OF_TABLES = [pair for pair in LEARNERS if pair[0] not in OF_IMAGES]
EXACT = [(name, kind) for name, kind in PAIRS if name not in DRAWN]
RANKED = {"survival": "risk", "classification": "score", "regression": "predicted"}
TIMES = np.array([0.5, 1.0, 2.5, 5.0, 8.0, 50.0])
BLIND = {
    "survival": {"time": np.nan, "event": False},
    "classification": {"y": np.nan},
    "regression": {"y": np.nan},
}


TRAIN = {kind: cohort(kind, seed=0) for kind in KINDS}
TEST = {kind: cohort(kind, n=60, seed=9) for kind in KINDS}


@cache
def trained(name, kind):
    """A model of the training rows, fitted once."""
    return fit(name, TRAIN[kind])


def each(pairs):
    """The test is made for each of these models and kinds of outcome."""
    return pytest.mark.parametrize(("name", "kind"), pairs, ids=[f"{name}-{kind}" for name, kind in pairs])


def of(kind, pairs=PAIRS):
    return [pair for pair in pairs if pair[1] == kind]


# ---- what is said --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_literals_and_options(name):
    module = plugins.load("models", name)
    for said in (module.TASKS, module.NEEDS):
        assert isinstance(said, tuple)
    assert module.TASKS
    assert set(module.TASKS) <= {*KINDS, "segmentation"}
    assert plugins.describe("models", name)["TASKS"] == module.TASKS  # readable without an import
    assert plugins.describe("models", name)["NEEDS"] == module.NEEDS
    assert dataclasses.is_dataclass(module.Options)
    assert module.Options.__dataclass_params__.frozen
    assert module.Options() == module.Options()  # every option has a default
    known = plugins.describe("models", name).options
    assert set(known) == {field.name for field in dataclasses.fields(module.Options)}
    plugins.check_options("models", name, {key: option.default for key, option in known.items()}, "here")
    assert typing.get_type_hints(module.fit)["options"] is module.Options


# ---- what is predicted ---------------------------------------------------------------------------


@each(of("survival"))
def test_risk_and_curves(name, kind):
    model, test = trained(name, kind), TEST[kind]
    predicted = model.predict(test, TIMES)
    columns = [str(float(t)) for t in TIMES]
    assert list(predicted.columns) in (["risk"], ["risk", *columns])  # curves are optional
    assert list(model.predict(test).columns) == ["risk"]
    curves = predicted.drop(columns="risk").to_numpy()
    if not curves.size:
        return
    assert ((curves >= 0) & (curves <= 1)).all()
    assert (np.diff(curves, axis=1) <= 1e-12).all()
    # whoever is at a higher risk has the lower curve
    order = np.argsort(predicted["risk"].to_numpy())
    assert curves[order[0], 2] >= curves[order[-1], 2]
    assert (curves[order[0], 2] > curves[order[-1], 2]) == ((name, kind) not in CONSTANT)


@each(of("classification"))
def test_score_class_and_probability(name, kind):
    predicted = trained(name, kind).predict(TEST[kind])
    assert list(predicted.columns) in (["score", "predicted"], ["score", "predicted", "p"])
    assert set(predicted["predicted"]) <= {0, 1}
    score, told = predicted["score"].to_numpy(), predicted["predicted"].to_numpy()
    if len(set(told)) == 2:
        assert score[told == 1].min() > score[told == 0].max()  # the class follows from the score
    if "p" in predicted:
        assert predicted["p"].between(0, 1).all()
        assert (np.diff(predicted["p"].to_numpy()[np.argsort(score)]) >= 0).all()  # and so does the probability


@each(of("regression"))
def test_a_number(name, kind):
    predicted = trained(name, kind).predict(TEST[kind])
    assert list(predicted.columns) == ["predicted"]
    low, high = TRAIN[kind].y.min(), TRAIN[kind].y.max()
    assert predicted["predicted"].between(low - 20, high + 20).all()  # in the unit of the outcome


@each(PAIRS)
def test_every_row_has_a_finite_prediction_under_its_own_index(name, kind):
    model = trained(name, kind)
    for times in (None, TIMES):
        predicted = model.predict(TEST[kind], times)
        assert predicted.index.equals(TEST[kind].table.index)
        assert np.isfinite(predicted.to_numpy()).all()
    assert model.seen == TRAIN[kind].fingerprint()


@each(PAIRS)
def test_the_same_seed_gives_the_same_predictions(name, kind):
    model = trained(name, kind)
    again = fit(name, TRAIN[kind]).predict(TEST[kind], TIMES)
    pd.testing.assert_frame_equal(model.predict(TEST[kind], TIMES), again, check_exact=True)


@each([pair for pair in PAIRS if pair[0] in DRAWN])
def test_another_seed_gives_others(name, kind):
    one, other = (fit(name, TRAIN[kind], seed=seed).predict(TEST[kind])[RANKED[kind]] for seed in (1, 2))
    assert not np.allclose(one, other)


@each(PAIRS)
def test_a_row_is_predicted_on_its_own(name, kind):
    model = trained(name, kind)
    test = TEST[kind]
    together = model.predict(test, TIMES)
    backwards = model.predict(test.take(np.arange(len(test))[::-1]), TIMES)
    np.testing.assert_allclose(together.iloc[::-1].to_numpy(), backwards.to_numpy(), rtol=1e-9, atol=1e-12)
    for row in (0, 7, 31):
        alone = model.predict(test.take(np.array([row])), TIMES)
        np.testing.assert_allclose(alone.to_numpy()[0], together.to_numpy()[row], rtol=1e-9, atol=1e-12)
    odd = changed(test, g1=np.where(np.arange(len(test)) < 30, test.table["g1"], 1e3))
    np.testing.assert_array_equal(model.predict(odd, TIMES).to_numpy()[:30], together.to_numpy()[:30])


@each(PAIRS)
def test_the_outcome_of_a_tested_row_is_not_looked_at(name, kind):
    model = trained(name, kind)
    blind = changed(TEST[kind], **BLIND[kind])
    pd.testing.assert_frame_equal(model.predict(TEST[kind], TIMES), model.predict(blind, TIMES), check_exact=True)


# ---- what is learned -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [*((name, kind, {}) for name, kind in EXACT), ("cox", "survival", {"ridge": (0.1, 1.0, 10.0)})],
)
def test_the_order_of_the_training_rows_is_nothing(name, kind, options):
    train = TRAIN[kind]
    shuffled = train.take(np.random.default_rng(4).permutation(len(train)))
    a, b = (fit(name, rows, **options).predict(TEST[kind], TIMES).to_numpy() for rows in (train, shuffled))
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


@each([pair for pair in EXACT if pair[0] not in OF_IMAGES])
def test_the_order_of_the_blocks_is_nothing(name, kind):
    orders = (["clinical", "genes"], ["genes", "clinical"])
    a, b = (fit(name, TRAIN[kind], blocks=blocks).predict(TEST[kind]) for blocks in orders)
    np.testing.assert_allclose(a, b, atol=2e-3 if name == "coxnet" else 1e-6)  # coordinate descent stops early


@each(OF_TABLES)
def test_a_level_never_seen_and_empty_cells(name, kind):
    model = fit(name, TRAIN[kind])
    strange = changed(TEST[kind], grade="unheard of", age=np.nan, g2=np.nan)
    assert np.isfinite(model.predict(strange, TIMES).to_numpy()).all()
    assert model.notes["dropped"] == {"flat": "constant in training"}


@each(LEARNERS)
def test_only_the_named_blocks_are_seen(name, kind):
    model, before = fit(name, TRAIN[kind], blocks=["genes"]), TEST[kind]
    other = changed(before, age=0.0, grade="low", flat=np.nan)
    pd.testing.assert_frame_equal(model.predict(before), model.predict(other), check_exact=True)
    assert model.predict(changed(before, g1=3.0)).ne(model.predict(before)).any(axis=None)


def skill(test, predicted):
    """Area under the ROC curve, C, or the share of pairs of numbers in the right order: 0.5 without skill."""
    if test.kind == "survival":
        return harrell(test.time, test.event, predicted["risk"].to_numpy()).c
    if test.kind == "classification":
        return roc_auc_score(test.y, predicted["score"])
    return harrell(test.y, np.ones(len(test), bool), -predicted["predicted"].to_numpy()).c


@each(PAIRS)
def test_a_planted_effect_is_found(name, kind):
    test = cohort(kind, n=150, seed=21)
    found = skill(test, fit(name, cohort(kind, n=160, seed=20)).predict(test))
    if (name, kind) in CONSTANT:
        assert found == 0.5
    else:
        assert found > 0.6


# ---- what cannot be fitted -----------------------------------------------------------------------


@each(of("survival", LEARNERS))
def test_nobody_has_an_event(name, kind):
    with pytest.raises(DataError, match=r"event|censored"):
        fit(name, changed(TRAIN[kind], event=False))


@each(of("survival"))
@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_one_event(name, kind, where):
    """A clear refusal or finite predictions; never a traceback from a library."""
    train = TRAIN[kind]
    rows = np.argsort(train.time)
    only = rows[{"first": 0, "middle": len(rows) // 2, "last": -1}[where]]
    said, predicted = "", None
    try:
        predicted = fit(name, changed(train, event=np.arange(len(train)) == only)).predict(TEST[kind], TIMES)
    except DataError as error:
        said = str(error)
    assert "event" in said or np.isfinite(predicted.to_numpy()).all()
    if name in ("cox", "coxnet", "kaplan_meier"):
        assert bool(said) == (name != "kaplan_meier")


@each(of("classification"))
@pytest.mark.parametrize("positive", [0, 1, 80])
def test_one_class_or_a_single_row_of_one(name, kind, positive):
    """A clear refusal or finite predictions, also where a choice inside training cannot see both classes."""
    train = TRAIN[kind]
    said, predicted = "", None
    try:
        predicted = fit(name, changed(train, y=(np.arange(len(train)) < positive).astype(int))).predict(TEST[kind])
    except DataError as error:
        said = str(error)
    assert "of 80 training rows are positive; both classes are needed" in said or np.isfinite(predicted).all(axis=None)
    assert not (said and positive == 1)
    if predicted is not None and positive != 1:
        assert set(predicted["predicted"]) == {int(positive > 0)}


@each(of("regression"))
def test_a_constant_number(name, kind):
    predicted = fit(name, changed(TRAIN[kind], y=7.25)).predict(TEST[kind])
    np.testing.assert_allclose(predicted["predicted"], 7.25, rtol=1e-12)


@each(OF_TABLES)
def test_no_input_is_of_use(name, kind):
    empty = changed(TRAIN[kind], age=np.nan, grade="mid", g1=1.0, g2=2.0, g3=np.nan)
    if name == "control":  # what tells nothing is a result there: everyone gets the same
        assert fit(name, empty).predict(TEST[kind], TIMES).nunique().eq(1).all()
        return
    with pytest.raises(DataError, match="no usable input among 6 columns"):
        fit(name, empty)
