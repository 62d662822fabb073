"""Metrics of two classes: known answers, peers, symmetries, and why scores of different folds are never ranked."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from simulated_held import classes
from sklearn import metrics as peers

from triptych.errors import NotEstimableError
from triptych.inference.auc import delong, row_influence
from triptych.metrics._held import HeldClasses
from triptych.metrics._shares import share
from triptych.plugins import load

AUC = load("metrics", "auc").contributions


def value(name, held):
    return load("metrics", name).contributions(held)[0]


@st.composite
def rows(draw, folds=1):
    """Rows of both classes, with ties among the scores."""
    n = draw(st.integers(4, 25))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(lambda v: 0 < sum(v) < len(v)))
    score = draw(st.lists(st.integers(-4, 4), min_size=n, max_size=n))
    fold = draw(st.lists(st.integers(0, folds - 1), min_size=n, max_size=n))
    y, score = np.array(y), np.array(score, float)
    return HeldClasses(y, score, (score > 0).astype(int), 1 / (1 + np.exp(-score)), np.array(fold))


# ---- area under the curve ------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(rows())
def test_one_fold_is_the_area_of_delong_and_of_scikit_learn(held):
    found, influence = AUC(held)
    assert found == pytest.approx(peers.roc_auc_score(held.y, held.score), abs=1e-12)
    same, by_row = row_influence(held.y, held.score)
    assert found == pytest.approx(same, abs=1e-12)
    np.testing.assert_allclose(influence, by_row, atol=1e-12)
    m, n = int(held.y.sum()), int((1 - held.y).sum())
    if min(m, n) > 1:  # DeLong divides by m - 1 and n - 1 where influences have m and n
        of_class = [np.square(influence[held.y == c]).sum() * k / (k - 1) for c, k in ((1, m), (0, n))]
        assert sum(of_class) == pytest.approx(delong(held.y, held.score).covariance[0, 0], abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(rows(folds=3))
def test_all_pairs_within_folds_by_brute_force(held):
    won = met = 0.0
    for i in np.flatnonzero(held.y == 1):
        for j in np.flatnonzero((held.y == 0) & (held.fold == held.fold[i])):
            met += 1
            won += (held.score[i] > held.score[j]) + 0.5 * (held.score[i] == held.score[j])
    if not met:
        with pytest.raises(NotEstimableError, match="no fold has rows of both classes"):
            AUC(held)
        return
    assert AUC(held)[0] == pytest.approx(won / met, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(rows(folds=3))
def test_turning_the_score_or_the_classes_turns_the_area(held):
    try:
        found, influence = AUC(held)
    except NotEstimableError:
        assume(False)
    turned, of_turned = AUC(replace(held, score=-held.score))
    other, of_other = AUC(replace(held, y=1 - held.y))
    both, of_both = AUC(replace(held, y=1 - held.y, score=-held.score))
    assert turned == pytest.approx(1 - found, abs=1e-12)
    assert other == pytest.approx(1 - found, abs=1e-12)
    assert both == pytest.approx(found, abs=1e-12)
    for turned_influence, sign in ((of_turned, -1), (of_other, -1), (of_both, 1)):
        np.testing.assert_allclose(turned_influence, sign * influence, atol=1e-12)


def test_folds_count_by_their_pairs():
    """Fold 0: 1 x 2 pairs, both right; fold 1: 2 x 3 pairs, one right."""
    y = np.array([1, 0, 0, 1, 1, 0, 0, 0])
    score = np.array([9.0, 1, 2, 0, 2.5, 2, 3, 4])
    held = HeldClasses(y, score, y, None, np.array([0, 0, 0, 1, 1, 1, 1, 1]))
    assert AUC(held)[0] == pytest.approx((2 + 1) / (2 + 6))


def test_a_fold_of_one_class_has_no_pair_and_no_influence():
    held = classes(n=60)
    lonely = replace(held, fold=np.where(held.y == 1, held.fold, held.fold % 2))  # fold 2 has no negative row
    influence = AUC(lonely)[1]
    assert (influence[lonely.fold == 2] == 0).all()
    assert AUC(lonely.take(lonely.fold != 2))[0] == AUC(lonely)[0]


def null_cohort(random, n=100, folds=10):
    """A fair binary feature that tells nothing; the score is the share of positives with it in training, smoothed."""
    y, x = random.permutation(np.arange(n) % 2), random.integers(0, 2, n)
    fold = np.empty(n, int)
    for c in (0, 1):  # stratified: every training part has the same share
        fold[y == c] = random.permutation(np.arange((y == c).sum()) % folds)
    score = np.empty(n)
    for k in range(folds):
        train = fold != k
        share_of = [(y[train & (x == v)].sum() + 1) / ((train & (x == v)).sum() + 2) for v in (0, 1)]
        score[fold == k] = np.array(share_of)[x[fold == k]]
    return HeldClasses(y, score, (score > 0.5).astype(int), score, fold)


def test_without_signal_pairs_within_folds_average_one_half_and_pooled_ones_do_not():
    """The trap of pooling: a held-out positive lowers the share that its own model learned, so it ranks too low elsewhere."""
    random = np.random.default_rng(0)
    cohorts = [null_cohort(random) for _ in range(300)]
    within = np.array([AUC(held)[0] for held in cohorts])
    pooled = np.array([peers.roc_auc_score(held.y, held.score) for held in cohorts])
    error = within.std(ddof=1) / np.sqrt(len(within))
    print(f"within folds {within.mean():.3f}, pooled {pooled.mean():.3f}, standard error {error:.4f}")
    assert abs(within.mean() - 0.5) < 4 * error
    assert error < 0.006
    assert pooled.mean() < 0.45


# ---- shares --------------------------------------------------------------------------------------

PEERS = {
    "accuracy": peers.accuracy_score,
    "balanced_accuracy": peers.balanced_accuracy_score,
    "sensitivity": peers.recall_score,
    "specificity": lambda y, told: peers.recall_score(y, told, pos_label=0),
}


@settings(max_examples=60, deadline=None)
@given(rows(folds=2))
def test_shares_are_those_of_scikit_learn(held):
    for name, peer in PEERS.items():
        assert value(name, held) == pytest.approx(peer(held.y, held.predicted), abs=1e-12), name
    assert value("brier_class", held) == pytest.approx(peers.brier_score_loss(held.y, held.p), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(rows(folds=2))
def test_what_shares_have_to_do_with_each_other(held):
    other = replace(held, y=1 - held.y, predicted=1 - held.predicted, p=1 - held.p)  # the classes change their names
    assert value("sensitivity", other) == pytest.approx(value("specificity", held), abs=1e-12)
    for name in ("accuracy", "balanced_accuracy", "brier_class"):
        assert value(name, other) == pytest.approx(value(name, held), abs=1e-12)
    share_of = held.y.mean()
    sensitivity, specificity = value("sensitivity", held), value("specificity", held)
    assert value("accuracy", held) == pytest.approx(share_of * sensitivity + (1 - share_of) * specificity, abs=1e-12)
    assert value("balanced_accuracy", held) == pytest.approx((sensitivity + specificity) / 2, abs=1e-12)
    wrong = replace(held, predicted=1 - held.predicted)
    assert value("accuracy", wrong) == pytest.approx(1 - value("accuracy", held), abs=1e-12)


def test_the_variance_of_a_share_is_that_of_the_binomial():
    held = classes(n=200)
    for name, of in (("accuracy", held.y >= 0), ("sensitivity", held.y == 1), ("specificity", held.y == 0)):
        p, influence = load("metrics", name).contributions(held)
        assert np.square(influence).sum() == pytest.approx(p * (1 - p) / of.sum(), rel=1e-12)
        assert (influence[~of] == 0).all()


@pytest.mark.parametrize(
    ("name", "y", "says"),
    [
        ("sensitivity", 0, "there is no positive row"),
        ("specificity", 1, "there is no negative row"),
        ("balanced_accuracy", 0, "there is no positive row"),
        ("balanced_accuracy", 1, "there is no negative row"),
    ],
)
def test_a_share_of_nobody(name, y, says):
    held = classes(n=20)
    with pytest.raises(NotEstimableError, match=f"^{says}$"):
        value(name, replace(held, y=np.full(20, y)))
    assert value("accuracy", replace(held, y=np.full(20, y))) == (held.predicted == y).mean()


def test_a_share_of_no_row_at_all():
    with pytest.raises(NotEstimableError, match="there is no row"):
        share(np.ones(3, bool), np.zeros(3, bool), "row")


# ---- probabilities -------------------------------------------------------------------------------


def test_a_coin_has_a_squared_error_of_one_quarter():
    held = classes()
    assert value("brier_class", replace(held, p=np.full(len(held.y), 0.5))) == 0.25
    assert value("brier_class", replace(held, p=held.y.astype(float))) == 0.0


def test_no_probabilities_no_brier_score():
    held = replace(classes(), p=None)
    with pytest.raises(NotEstimableError, match=r"^the model gives a score but no probabilities$"):
        value("brier_class", held)
    assert held.take(np.arange(5)).p is None
    assert np.isfinite(AUC(held)[0])
