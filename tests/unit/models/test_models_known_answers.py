"""Models against closed forms, against scikit-learn, and at the ends of their options."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_examples import BLOCKS, changed, cohort, fit
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from triptych.errors import DataError
from triptych.models import control, dummy
from triptych.models._inputs import fit_encoder, inner_folds
from triptych.models.ridge import _losses, _paths
from triptych.tables import Examples

TIMES = np.array([0.5, 1.0, 2.5, 5.0, 8.0, 50.0])
ALL = ["clinical", "genes"]


@pytest.fixture(scope="module")
def survival():
    return cohort("survival")


@pytest.fixture(scope="module")
def classes():
    return cohort("classification")


@pytest.fixture(scope="module")
def numbers():
    return cohort("regression")


def two_sessions(examples):
    """Every person once more, with other inputs and the same outcome."""
    second = examples.table.assign(session_id="ses-2", g1=examples.table["g1"] + 0.3, g2=0.5 - examples.table["g2"])
    return Examples(pd.concat([examples.table, second], ignore_index=True), BLOCKS, examples.kind)


# ---- Cox -----------------------------------------------------------------------------------------


def test_kaplan_meier_without_events_is_one(survival):
    curves = fit("kaplan_meier", changed(survival, event=False)).predict(survival, TIMES).drop(columns="risk")
    assert (curves == 1).all(axis=None)


def test_more_columns_than_events_need_a_penalty(survival):
    few = survival.take(np.flatnonzero(survival.event)[:6])
    with pytest.raises(DataError, match=r"6 columns and 6 events; give it a penalty \(`ridge:"):
        fit("cox", few)
    assert np.isfinite(fit("cox", few, ridge=(1.0,)).predict(survival)["risk"]).all()


def test_a_separating_column_is_refused_by_name(survival):
    """The likelihood has no maximum when one column orders all events."""
    perfect = changed(survival, g1=-survival.time)
    with pytest.raises(DataError, match=r"the coefficient of column 'g1' grows without end.*`ridge:"):
        fit("cox", perfect)
    assert np.isfinite(fit("cox", perfect, ridge=(1.0,)).predict(survival)["risk"]).all()


def test_members_of_an_ensemble_are_averaged(survival):
    one, other = (fit("deepsurv", survival, seed=seed).predict(survival)["risk"] for seed in (5, 6))
    both = fit("deepsurv", survival, seed=5, members=2).predict(survival)["risk"]
    np.testing.assert_allclose(both, (one + other) / 2, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("name", "kind", "ranked"),
    [("cox", "survival", "risk"), ("logistic", "classification", "score"), ("ridge", "regression", "predicted")],
)
def test_a_chosen_ridge_is_one_of_those_offered_and_a_strong_one_shrinks(name, kind, ranked):
    train = cohort(kind)
    offered = (0.5, 5.0, 50.0)
    assert fit(name, train, ridge=offered).notes["ridge"] in offered
    assert fit(name, train, ridge=(7.0,)).notes["ridge"] == 7.0
    weak, strong = (np.std(fit(name, train, ridge=(r,)).predict(train)[ranked]) for r in (0.1, 1000.0))
    assert strong < 0.2 * weak


def test_cox_without_a_choice_has_no_penalty(survival):
    assert fit("cox", survival).notes["ridge"] == 0.0


# ---- logistic regression -------------------------------------------------------------------------


@pytest.mark.parametrize("ridge", [0.01, 1.0, 100.0])
def test_logistic_at_its_optimum(classes, ridge):
    """The gradient of log loss + ridge/2 |beta|^2 is nothing there; the intercept is free."""
    model = fit("logistic", classes, ridge=(ridge,))
    p = model.predict(classes)["p"].to_numpy()
    x, beta = model.encoder(classes), model.model.coef_[0]
    np.testing.assert_allclose(x.T @ (p - classes.y) + ridge * beta, 0, atol=0.02)
    assert p.mean() == pytest.approx(classes.y.mean(), abs=1e-3)


@pytest.mark.parametrize("balanced", [False, True])
def test_logistic_is_that_of_scikit_learn(classes, balanced):
    x = fit_encoder(classes, ALL)(classes)
    peer = LogisticRegression(C=0.5, class_weight="balanced" if balanced else None, solver="newton-cholesky", tol=1e-10)
    expected = peer.fit(x, classes.y).decision_function(x)
    found = fit("logistic", classes, ridge=(2.0,), balanced=balanced).predict(classes)
    np.testing.assert_allclose(found["score"], expected, atol=2e-3)
    np.testing.assert_allclose(found["p"], 1 / (1 + np.exp(-found["score"])), rtol=1e-12)
    assert (found["predicted"] == (found["p"] > 0.5)).all()


def test_balanced_classes_move_the_cut(classes):
    """With one positive in five, weighing classes alike calls more rows positive."""
    rare = classes.take(np.concatenate([np.flatnonzero(classes.y == 0), np.flatnonzero(classes.y == 1)[:9]]))
    plain, balanced = (fit("logistic", rare, ridge=(1.0,), balanced=b).predict(classes) for b in (False, True))
    assert balanced["predicted"].sum() > plain["predicted"].sum() + 5


def test_a_row_far_away_has_a_probability(classes):
    far = changed(classes, g1=np.where(np.arange(len(classes)) % 2, 1e6, -1e6))
    p = fit("logistic", classes, ridge=(0.1,)).predict(far)["p"]
    assert set(p.round(6)) == {0.0, 1.0}


def test_the_penalty_is_chosen_by_folds_of_people(classes):
    """Two rows of one person never stand on two sides of an inner fold, for any model that chooses."""
    twice = two_sessions(classes)
    folds = inner_folds(twice, 5, seed=1)
    np.testing.assert_array_equal(folds[:80], folds[80:])
    offered = (0.1, 1.0, 10.0, 100.0, 1000.0)
    x, y = fit_encoder(twice, ALL)(twice), twice.y
    loss = {}
    for ridge in offered:
        loss[ridge] = 0.0
        for k in range(5):
            model = LogisticRegression(C=1 / ridge, tol=1e-8, max_iter=5000).fit(x[folds != k], y[folds != k])
            p = model.predict_proba(x[folds == k])[:, 1]
            loss[ridge] -= np.log(np.where(y[folds == k] == 1, p, 1 - p)).sum()
    assert fit("logistic", twice, ridge=offered).notes["ridge"] == min(loss, key=loss.get)


# ---- linear regression ---------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.01, 1e4), st.integers(0, 99))
def test_the_ridge_path_is_the_closed_form(n, p, penalty, seed):
    """(X'X + penalty I)^-1 X'y, also with more columns than rows."""
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(n, p)), random.normal(size=n)
    weight = random.uniform(0.2, 3, n)
    z, root = np.hstack([x, np.ones((n, 1))]), np.sqrt(weight)[:, None]
    z_root, free = z * root, np.diag([*[penalty] * p, 0.0])  # the intercept has no penalty
    expected = np.linalg.solve(z_root.T @ z_root + free, z_root.T @ (y * root[:, 0]))
    beta, intercept = _paths(x, y, weight, (penalty, 3.0))
    np.testing.assert_allclose([*beta[:, 0], intercept[0]], expected, rtol=1e-6, atol=1e-8)


def test_ridge_is_that_of_scikit_learn(numbers):
    x = fit_encoder(numbers, ALL)(numbers)
    expected = Ridge(alpha=3.0).fit(x, numbers.y).predict(x)
    np.testing.assert_allclose(fit("ridge", numbers, ridge=(3.0,)).predict(numbers)["predicted"], expected, rtol=1e-10)


def test_the_loss_of_each_penalty_is_that_of_refitting(numbers):
    offered = (0.1, 10.0, 1000.0)
    x, y, folds = fit_encoder(numbers, ALL)(numbers), numbers.y, inner_folds(numbers, 5, seed=1)
    expected = [
        sum(
            np.square(Ridge(alpha=r).fit(x[folds != k], y[folds != k]).predict(x[folds == k]) - y[folds == k]).sum()
            for k in range(5)
        )
        for r in offered
    ]
    np.testing.assert_allclose(_losses(x, y, np.ones(len(y)), folds, offered), expected, rtol=1e-9)
    assert fit("ridge", numbers, ridge=offered).notes["ridge"] == offered[int(np.argmin(expected))]


def test_ridge_follows_the_unit_of_the_outcome(numbers):
    """Celsius to Fahrenheit: the prediction is converted, nothing else changes."""
    plain = fit("ridge", numbers, ridge=(3.0,)).predict(numbers)["predicted"]
    other = fit("ridge", changed(numbers, y=numbers.y * 1.8 + 32), ridge=(3.0,)).predict(numbers)["predicted"]
    np.testing.assert_allclose(other, plain * 1.8 + 32, rtol=1e-10)


@pytest.mark.parametrize(
    ("name", "kind", "ranked"), [("logistic", "classification", "score"), ("ridge", "regression", "predicted")]
)
def test_who_is_scanned_often_counts_once(name, kind, ranked):
    """Copies of some people's rows change nothing, when people weigh alike and no median or penalty looks at rows."""
    train = cohort(kind)
    train = train.take(train.inputs(ALL).notna().all(axis=1).to_numpy())
    copies = [train.table[k::7].assign(session_id=f"ses-{s}") for k in range(2) for s in range(2, 4 + k)]
    again = Examples(pd.concat([train.table, *copies], ignore_index=True), BLOCKS, kind)
    alone, rows, people = (
        fit(name, made, ridge=(1e-4,), people_alike=alike).predict(train)[ranked]
        for made, alike in ((train, False), (again, False), (again, True))
    )
    np.testing.assert_allclose(people, alone, rtol=1e-3, atol=5e-3)  # L-BFGS stops early
    assert np.abs(rows - alone).mean() > 10 * np.abs(people - alone).mean()


# ---- nearest neighbours --------------------------------------------------------------------------


def test_one_neighbour_remembers_every_training_row(classes, numbers):
    for train in (classes, numbers):
        found = fit("nearest_neighbour", train, k=1).predict(train)["predicted"]
        np.testing.assert_array_equal(found, train.y)


def test_a_copy_in_training_is_found_whatever_its_outcome(numbers):
    """What makes it the model that shows a leak: a second row of a tested person gives the outcome away."""
    train, test = numbers.take(np.arange(40)), numbers.take(np.arange(40, 80))
    copies = test.table.assign(session_id="ses-2")
    leaked = Examples(pd.concat([train.table, copies], ignore_index=True), BLOCKS, "regression")
    honest, leaking = (fit("nearest_neighbour", rows, k=1).predict(test)["predicted"] for rows in (train, leaked))
    np.testing.assert_array_equal(leaking, test.y)
    assert np.abs(honest - test.y).mean() > 3


@pytest.mark.parametrize("k", [1, 4, 79])
def test_neighbours_are_those_of_scikit_learn(classes, numbers, k):
    for train, peer in ((classes, KNeighborsClassifier(k)), (numbers, KNeighborsRegressor(k))):
        test = cohort(train.kind, n=50, seed=3)
        encoder = fit_encoder(train, ALL)
        peer.fit(encoder(train), train.y)
        found = fit("nearest_neighbour", train, k=k).predict(test)
        expected = (
            peer.predict_proba(encoder(test))[:, 1] if train.kind == "classification" else peer.predict(encoder(test))
        )
        np.testing.assert_allclose(found["p" if "p" in found else "predicted"], expected, rtol=1e-12)


def test_all_neighbours_vote_when_there_are_fewer_than_asked_for(numbers):
    few = numbers.take(np.arange(5))
    model = fit("nearest_neighbour", few, k=50)
    np.testing.assert_allclose(model.predict(numbers)["predicted"], few.y.mean(), rtol=1e-12)
    assert model.notes["k"] == 5


@pytest.mark.parametrize("k", [0, -1])
def test_nobody_to_ask(numbers, k):
    with pytest.raises(DataError, match=rf"nearest neighbours: `k:` must be 1 or more, not {k}"):
        fit("nearest_neighbour", numbers, k=k)


# ---- forests -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_forest_is_a_function_of_its_seed(kind):
    train, test = cohort(kind), cohort(kind, seed=4)
    one, again, other = (fit("random_forest", train, seed=s).predict(test) for s in (3, 3, 4))
    pd.testing.assert_frame_equal(one, again, check_exact=True)
    assert not one.equals(other)


def test_a_forest_stays_within_what_it_saw(numbers):
    far = changed(numbers, g1=1e6)
    predicted = fit("random_forest", numbers, trees=10).predict(far)["predicted"]
    assert predicted.between(numbers.y.min(), numbers.y.max()).all()


def test_leaves_as_large_as_the_training_rows_say_the_mean(classes, numbers):
    """No split is allowed then; the mean of bootstrap draws is near that of the rows."""
    for train in (classes, numbers):
        predicted = fit("random_forest", train, trees=200, min_leaf=80).predict(train)
        column = predicted["score" if train.kind == "classification" else "predicted"]
        assert column.nunique() == 1
        assert column.iloc[0] == pytest.approx(train.y.mean(), abs=4 * train.y.std() / np.sqrt(80 * 200))


# ---- without inputs ------------------------------------------------------------------------------


def test_the_dummy_says_what_is_common(classes, numbers):
    share = fit("dummy", classes).predict(classes)
    assert set(share["p"]) == {classes.y.mean()} == set(share["score"])
    assert set(share["predicted"]) == {int(classes.y.mean() > 0.5)}
    assert set(fit("dummy", numbers).predict(numbers)["predicted"]) == {np.median(numbers.y)}
    assert set(fit("dummy", numbers, center="mean").predict(numbers)["predicted"]) == {numbers.y.mean()}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=3, max_size=12), st.floats(-60, 60))
def test_no_constant_has_a_smaller_error(values, other):
    """The median has the least absolute error, the mean the least squared one."""
    values = [*values, values[0] + 1]
    table = cohort("regression", n=len(values)).table.assign(y=np.array(values, float))
    train = Examples(table, BLOCKS, "regression")
    options = {center: dummy.Options(center=center) for center in ("median", "mean")}
    said = {c: dummy.fit(train, o, blocks=[], seed=0, device="cpu").value for c, o in options.items()}
    assert np.abs(train.y - said["median"]).sum() <= np.abs(train.y - other).sum() + 1e-9
    assert np.square(train.y - said["mean"]).sum() <= np.square(train.y - other).sum() + 1e-9


# ---- the model of negative controls --------------------------------------------------------------


def of_sites(kind, sites, n=80):
    """The only input is the site."""
    examples = cohort(kind, n=n)
    table = examples.table.assign(site=[sites[k % len(sites)] for k in range(n)])
    return Examples(table, {"control-site": ["site"]}, kind)


@pytest.mark.parametrize(
    ("kind", "null"), [("survival", "kaplan_meier"), ("classification", "dummy"), ("regression", "dummy")]
)
def test_one_site_tells_nothing_and_everyone_gets_the_same(kind, null):
    train = of_sites(kind, ["h1"])
    predicted = fit("control", train, blocks=["control-site"]).predict(train, TIMES)
    assert predicted.nunique().eq(1).all()
    pd.testing.assert_frame_equal(predicted, fit(null, train, blocks=[]).predict(train, TIMES), check_exact=True)


@pytest.mark.parametrize("kind", ["survival", "classification", "regression"])
def test_two_sites_that_differ_are_told_apart(kind):
    train = of_sites(kind, ["h1", "h2"])
    second = (train.table["site"] == "h2").to_numpy()
    told = {
        "survival": {
            "event": second | (np.arange(80) % 8 == 0),
            "time": np.where(second, 1.0, 9.0) + np.arange(80) / 80,
        },
        "classification": {"y": np.where(np.arange(80) % 10 < 2, 1 - second, second).astype(int)},
        "regression": {"y": second * 10.0 + np.arange(80) / 80},
    }[kind]
    train = Examples(train.table.assign(**told), train.blocks, kind)
    ranked = {"survival": "risk", "classification": "score", "regression": "predicted"}[kind]
    predicted = fit("control", train, blocks=["control-site"]).predict(train)[ranked]
    assert predicted.nunique() == 2
    assert predicted[second].min() > predicted[~second].max()


@pytest.mark.parametrize("kind", ["survival", "classification", "regression"])
def test_a_control_is_the_linear_model_of_its_kind(kind):
    train = cohort(kind)
    learner, _ = control.LEARNERS[kind]
    name = learner.__name__.rpartition(".")[2]
    ridge = control.Options().ridge
    one, other = fit("control", train), fit(name, train, ridge=ridge)
    pd.testing.assert_frame_equal(one.predict(train), other.predict(train), check_exact=True)


def test_a_site_that_training_never_saw_is_predicted(classes):
    model = fit("control", of_sites("classification", ["h1", "h2"]), blocks=["control-site"])
    assert np.isfinite(model.predict(of_sites("classification", ["h9", None]))).all(axis=None)


def test_deepsurv_in_batches(survival):
    """A batch of all rows is all rows; smaller ones take more steps in an epoch, and learn what is to be learned."""
    whole, same, some = (fit("deepsurv", survival, batch=n).predict(survival)["risk"] for n in (0, 10_000, 16))
    np.testing.assert_array_equal(whole, same)
    assert not np.allclose(whole, some)
    assert np.corrcoef(some, survival.table["g1"])[0, 1] > 0.5
