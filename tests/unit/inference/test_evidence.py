"""Methods by name: each equals the mathematics that it stands for, and bad evidence is refused or answered rightly."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from triptych.errors import DataError, NotEstimableError
from triptych.inference import auc, cross_validation, intervals, proportions
from triptych.inference.bootstrap import auc_replicates, cluster_bootstrap
from triptych.inference.comparisons import by_unit
from triptych.inference.evidence import INTERVALS, TESTS, Evidence, compare, interval
from triptych.inference.known import dependence, stratified_se
from triptych.inference.permutation import sign_flip


def of_rates(right, rows=None, **facts):
    """Evidence of an accuracy from the right rows and rows of each patient."""
    right = np.asarray(right, float)
    rows = np.ones(right.size, int) if rows is None else np.asarray(rows)
    value, influence = proportions.ratio_influence(right, rows)
    return Evidence(value, influence, rows, "proportion", "logit", fewest=right.size, **facts)


def of_losses(loss, **facts):
    """Evidence of a mean of one loss per patient."""
    loss = np.asarray(loss, float)
    value = float(loss.mean())
    return Evidence(value, (loss - value) / loss.size, np.ones(loss.size, int), "mean", fewest=loss.size, **facts)


def of_auc(y, score, **facts):
    """Evidence of an AUC with one row per patient."""
    value, influence = auc.row_influence(y, score)
    fewest = int(min(y.sum(), y.size - y.sum()))
    draw = {"replicate": lambda counts: auc_replicates(y, score, None, counts)[:, 0]}
    return Evidence(value, influence, np.ones(y.size, int), "rank", "logit", fewest=fewest, strata=y, **(draw | facts))


@pytest.fixture
def two():
    """Two scores of the same 80 patients, and values of 12 sites and of 5 x 2 folds."""
    random = np.random.default_rng(3)
    y = np.arange(80) % 2
    parts = [{"by_site": random.uniform(0.5, 0.9, 12), "by_fold": random.uniform(0.5, 0.9, 10)} for _ in range(2)]
    scores = [y + random.normal(0, noise, 80) for noise in (1, 2)]
    how = {"ratio": 0.25, "n_folds": 2, "n_repeats": 5}
    return [of_auc(y, score, **part, **how) for score, part in zip(scores, parts, strict=True)], y, scores


def limits(found):
    return [found.value, found.low, found.high, found.se]


# ---- each method is the mathematics that it names ----


def test_proportions_with_one_row_per_patient_get_wilson():
    found = interval(of_rates([1] * 81 + [0] * 182), "wilson", 0.95)
    np.testing.assert_allclose(
        [found.low, found.high], [0.2553, 0.3662], atol=5e-5
    )  # Newcombe 1998, table I, 81 of 263
    assert limits(found) == limits(proportions.wilson(81, 263, level=0.95))


def test_rows_that_a_sensitivity_does_not_count_are_no_rows():
    right, counted = np.array([1, 1, 0, 1, 0, 0] * 5), np.array([1, 1, 1, 1, 0, 0] * 5)
    value = right.sum() / counted.sum()
    influence = (right - value * counted) / counted.sum()
    found = interval(Evidence(value, influence, counted, "proportion", "logit"), "wilson", 0.95)
    assert limits(found) == pytest.approx(limits(proportions.wilson(15, 20, level=0.95)))


def test_proportions_with_several_rows_get_the_cluster_robust_interval():
    random = np.random.default_rng(0)
    rows = random.integers(1, 6, 40)
    right = random.binomial(rows, random.beta(3, 1, 40))
    found, known = (
        interval(of_rates(right, rows), "influence-t", 0.9),
        proportions.ratio_of_sums(right, rows, level=0.9),
    )
    np.testing.assert_allclose(limits(found), limits(known))
    robust, design = (
        dependence(replace(of_rates(right, rows), squares=squares(right, rows))),
        proportions.design_effect(right, rows),
    )
    np.testing.assert_allclose([robust.deff, robust.n_eff, robust.icc], [design.deff, design.n_eff, design.icc])


def squares(right, rows):
    """Sum of the squared influences of the single rows of each patient."""
    value, n = right.sum() / rows.sum(), rows.sum()
    return (right * (1 - value) ** 2 + (rows - right) * value**2) / n**2


def test_rank_statistics_get_the_logit_t_of_their_influences(two):
    (a, _), _, _ = two
    known = intervals.from_influence(a.value, a.influence, level=0.95, scale="logit")
    assert limits(interval(a, "influence-t", 0.95)) == limits(known)


def test_variances_by_class_are_delongs(two):
    (a, b), y, scores = two
    areas = auc.delong(y, np.column_stack(scores))
    assert stratified_se(a)[0] ** 2 == pytest.approx(areas.covariance[0, 0])
    made, known = compare(a, b, "paired-welch", 0.95), auc.compare_aucs(areas, level=0.95)
    assert made.statistic == pytest.approx(known.statistic)
    assert 1 < made.interval.df <= 78


def test_degrees_of_freedom_by_class_are_welchs():
    """Of a difference of two means they are those of Welch's t test."""
    random = np.random.default_rng(5)
    x, group = random.normal(0, 1, 40), np.repeat([0, 1], [30, 10])
    x[group == 1] *= 4
    means = [x[group == g].mean() for g in (0, 1)]
    influence = np.where(group == 1, (x - means[1]) / 10, -(x - means[0]) / 30)
    one = Evidence(means[1] - means[0], influence, np.ones(40, int), "ratio", strata=group)
    se, df = stratified_se(one)
    known = stats.ttest_ind(x[group == 1], x[group == 0], equal_var=False)
    assert one.value / se == pytest.approx(known.statistic)
    assert df == pytest.approx(known.df)


def test_variances_by_class_never_shorten_an_interval(two):
    """The measured coverage of `influence-t` is a lower bound of that of `influence-welch`."""
    (a, b), _, _ = two
    for strata in (a.strata, (np.arange(80) < 5).astype(int), np.arange(80) % 3):
        one = replace(a, strata=strata)
        plain, by_class = interval(a, "influence-t", 0.95), interval(one, "influence-welch", 0.95)
        assert by_class.low < plain.low < plain.high < by_class.high
        assert compare(one, b, "paired-welch", 0.95).p > compare(a, b, "paired-influence", 0.95).p
    found = []
    for strata in (None, np.zeros(80), (np.arange(80) == 0).astype(int)):  # nothing to tell apart
        found.append(limits(interval(replace(a, strata=strata), "influence-welch", 0.95)))
        assert found[-1] == pytest.approx(found[0])
    assert found[0][1] <= plain.low
    assert found[0][3] == pytest.approx(plain.se)  # one row each: only degrees of freedom differ


def test_a_class_of_which_all_are_right_tells_nothing_of_its_share():
    strata = np.repeat([0, 1], [40, 12])
    right = np.where(np.arange(52) < 5, 0.0, 1.0)  # some of the first class are wrong, none of the second
    share = right[strata == 0].mean()
    influence = np.where(strata == 0, (right - share) / 80, 0.0)
    one = Evidence((share + 1) / 2, influence, np.ones(52, int), "ratio", "logit", strata=strata, fewest=12)
    with pytest.raises(NotEstimableError, match=r"all 12 patients of one class are alike.* 21 to 86 %"):
        interval(one, "influence-welch", 0.95)
    interval(replace(one, strata=None), "influence-welch", 0.95)


def test_patients_who_carry_the_variance_are_few_degrees_of_freedom():
    """As many as carry it, whatever their number in all; a patient with most rows weighs more than its influence."""
    for wrong in (5, 10):
        loss = np.repeat([1.0, 0.0], [wrong, 1000 - wrong])
        se, df = stratified_se(of_losses(loss))
        assert se == pytest.approx(loss.std(ddof=1) / np.sqrt(1000))
        assert df == pytest.approx(2 * wrong, rel=0.05)
    even = of_losses(np.tile([-1.0, 1.0], 20))
    assert stratified_se(even)[1] == pytest.approx(39)  # never more than n - 1
    random = np.random.default_rng(1)
    rows = np.array([40, *[4] * 29])
    sums = rows * random.normal(size=30)
    value = sums.sum() / rows.sum()
    one = Evidence(value, (sums - value * rows) / rows.sum(), rows, "mean")
    left_out = [(sums.sum() - s) / (rows.sum() - k) for s, k in zip(sums, rows, strict=True)]
    jackknife = np.sqrt(29 / 30 * np.sum(np.square(np.array(left_out) - value)))
    assert stratified_se(one)[0] == pytest.approx(jackknife, rel=0.02)
    assert stratified_se(one)[0] > intervals.from_influence(value, one.influence, level=0.95, scale="identity").se


@pytest.mark.parametrize(("wrong", "wider"), [(3, True), (9, True), (15, False)])
def test_losses_of_few_patients_are_told_with_caution(wrong, wider):
    """Below 20 degrees of freedom, which some ten patients with a loss have."""
    one = of_losses(np.repeat([1.0, 0.0], [wrong, 300 - wrong]))
    (se, df), found = stratified_se(one), interval(one, "influence-welch", 0.95)
    assert (df < 20) == wider
    assert found.se == pytest.approx(se * np.sqrt(1 + 5 * max(1 / df - 1 / 20, 0)))
    assert (found.se > se, found.df) == (wider, df)


def test_errors_that_weigh_alike_need_no_caution():
    """Right and wrong, and ranks of patients with one row; ranks of several rows do."""
    y = np.repeat([1, 0], [15, 85])
    score = np.where(np.arange(100) == 0, 0.04, y + 1e-3 * np.arange(100))
    ranks = of_auc(y, score)
    rates = of_rates(np.repeat([4, 2], [97, 3]), np.full(100, 4))
    for one in (ranks, rates):
        se, df = stratified_se(one)
        assert df < 20
        assert interval(one, "influence-welch", 0.95).se == se
    several = replace(ranks, rows=np.full(100, 4))
    se, df = stratified_se(several)
    assert interval(several, "influence-welch", 0.95).se == pytest.approx(se * intervals.caution(df, 20))
    assert intervals.caution(df, 20) > 1.2


def test_the_bootstrap_is_that_of_whole_patients(two):
    (a, b), y, scores = two
    found = interval(a, "bootstrap-percentile", 0.95)

    def area(weights):
        return auc_replicates(y, scores[0], None, weights)[:, 0]

    known = cluster_bootstrap(
        area, np.arange(80), level=0.95, rng=np.random.default_rng(0), kind="percentile", weighted=True
    )
    assert limits(found) == pytest.approx(limits(known))
    bca = interval(a, "bootstrap-bca", 0.95)
    jackknifed = cluster_bootstrap(area, np.arange(80), level=0.95, rng=np.random.default_rng(0), weighted=True)
    np.testing.assert_allclose([bca.low, bca.high], [jackknifed.low, jackknifed.high], atol=0.005)
    made, same = compare(a, b, "paired-bootstrap", 0.95), compare(b, a, "paired-bootstrap", 0.95)
    assert made.interval.low == pytest.approx(-same.interval.high)
    assert made.p == same.p


def test_sites_and_resamples(two):
    (a, b), _, _ = two
    assert limits(interval(a, "t-over-sites", 0.9)) == limits(
        intervals.score_over_sites(a.by_site, level=0.9, scale="logit")
    )
    known = intervals.over_resamples(a.by_fold, ratio=0.25, level=0.9)
    assert limits(interval(a, "nadeau-bengio", 0.9)) == limits(known)
    paired = stats.ttest_rel(a.by_site, b.by_site)
    made = compare(a, b, "paired-t-over-sites", 0.9)
    assert (made.statistic, made.p) == pytest.approx((paired.statistic, paired.pvalue))
    five = cross_validation.five_by_two_f((a.by_fold - b.by_fold).reshape(5, 2))
    assert (compare(a, b, "5x2cv", 0.9).statistic, compare(a, b, "5x2cv", 0.9).p) == (five.statistic, five.p)


def test_a_site_without_a_value_is_left_out_of_both(two):
    (a, b), _, _ = two
    gap = replace(a, by_site=np.where(np.arange(12) == 3, np.nan, a.by_site))
    kept = np.arange(12) != 3
    known = intervals.score_over_sites(a.by_site[kept], level=0.95, scale="logit")
    assert limits(interval(gap, "t-over-sites", 0.95)) == limits(known)
    made = compare(gap, b, "sign-flip-sites", 0.95)
    assert made.p == sign_flip((a.by_site - b.by_site)[kept], rng=np.random.default_rng(0), level=0.95).p
    assert (
        "1 without a value" in interval(replace(a, by_fold=np.append(a.by_fold, np.nan)), "nadeau-bengio", 0.95).method
    )


def test_bootstrap_of_sites():
    values = np.random.default_rng(0).normal(0.7, 0.05, 25)
    found = interval(replace(of_losses(np.arange(30.0)), by_site=values), "bootstrap-sites", 0.95)
    normal = 1.96 * values.std() / 5
    np.testing.assert_allclose([found.low, found.high], [values.mean() - normal, values.mean() + normal], atol=0.004)


@pytest.mark.parametrize(
    ("estimand", "method"), [("new-patients", "influence-t-cv"), ("procedure", "influence-t-procedure")]
)
def test_cross_validated_scores_count_what_repeats_differ_by(two, estimand, method):
    (a, _), _, _ = two
    weights = cross_validation.INTERVAL.of(estimand)
    for evidence in (a, replace(a, by_fold=a.value + 0.01 * np.arange(10))):
        repeats = evidence.by_fold.reshape(5, 2).mean(axis=1)
        se, df = cross_validation.repeated_se(a.influence, repeats, 2, weights)
        found, people = interval(evidence, method, 0.95), interval(a, "influence-t", 0.95)
        assert (found.se, found.df) == pytest.approx((se, df))
        assert found.low < people.low < people.high < found.high
        assert found.value == a.value
    once = replace(a, by_fold=a.by_fold[:2], n_repeats=1)
    assert interval(once, method, 0.95).se > interval(a, "influence-t", 0.95).se


@pytest.mark.parametrize(
    ("family", "estimand", "weight"),
    [
        ("rank", "new-patients", 0.5),
        ("mean", "new-patients", 0.5),
        ("ratio", "new-patients", 0.5),
        ("proportion", "new-patients", 0.25),
        ("rank", "procedure", 0.5),
        ("mean", "procedure", 0.25),
        ("ratio", "procedure", 0.25),
        ("proportion", "procedure", 0.25),
    ],
)
def test_what_repeats_differ_by_weighs_half_for_proportions_and_means_of_training_again(family, estimand, weight):
    influence, repeats = np.resize([0.01, -0.01], 100), [0.70, 0.71, 0.72]
    se, _ = cross_validation.repeated_se(influence, repeats, 5, cross_validation.interval_weights(family, estimand))
    patients = (1.25 if estimand == "procedure" else 1.0) * 100 / 99 * np.sum(influence**2)
    assert se**2 == pytest.approx(patients + weight * 4 * 0.01**2)


def test_what_repeats_add_is_bounded_and_guessed_from_one():
    influence = np.resize([0.01, -0.01], 100)
    between = 100 / 99 * np.sum(influence**2)
    for repeats, added in (([0.1, 0.9], 2.0), ([0.5], 1.25)):
        se, _ = cross_validation.repeated_se(influence, repeats, 5, cross_validation.INTERVAL)
        assert se**2 == pytest.approx((1 + added) * between)


@pytest.mark.parametrize(("estimand", "method"), [("new-patients", "paired-cv"), ("procedure", "paired-procedure")])
def test_so_do_their_differences(two, estimand, method):
    (a, b), _, _ = two
    repeats = (a.by_fold - b.by_fold).reshape(5, 2).mean(axis=1)
    weights = cross_validation.TEST.of(estimand)
    se, df = cross_validation.repeated_se(a.influence - b.influence, repeats, 2, weights)
    made = compare(a, b, method, 0.95)
    assert made.interval.se == pytest.approx(se)
    assert made.p == pytest.approx(2 * stats.t.sf(abs(a.value - b.value) / se, df))
    assert made.p > compare(a, b, "paired-influence", 0.95).p


def test_bayle_takes_one_k_fold_of_single_rows():
    random = np.random.default_rng(0)
    first, second = random.exponential(size=(2, 50))
    a, b = (of_losses(loss, n_folds=5) for loss in (first, second))
    assert limits(interval(a, "bayle", 0.95)) == pytest.approx(limits(cross_validation.bayle(first, level=0.95)))
    known = cross_validation.compare_bayle(first, second, level=0.95)
    assert compare(a, b, "bayle", 0.95).p == pytest.approx(known.p)
    for wrong in ({"n_repeats": 2}, {"n_folds": 1}, {"family": "rank"}, {"rows": np.full(50, 2)}):
        with pytest.raises(NotEstimableError, match="Bayle's interval"):
            interval(replace(a, **wrong), "bayle", 0.95)


def test_mcnemar_counts_patients():
    first, second = np.repeat([1, 1, 0, 0], [60, 12, 5, 23]), np.repeat([1, 0, 1, 0], [60, 12, 5, 23])
    a, b = of_rates(first), of_rates(second)
    made = compare(a, b, "mcnemar", 0.95)
    assert made.p == pytest.approx(proportions.mcnemar(12, 5).p_mid)
    assert made.interval.value == pytest.approx(0.07)
    assert compare(b, a, "mcnemar", 0.95).p == made.p
    few = of_rates(np.repeat([1, 0], [60 + 12 - 4, 4 + 28]))
    with pytest.raises(NotEstimableError, match=r"4 of 100 patients differ .* 0\.0625, it cannot reach 0\.05"):
        compare(a, few, "mcnemar", 0.95)
    with pytest.raises(NotEstimableError, match="one prediction per patient"):
        compare(of_rates(first / 2), b, "mcnemar", 0.95)
    with pytest.raises(NotEstimableError, match="one row per patient"):
        compare(of_rates(first, np.full(100, 3)), of_rates(second, np.full(100, 3)), "mcnemar", 0.95)


def test_tests_by_patient_take_differences_of_whole_patients():
    random = np.random.default_rng(1)
    rows = random.integers(1, 5, 30)
    first, second = random.binomial(rows, 0.8), random.binomial(rows, 0.6)
    a, b = of_rates(first, rows), of_rates(second, rows)
    flip = sign_flip(first - second, rng=np.random.default_rng(0), level=0.95)
    assert compare(a, b, "sign-flip", 0.95).p == flip.p
    known = proportions.clustered_mcnemar(first - second, rows, level=0.95)
    assert compare(a, b, "clustered-mcnemar", 0.95).p == pytest.approx(known.p)
    made, paired = (
        compare(a, b, "paired-influence", 0.95),
        by_unit(a.value, b.value, a.influence, b.influence, level=0.95),
    )
    assert (made.p, made.interval.low) == (paired.p, paired.interval.low)


def test_a_sign_flip_needs_fewer_patients_than_an_interval():
    made = compare(of_losses(np.arange(8.0) + 1), of_losses(np.zeros(8)), "sign-flip", 0.95)
    assert made.p == pytest.approx(2 / 2**8)
    assert np.isnan(made.interval.low)
    assert "too few patients for an interval" in made.interval.method


# ---- what must hold whatever the data ----


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), n=st.integers(50, 90), method=st.sampled_from(sorted(INTERVALS)))
def test_an_interval_holds_its_value_and_stays_where_the_score_can_be(seed, n, method):
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, n)
    y[:20] = np.arange(20) % 2
    parts = {"by_site": random.uniform(0.9, 1, 20), "by_fold": random.uniform(0.9, 1, 10), "ratio": 0.5}
    a = of_auc(y, 2 * y + random.normal(size=n), **parts, n_folds=2, n_repeats=5)
    try:
        found = interval(a, method, 0.95)
    except NotEstimableError:
        assert method in ("wilson", "bayle") or a.value == 1
        return
    assert 0 <= found.low <= found.value <= found.high <= 1
    wider = interval(a, method, 0.99)
    assert wider.low <= found.low <= found.high <= wider.high


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), method=st.sampled_from(sorted(TESTS)))
def test_to_swap_the_models_turns_the_difference(seed, method):
    random = np.random.default_rng(seed)
    rates = method in ("mcnemar", "clustered-mcnemar", "bayle")
    how = {"n_folds": 5} if method == "bayle" else {"n_folds": 2, "n_repeats": 5, "ratio": 1.0}
    y = np.arange(60) % 2
    both = []
    for _ in range(2):
        parts = {"by_site": random.uniform(size=8), "by_fold": random.uniform(size=10), **how}
        score = y + random.normal(0, 2, 60)
        both.append(of_rates((score > 0.5) == y, **parts) if rates else of_auc(y, score, **parts))
    try:
        made = compare(*both, method, 0.95)
    except NotEstimableError:
        with pytest.raises(NotEstimableError, match="differ"):
            compare(*both[::-1], method, 0.95)
        return
    back = compare(*both[::-1], method, 0.95)
    assert made.interval.value == pytest.approx(-back.interval.value)
    assert made.p == pytest.approx(back.p)
    assert 0 < made.p <= 1


def test_names_of_patients_and_their_order_change_nothing(two):
    (a, b), _, _ = two
    order = np.random.default_rng(0).permutation(80)
    moved = [replace(x, influence=x.influence[order], strata=x.strata[order]) for x in (a, b)]
    for method in ("influence-t", "influence-welch"):
        assert limits(interval(moved[0], method, 0.95)) == pytest.approx(limits(interval(a, method, 0.95)))
    assert compare(*moved, "paired-influence", 0.95).p == pytest.approx(compare(a, b, "paired-influence", 0.95).p)


# ---- bad input ----


def test_perfect_separation_has_no_interval():
    y = np.arange(60) % 2
    perfect = of_auc(y, y * 1.0)
    assert perfect.value == 1
    for method in ("influence-t", "influence-welch", "bootstrap-percentile", "bootstrap-bca"):
        with pytest.raises(NotEstimableError, match=r"value of 1 to which every .* contributes alike has no interval"):
            interval(perfect, method, 0.95)
    known = compare(perfect, of_auc(y, np.sin(np.arange(60.0))), "paired-influence", 0.95)
    assert known.p < 0.001  # a difference can be tested: the other model varies


def test_a_constant_score_has_no_interval_and_can_be_compared():
    y = np.arange(60) % 2
    flat = of_auc(y, np.zeros(60))
    assert flat.value == 0.5
    with pytest.raises(NotEstimableError, match=r"value of 0\.5"):
        interval(flat, "influence-t", 0.95)
    with pytest.raises(NotEstimableError, match="do not differ"):
        compare(flat, of_auc(y, np.ones(60)), "paired-influence", 0.95)
    better = compare(of_auc(y, y + np.random.default_rng(0).normal(size=60)), flat, "paired-influence", 0.95)
    assert better.interval.value > 0
    assert better.p < 0.05


def test_all_right_is_no_certainty():
    one = of_rates(np.ones(30), np.full(30, 1))
    found = interval(one, "wilson", 0.95)
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(1 / (1 + 1.959964**2 / 30))
    several = interval(of_rates(np.full(30, 4.0), np.full(30, 4)), "influence-t", 0.95)
    assert several.low == pytest.approx(found.low)  # as if the rows of a patient were one
    cv = of_rates(np.full(30, 4.0), np.full(30, 4), by_fold=np.ones(10), ratio=0.25, n_folds=5, n_repeats=2)
    assert interval(cv, "influence-t-cv", 0.95).low == pytest.approx(found.low)


def test_sites_that_are_all_alike_have_no_interval():
    with pytest.raises(NotEstimableError, match="every patient, site or fold contributes alike"):
        interval(replace(of_losses(np.arange(30.0)), by_site=np.full(6, 0.8)), "t-over-sites", 0.95)


def test_two_patients_have_neither_interval_nor_test():
    a, b = of_losses([0.1, 0.2]), of_losses([0.2, 0.4])
    with pytest.raises(NotEstimableError, match="2 patients are too few"):
        interval(a, "influence-t", 0.95)
    with pytest.raises(NotEstimableError, match=r"cannot reach 0\.05"):
        compare(a, b, "sign-flip", 0.95)


def test_what_is_not_known_is_asked_for(two):
    (a, b), _, _ = two
    with pytest.raises(NotEstimableError, match="needs the predictions"):
        interval(replace(a, replicate=None), "bootstrap-bca", 0.95)
    with pytest.raises(NotEstimableError, match="sizes of the training parts"):
        interval(replace(a, ratio=np.nan), "nadeau-bengio", 0.95)
    with pytest.raises(NotEstimableError, match="do not come from a cross-validation"):
        interval(replace(a, n_folds=1), "influence-t-cv", 0.95)
    with pytest.raises(NotEstimableError, match=r"no value in 2000 of 2000"):
        interval(replace(a, replicate=lambda counts: np.full(len(counts), np.nan)), "bootstrap-percentile", 0.95)
    with pytest.raises(NotEstimableError, match="this study made 10 of 10"):
        compare(replace(a, n_repeats=10, n_folds=10), b, "5x2cv", 0.95)
    with pytest.raises(NotEstimableError, match="not tested on the same sites"):
        compare(replace(a, by_site=a.by_site[:9]), b, "paired-t-over-sites", 0.95)
    with pytest.raises(NotEstimableError, match="one row, or the influence of single rows"):
        dependence(a)


def test_evidence_of_other_patients_is_not_compared(two):
    (a, _), _, _ = two
    with pytest.raises(NotEstimableError, match="same rows of the same patients"):
        compare(a, of_losses(np.arange(30.0)), "paired-influence", 0.95)


def test_wrong_evidence_and_wrong_names_are_named(two):
    (a, b), _, _ = two
    with pytest.raises(DataError, match="no method 'wilsen'; did you mean 'wilson'"):
        interval(a, "wilsen", 0.95)
    with pytest.raises(DataError, match="no method 'mcnemars'"):
        compare(a, b, "mcnemars", 0.95)
    with pytest.raises(DataError, match="family is 'share'"):
        replace(a, family="share")
    with pytest.raises(DataError, match="influence is missing for patient 4"):
        replace(a, influence=np.where(np.arange(80) == 4, np.nan, a.influence))
    with pytest.raises(DataError, match="one number a patient"):
        replace(a, rows=np.ones(3))
    for method in ("wilson", "mcnemar", "clustered-mcnemar"):
        with pytest.raises(NotEstimableError, match="for proportions"):
            interval(a, method, 0.95) if method in INTERVALS else compare(a, b, method, 0.95)
