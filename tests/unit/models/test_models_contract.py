"""What every model promises, whichever it is: a new file in models/ is tested here without a line added."""

import dataclasses
import typing

import numpy as np
import pandas as pd
import pytest

from triptych import plugins
from triptych.errors import DataError
from triptych.models._inputs import fit_encoder, inner_folds
from triptych.survival.concordance import harrell
from triptych.tables import Examples

MODELS = plugins.names("models")
LEARNERS = [name for name in MODELS if plugins.describe("models", name)["NEEDS"]]
EXACT = ["cox", "coxnet", "kaplan_meier"]  # no random numbers and no gradient steps: the order of rows is nothing
QUICK = {  # smaller than the defaults, so that all of this takes seconds
    "random_survival_forest": {"trees": 25, "min_leaf": 5},
    "deepsurv": {"hidden": (8,), "epochs": 60, "learning_rate": 0.02, "dropout": 0.1},
    "coxnet": {"penalties": 15},
}
BLOCKS = {"clinical": ["age", "grade", "flat"], "genes": ["g1", "g2", "g3"]}
TIMES = np.array([0.5, 1.0, 2.5, 5.0, 8.0, 50.0])


def cohort(n=80, seed=0, effect=1.5):
    """A category, missing values, a constant column, ties in time; ``g1`` makes events come early."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "cohort": "sim",
            "participant_id": [f"s{seed}-{k:03d}" for k in range(n)],
            "session_id": "ses-1",
            "age": random.normal(60, 10, n),
            "grade": random.choice(["low", "mid", "high"], n),
            "flat": 3.0,
            **{f"g{k}": random.normal(size=n) for k in (1, 2, 3)},
        }
    )
    hidden, censored = random.exponential(6 * np.exp(-effect * table["g1"])), random.uniform(1, 12, n)
    table["time"] = np.ceil(np.minimum(hidden, censored) * 2) / 2
    table["event"] = hidden <= censored
    table.loc[random.random(n) < 0.15, "age"] = np.nan
    table.loc[random.random(n) < 0.10, "grade"] = None
    return Examples(table, BLOCKS)


def fit(name, train, seed=1, blocks=("clinical", "genes"), **options):
    module = plugins.load("models", name)
    chosen = module.Options(**(QUICK.get(name, {}) | options))
    return module.fit(train, chosen, blocks=list(blocks), seed=seed, device="cpu")


@pytest.fixture(scope="module")
def train():
    return cohort(seed=0)


@pytest.fixture(scope="module")
def test():
    return cohort(n=60, seed=9)


@pytest.fixture(scope="module", params=MODELS)
def fitted(request, train):
    return request.param, fit(request.param, train)


def changed(examples, **columns):
    return Examples(examples.table.assign(**columns), examples.blocks)


# ---- the contract --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_literals_and_options(name):
    module = plugins.load("models", name)
    kinds = {"survival", "classification", "regression", "segmentation"}
    for said in (module.TASKS, module.NEEDS):
        assert isinstance(said, tuple)
    assert module.TASKS
    assert set(module.TASKS) <= kinds
    assert plugins.describe("models", name)["TASKS"] == module.TASKS  # readable without an import
    assert dataclasses.is_dataclass(module.Options)
    assert module.Options.__dataclass_params__.frozen
    assert module.Options() == module.Options()  # every option has a default
    known = plugins.describe("models", name).options
    assert set(known) == {field.name for field in dataclasses.fields(module.Options)}
    plugins.check_options("models", name, {key: option.default for key, option in known.items()}, "here")
    assert typing.get_type_hints(module.fit)["options"] is module.Options


def test_risk_and_curves(fitted, train, test):
    name, model = fitted
    predicted = model.predict(test, TIMES)
    assert list(predicted.columns) == ["risk", *(str(float(t)) for t in TIMES)]
    assert predicted.index.equals(test.table.index)
    assert np.isfinite(predicted["risk"]).all()
    curves = predicted.drop(columns="risk").to_numpy()
    assert ((curves >= 0) & (curves <= 1)).all()
    assert (np.diff(curves, axis=1) <= 1e-12).all()
    assert list(model.predict(test).columns) == ["risk"]
    assert model.seen == train.fingerprint()
    # whoever is at a higher risk has the lower curve
    order = np.argsort(predicted["risk"].to_numpy())
    assert curves[order[0], 2] >= curves[order[-1], 2]
    assert (curves[order[0], 2] > curves[order[-1], 2]) == (name != "kaplan_meier")


def test_the_same_seed_gives_the_same_predictions(fitted, train, test):
    name, model = fitted
    again = fit(name, train).predict(test, TIMES)
    pd.testing.assert_frame_equal(model.predict(test, TIMES), again, check_exact=True)


@pytest.mark.parametrize("name", ["deepsurv", "random_survival_forest"])
def test_another_seed_gives_others(name, train, test):
    assert not np.allclose(
        fit(name, train, seed=1).predict(test)["risk"], fit(name, train, seed=2).predict(test)["risk"]
    )


def test_a_row_is_predicted_on_its_own(fitted, test):
    _, model = fitted
    together = model.predict(test, TIMES)
    backwards = model.predict(test.take(np.arange(len(test))[::-1]), TIMES)
    np.testing.assert_allclose(together.iloc[::-1].to_numpy(), backwards.to_numpy(), rtol=1e-9, atol=1e-12)
    for row in (0, 7, 31):
        alone = model.predict(test.take(np.array([row])), TIMES)
        np.testing.assert_allclose(alone.to_numpy()[0], together.to_numpy()[row], rtol=1e-9, atol=1e-12)
    odd = changed(test, g1=np.where(np.arange(len(test)) < 30, test.table["g1"], 1e3))
    np.testing.assert_array_equal(model.predict(odd, TIMES).to_numpy()[:30], together.to_numpy()[:30])


def test_the_outcome_of_a_tested_row_is_not_looked_at(fitted, test):
    _, model = fitted
    blind = changed(test, time=np.nan, event=False)
    pd.testing.assert_frame_equal(model.predict(test, TIMES), model.predict(blind, TIMES), check_exact=True)


@pytest.mark.parametrize(("name", "options"), [*((name, {}) for name in EXACT), ("cox", {"ridge": (0.1, 1.0, 10.0)})])
def test_the_order_of_the_training_rows_is_nothing(name, options, train, test):
    shuffled = train.take(np.random.default_rng(4).permutation(len(train)))
    a, b = (fit(name, rows, **options).predict(test, TIMES).to_numpy() for rows in (train, shuffled))
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", EXACT)
def test_the_order_of_the_blocks_is_nothing(name, train, test):
    a, b = (fit(name, train, blocks=blocks).predict(test) for blocks in (["clinical", "genes"], ["genes", "clinical"]))
    np.testing.assert_allclose(a, b, atol=2e-3 if name == "coxnet" else 1e-7)  # coordinate descent stops early


@pytest.mark.parametrize("name", LEARNERS)
def test_a_level_never_seen_and_empty_cells(name, train, test):
    model = fit(name, train)
    strange = changed(test, grade="unheard of", age=np.nan, g2=np.nan)
    assert np.isfinite(model.predict(strange, TIMES).to_numpy()).all()
    assert model.notes["dropped"] == {"flat": "constant in training"}


@pytest.mark.parametrize("name", LEARNERS)
def test_only_the_named_blocks_are_seen(name, train, test):
    model = fit(name, train, blocks=["clinical"])
    other = changed(test, g1=0.0, g2=0.0, g3=0.0)
    pd.testing.assert_frame_equal(model.predict(test), model.predict(other), check_exact=True)


@pytest.mark.parametrize("name", MODELS)
def test_a_planted_effect_is_found(name):
    tested = cohort(n=150, seed=21)
    risk = fit(name, cohort(n=160, seed=20)).predict(tested)["risk"]
    c = harrell(tested.time, tested.event, risk.to_numpy()).c
    if name == "kaplan_meier":
        assert c == 0.5
    else:
        assert c > 0.6


# ---- what cannot be fitted -----------------------------------------------------------------------


@pytest.mark.parametrize("name", LEARNERS)
def test_nobody_has_an_event(name, train):
    with pytest.raises(DataError, match=r"event|censored"):
        fit(name, changed(train, event=False))


def test_kaplan_meier_without_events_is_one(train, test):
    curves = fit("kaplan_meier", changed(train, event=False)).predict(test, TIMES).drop(columns="risk")
    assert (curves == 1).all(axis=None)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_one_event(name, where, train, test):
    """A clear refusal or finite predictions; never a traceback from a library."""
    rows = np.argsort(train.time)
    only = rows[{"first": 0, "middle": len(rows) // 2, "last": -1}[where]]
    said, predicted = "", None
    try:
        predicted = fit(name, changed(train, event=np.arange(len(train)) == only)).predict(test, TIMES)
    except DataError as error:
        said = str(error)
    assert "event" in said or np.isfinite(predicted.to_numpy()).all()
    if name in ("cox", "coxnet", "kaplan_meier"):
        assert bool(said) == (name != "kaplan_meier")


@pytest.mark.parametrize("name", LEARNERS)
def test_no_input_is_of_use(name, train):
    empty = changed(train, age=np.nan, grade="mid", g1=1.0, g2=2.0, g3=np.nan)
    with pytest.raises(DataError, match="no usable input among 6 columns"):
        fit(name, empty)


def test_more_columns_than_events_need_a_penalty(train):
    few = train.take(np.flatnonzero(train.event)[:6])
    with pytest.raises(DataError, match=r"6 columns and 6 events; give it a penalty \(`ridge:"):
        fit("cox", few)
    assert np.isfinite(fit("cox", few, ridge=(1.0,)).predict(train)["risk"]).all()


def test_a_separating_column_is_refused_by_name(train):
    """The likelihood has no maximum when one column orders all events."""
    perfect = changed(train, g1=-train.time)
    with pytest.raises(DataError, match=r"the coefficient of column 'g1' grows without end.*`ridge:"):
        fit("cox", perfect)
    assert np.isfinite(fit("cox", perfect, ridge=(1.0,)).predict(train)["risk"]).all()


def test_a_chosen_ridge_is_one_of_those_offered(train):
    offered = (0.5, 5.0, 50.0)
    assert fit("cox", train, ridge=offered).notes["ridge"] in offered
    assert fit("cox", train, ridge=(7.0,)).notes["ridge"] == 7.0
    assert fit("cox", train).notes["ridge"] == 0.0
    weak, strong = (np.std(fit("cox", train, ridge=(r,)).predict(train)["risk"]) for r in (0.1, 1000.0))
    assert strong < 0.2 * weak


def test_members_of_an_ensemble_are_averaged(train, test):
    one, other = (fit("deepsurv", train, seed=seed).predict(test)["risk"] for seed in (5, 6))
    both = fit("deepsurv", train, seed=5, members=2).predict(test)["risk"]
    np.testing.assert_allclose(both, (one + other) / 2, rtol=1e-6, atol=1e-8)


# ---- the coding of tables ------------------------------------------------------------------------


def test_the_encoder_learns_from_training_rows_only(train, test):
    encoder = fit_encoder(train, ["clinical", "genes"])
    by_name = {column.name: column for column in encoder.columns}
    assert by_name["age"].fill == train.table["age"].median()
    assert by_name["grade"].fill == train.table["grade"].mode()[0]
    assert by_name["grade"].levels == ("high", "low", "mid")
    assert encoder.names == ["age", "grade=low", "grade=mid", "g1", "g2", "g3"]
    x = encoder(train)
    assert x.shape == (len(train), len(encoder.names))
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-12)
    shifted = changed(test, g1=test.table["g1"] + 5)
    np.testing.assert_allclose(
        (encoder(shifted) - encoder(test))[:, 3], 5 / train.table["g1"].std(ddof=0), rtol=1e-12
    )  # the scale is that of training
    assert encoder.seen == train.fingerprint() != test.fingerprint()


def test_columns_that_say_nothing_are_dropped_and_named(train):
    mostly = np.where(np.arange(len(train)) % 10 == 0, train.table["g2"], np.nan)
    encoder = fit_encoder(changed(train, g2=mostly), ["clinical", "genes"])
    assert encoder.dropped == {"flat": "constant in training", "g2": "90% missing in training"}
    assert not any(column.name in ("flat", "g2") for column in encoder.columns)


def test_a_level_never_seen_is_the_reference(train):
    encoder = fit_encoder(train, ["clinical"])
    high, unseen = (encoder(changed(train, grade=level)) for level in ("high", "unheard of"))
    np.testing.assert_array_equal(high, unseen)
    empty = encoder(changed(train, grade=None))
    np.testing.assert_array_equal(empty, encoder(changed(train, grade=train.table["grade"].mode()[0])))


def test_inner_folds_keep_people_together_and_spread_events(train):
    table = pd.concat([train.table, train.table.head(30).assign(session_id="ses-2")], ignore_index=True)
    twice = Examples(table, BLOCKS)
    folds = inner_folds(twice, 5, seed=3)
    assert set(folds) == set(range(5))
    np.testing.assert_array_equal(folds[80:], folds[:30])
    events = np.bincount(folds[:80], weights=train.event)
    assert events.max() - events.min() <= 1
    sizes = np.bincount(folds[:80])
    assert sizes.max() - sizes.min() <= 1
    order = np.random.default_rng(0).permutation(len(twice))
    np.testing.assert_array_equal(inner_folds(twice.take(order), 5, seed=3), folds[order])
    assert not np.array_equal(inner_folds(twice, 5, seed=4), folds)
