"""Linear support vector machines: those of scikit-learn, and a cost that is chosen inside training."""

import numpy as np
import pytest
from simulated_examples import KINDS, changed, cohort, dense, fit, ranked
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC, SVR

from triptych.errors import DataError
from triptych.models import linear_svm
from triptych.models._inputs import fit_encoder, inner_folds
from triptych.models._svm import fit_dual

TRAIN = {kind: cohort(kind, n=60, seed=0) for kind in KINDS[1:]}
TEST = {kind: cohort(kind, n=40, seed=9) for kind in KINDS[1:]}


@pytest.mark.parametrize("kind", KINDS[1:])
def test_voxel_svm_is_that_of_scikit_learn(kind):
    """On voxels that are filled, scaled by training rows, with the kernel in units of its mean diagonal."""
    train, test = TRAIN[kind].in_order(), TEST[kind]
    x, new = dense(train), dense(test)
    mask = ((x != 0).mean(axis=0) >= 0.5) & (x.std(axis=0) > 0)
    scaled, other = ((values[:, mask] - x[:, mask].mean(axis=0)) / x[:, mask].std(axis=0) for values in (x, new))
    scale = np.sqrt((scaled**2).sum(axis=1).mean())
    fitted = fit("voxel_svm", train, cost=(0.1,))
    assert fitted.notes == {"cost": 0.1, "voxels": int(mask.sum())}
    if kind == "classification":
        expected = SVC(C=0.1, kernel="linear", tol=1e-9).fit(scaled / scale, train.y).decision_function(other / scale)
    else:
        y = (train.y - train.y.mean()) / train.y.std()
        found = SVR(C=0.1, kernel="linear", tol=1e-9).fit(scaled / scale, y).predict(other / scale)
        expected = train.y.mean() + train.y.std() * found
    np.testing.assert_allclose(ranked(fitted.predict(test)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_linear_svm_is_that_of_scikit_learn(kind):
    train, test = TRAIN[kind].in_order(), TEST[kind]
    fitted = fit("linear_svm", train, cost=(1,))
    x, new = fitted.encoder(train), fitted.encoder(test)
    scale = np.sqrt((x**2).sum(axis=1).mean())
    if kind == "classification":
        expected = SVC(kernel="linear", tol=1e-9).fit(x / scale, train.y).decision_function(new / scale)
    else:
        y = (train.y - train.y.mean()) / train.y.std()
        expected = train.y.mean() + train.y.std() * SVR(kernel="linear", tol=1e-9).fit(x / scale, y).predict(
            new / scale
        )
    np.testing.assert_allclose(ranked(fitted.predict(test)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_cost_is_the_best_of_refits_over_folds(kind):
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 30))
    y = (
        (x[:, 0] + random.normal(size=60) > 0).astype(float)
        if kind == "classification"
        else x[:, 0] + random.normal(size=60)
    )
    fold, costs, gram, skill = np.arange(60) % 4, (0.01, 1, 100), x @ x.T, {}
    scaled, z = gram / (np.trace(gram) / 60), y if kind == "classification" else (y - y.mean()) / y.std()
    for cost in costs:
        parts = []
        for k in range(4):
            a, b = fold != k, fold == k
            if kind == "classification":
                model = SVC(C=cost, kernel="precomputed").fit(scaled[np.ix_(a, a)], z[a])
                parts.append(roc_auc_score(z[b], model.decision_function(scaled[np.ix_(b, a)])))
            else:
                model = SVR(C=cost, kernel="precomputed").fit(scaled[np.ix_(a, a)], z[a])
                parts.append(-np.mean((model.predict(scaled[np.ix_(b, a)]) - z[b]) ** 2))
        skill[cost] = np.mean(parts)
    found = fit_dual(gram, y, fold, kind=kind, costs=costs, balanced=False)
    assert found.cost == max(skill, key=skill.get)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_two_rows_of_half_the_weight_are_one(kind):
    random = np.random.default_rng(0)
    x = random.normal(size=(40, 5))
    y = x[:, 0] + random.normal(size=40)
    y = (y > 0).astype(float) if kind == "classification" else y
    twice, costs = np.repeat(np.arange(40), 2), (0.3,)
    one = fit_dual(x @ x.T, y, np.zeros(40), kind=kind, costs=costs, balanced=False)
    other = fit_dual(
        x[twice] @ x[twice].T, y[twice], twice * 0, kind=kind, costs=costs, balanced=False, weight=np.full(80, 0.5)
    )
    np.testing.assert_allclose(other.alpha @ x[twice], one.alpha @ x, rtol=1e-5, atol=1e-7)
    assert other.intercept == pytest.approx(one.intercept, abs=1e-5)


def test_voxels_that_are_mostly_empty_are_not_used():
    train = TRAIN["classification"]
    all_, none = (fit("voxel_svm", train, filled=share) for share in (0.5, 0.01))
    assert all_.notes["voxels"] == none.notes["voxels"]
    with pytest.raises(DataError, match="no voxel that varies is filled in 200%"):
        fit("voxel_svm", train, filled=2.0)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_columns_are_scaled_anew_in_each_inner_fold(kind, monkeypatch):
    """The cost is that of refits in which the rows that are left out scale nothing; some numbers are far out."""
    train = TRAIN[kind].in_order()
    g2 = np.where(np.arange(60) % 20 == 0, 80.0, train.table["g2"])
    train, seen, skill = changed(train, g2=g2), [], {}
    costs, blocks, fold = (0.001, 0.1, 10), ["clinical", "genes"], inner_folds(train, 5, seed=1)
    y = train.y if kind == "classification" else (train.y - train.y.mean()) / train.y.std()
    for cost in costs:
        parts = []
        for k in range(5):
            kept, held = train.take(fold != k), train.take(fold == k)
            encoder = fit_encoder(kept, blocks)
            x, new = encoder(kept), encoder(held)
            scale = np.sqrt((x**2).sum(axis=1).mean())
            machine = SVC if kind == "classification" else SVR
            model = machine(C=cost, kernel="linear", tol=1e-9).fit(x / scale, y[fold != k])
            told = model.decision_function(new / scale) if kind == "classification" else model.predict(new / scale)
            right = kind == "classification"
            parts.append(roc_auc_score(y[fold == k], told) if right else -np.mean((told - y[fold == k]) ** 2))
        skill[cost] = np.mean(parts)
    monkeypatch.setattr(
        linear_svm, "fit_encoder", lambda rows, blocks: seen.append(rows.fingerprint()) or fit_encoder(rows, blocks)
    )
    fitted = fit("linear_svm", train, cost=costs)
    assert fitted.notes["cost"] == max(skill, key=skill.get)
    assert seen == [train.fingerprint(), *(train.take(fold != k).fingerprint() for k in range(5))]


def test_an_inner_fold_without_a_usable_column_tells_nothing():
    """Only one person differs: where she is left out, nothing is left to learn from."""
    train = changed(TRAIN["classification"], g1=np.arange(60) == 0, g2=0.0, g3=0.0, age=1.0, grade="low")
    assert fit("linear_svm", changed(train, g1=train.table["g1"].astype(float))).notes["cost"] in (
        0.01,
        0.1,
        1,
        10,
        100,
    )
