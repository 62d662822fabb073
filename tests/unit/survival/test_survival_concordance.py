import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import DataError, NotEstimableError
from triptych.survival.concordance import difference, harrell, paired_covariance, uno
from triptych.survival.cox import fit_cox
from triptych.survival.nonparametric import StepCurve, censoring_curve


def brute(time, event, risk, weights=None, strata=None, entry=None, pair_weight=None):
    """O(n^2): counts, c and the derivative of c by each weight times that weight."""
    n = len(time)
    w = np.ones(n) if weights is None else weights
    k = np.asarray(event, dtype=float) if pair_weight is None else pair_weight
    count, pairs = np.zeros(4), 0
    score, known = np.zeros(n), np.zeros(n)
    for i in range(n):
        for j in range(n):
            apart = strata is not None and strata[i] != strata[j]
            late = entry is not None and entry[j] >= time[i]
            if i == j or not event[i] or k[i] == 0 or apart or late:
                continue
            pair = w[i] * w[j] * k[i]
            if time[j] == time[i] and event[j]:
                count[3] += pair / 2
            elif time[j] >= time[i]:
                s = 1.0 if risk[i] > risk[j] else 0.5 if risk[i] == risk[j] else 0.0
                count[{1.0: 0, 0.0: 1, 0.5: 2}[s]] += pair
                pairs += pair > 0
                for row, other in ((i, j), (j, i)):
                    score[row] += s * w[other] * k[i]
                    known[row] += w[other] * k[i]
    total = count[:3].sum()
    c = (count[0] + count[2] / 2) / total if total else np.nan
    return count, pairs, c, w * (score - c * known) / total if total else None


def agree(result, expected):
    count, pairs, c, influence = expected
    found = [result.concordant, result.discordant, result.tied_risk, result.tied_time]
    np.testing.assert_allclose(found, count, rtol=1e-12, atol=1e-12)
    assert result.pairs == pairs
    assert result.c == pytest.approx(c, rel=1e-12)
    np.testing.assert_allclose(result.influence, influence, rtol=1e-9, atol=1e-13)


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 30),
    options=st.sets(st.sampled_from(["weights", "strata", "entry"])),
)
def test_harrell_equals_brute_force(cohorts, seed, n, options):
    data = cohorts(seed, n)
    arguments = {name: getattr(data, name) for name in options}
    expected = brute(data.time, data.event, data.risk, **arguments)
    if expected[1] == 0:
        with pytest.raises(NotEstimableError):
            harrell(data.time, data.event, data.risk, **arguments)
    else:
        agree(harrell(data.time, data.event, data.risk, **arguments), expected)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 30),
    options=st.sets(st.sampled_from(["weights", "strata"])),
    tau=st.sampled_from([None, 3.0]),
    inclusive=st.booleans(),
)
def test_uno_equals_brute_force(cohorts, seed, n, options, tau, inclusive):
    data = cohorts(seed, n)
    arguments = {name: getattr(data, name) for name in options}
    used = data.event.copy()
    if tau is not None:
        used &= (data.time <= tau) if inclusive else (data.time < tau)
    pair_weight = used / np.where(used, censoring_curve(data.time, data.event).left(data.time), 1.0) ** 2
    expected = brute(data.time, data.event, data.risk, pair_weight=pair_weight, **arguments)
    if expected[1] == 0:
        with pytest.raises(NotEstimableError):
            uno(data.time, data.event, data.risk, tau=tau, tau_inclusive=inclusive, **arguments)
    else:
        agree(uno(data.time, data.event, data.risk, tau=tau, tau_inclusive=inclusive, **arguments), expected)


def test_unweighted_counts_are_identical_to_brute_force(cohorts):
    data = cohorts(7, 300, times=40, risks=25)
    result, (count, pairs, _, _) = harrell(data.time, data.event, data.risk), brute(data.time, data.event, data.risk)
    assert (result.concordant, result.discordant, result.tied_risk, result.tied_time) == tuple(count)
    assert result.pairs == pairs


def test_known_answer_8(t_set):
    result = harrell(t_set.time, t_set.event, t_set.x)
    assert (result.c, result.concordant, result.discordant, result.tied_risk, result.tied_time) == (0.75, 26, 8, 2, 2)
    assert result.variance == pytest.approx(0.0159143518519, abs=5e-14)
    weighted = harrell(t_set.time, t_set.event, t_set.x, weights=t_set.weights)
    assert weighted.c == pytest.approx(0.753968253968, abs=5e-13)
    assert (weighted.concordant, weighted.discordant, weighted.tied_risk, weighted.tied_time) == (46, 14, 3, 3)
    assert weighted.variance == pytest.approx(0.0132545240225, abs=5e-14)
    apart = harrell(t_set.time, t_set.event, t_set.x, strata=t_set.strata)
    assert (apart.c, apart.concordant, apart.discordant, apart.tied_risk, apart.tied_time) == (0.75, 12, 4, 0, 2)
    for tau in (None, 5):
        ipcw = uno(t_set.time, t_set.event, t_set.x, tau=tau)
        assert ipcw.c == pytest.approx(0.760890609874, abs=5e-13)
        assert ipcw.variance == pytest.approx(0.0146053009093, abs=5e-14)
    strict = uno(t_set.time, t_set.event, t_set.x, tau=5, tau_inclusive=False)
    assert strict.c == pytest.approx(0.740546218487, abs=5e-13)


def test_known_answer_10_the_convention_of_tau():
    time, event = [11, 11, 26, 89, 128, 299, 300], [1, 0, 0, 1, 0, 1, 0]
    x = [-0.02, 1.2, -0.56, -1.33, -0.81, 1.02, -1.29]
    assert harrell(time, event, x).c == 0.5
    assert uno(time, event, x).c == pytest.approx(0.508771929825, abs=5e-13)
    assert uno(time, event, x, tau=299).c == pytest.approx(0.508771929825, abs=5e-13)
    assert uno(time, event, x, tau=299, tau_inclusive=False).c == pytest.approx(0.313725490196, abs=5e-13)


R_CALLS = {
    "harrell": (harrell, {}),
    "harrell_weights": (harrell, {"weights": "weights"}),
    "harrell_strata": (harrell, {"strata": "strata"}),
    "harrell_entry": (harrell, {"entry": "entry"}),
    "uno": (uno, {}),
    "uno_tau5": (uno, {"tau": 5}),
    "uno_tau4": (uno, {"tau": 4}),
}


@pytest.mark.parametrize("name", R_CALLS)
def test_equals_r(golden, t_set, name):
    function, options = R_CALLS[name]
    arguments = {key: getattr(t_set, value) if isinstance(value, str) else value for key, value in options.items()}
    result, expected = function(t_set.time, t_set.event, t_set.x, **arguments), golden["set_t"][name]
    assert result.c == pytest.approx(expected["c"], rel=1e-12)
    assert result.variance == pytest.approx(expected["variance"], rel=1e-12)
    np.testing.assert_allclose(result.influence, expected["influence"], rtol=1e-10, atol=1e-14)
    found = np.array([result.concordant, result.discordant, result.tied_risk, result.tied_time])
    np.testing.assert_allclose(found, expected["count"][:4], rtol=1e-12)


def test_known_answer_12_lung(golden, lung):
    # not `@`: BLAS rounds equal rows differently, which breaks exact ties in risk
    full = (lung.x * fit_cox(lung.x, lung.time, lung.event).beta).sum(axis=1)
    age = lung.x[:, 0]
    c, c_age = harrell(lung.time, lung.event, full), harrell(lung.time, lung.event, age)
    assert c.c == pytest.approx(0.637135493, abs=5e-10)
    assert c.se == pytest.approx(0.02506797385, abs=5e-11)
    weighted = uno(lung.time, lung.event, full)
    assert weighted.c == pytest.approx(0.626148295214, abs=5e-13)
    assert weighted.se == pytest.approx(0.02356242722, abs=5e-12)
    assert c_age.c == pytest.approx(0.551144691, abs=5e-10)
    gain, se = difference(c, c_age)
    assert gain == pytest.approx(0.08599080204, abs=5e-12)
    assert se == pytest.approx(0.0270255431, abs=5e-11)
    covariance = golden["lung"]["paired_covariance"]
    np.testing.assert_allclose(paired_covariance(c, c_age), np.array(covariance), rtol=1e-9)


def test_equal_models_do_not_differ(t_set):
    a = harrell(t_set.time, t_set.event, t_set.x)
    b = harrell(t_set.time, t_set.event, 3 * t_set.x + 1)
    assert difference(a, b) == (0.0, 0.0)
    assert difference(a, b, cluster=t_set.strata) == (0.0, 0.0)


def test_clusters_sum_before_squaring(t_set):
    a, b = harrell(t_set.time, t_set.event, t_set.x), harrell(t_set.time, t_set.event, -t_set.time)
    pairs = np.arange(10) // 2
    gain, se = difference(a, b, cluster=pairs)
    change = (a.influence - b.influence).reshape(5, 2).sum(axis=1)
    assert gain == pytest.approx(a.c - b.c)
    assert se == pytest.approx(np.sqrt(change @ change))
    covariance = paired_covariance(a, b, cluster=pairs)
    assert covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1] == pytest.approx(se**2)


def test_complement_and_permutation(cohorts):
    data = cohorts(3, 60)
    order = np.random.default_rng(0).permutation(60)
    distinct = data.risk + np.arange(60) / 1000
    for function in (harrell, uno):
        c = function(data.time, data.event, distinct)
        assert c.c + function(data.time, data.event, -distinct).c == pytest.approx(1)
        shuffled = function(data.time[order], data.event[order], distinct[order])
        assert shuffled.c == pytest.approx(c.c, rel=1e-14)
        np.testing.assert_allclose(shuffled.influence, c.influence[order], atol=1e-14)
        assert c.influence.sum() == pytest.approx(0, abs=1e-12)


def test_strata_add_up(cohorts):
    data = cohorts(11, 90)
    whole = harrell(data.time, data.event, data.risk, strata=data.strata)
    parts = [harrell(*(v[data.strata == s] for v in (data.time, data.event, data.risk))) for s in range(3)]
    for name in ("concordant", "discordant", "tied_risk", "tied_time", "pairs"):
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts)
    named = harrell(data.time, data.event, data.risk, strata=np.array(["x", "a", "m"])[data.strata])
    assert named.c == whole.c


def test_without_influence(t_set):
    quick = harrell(t_set.time, t_set.event, t_set.x, influence=False)
    assert (quick.c, quick.influence) == (0.75, None)
    with pytest.raises(DataError, match="influence=False"):
        _ = quick.variance


def test_infinite_and_constant_risk(t_set):
    risk = np.where(t_set.x == 2, np.inf, np.where(t_set.x == -1, -np.inf, t_set.x))
    assert harrell(t_set.time, t_set.event, risk).c == 0.75
    assert harrell(t_set.time, t_set.event, np.zeros(10)).c == 0.5
    assert uno(t_set.time, t_set.event, np.zeros(10)).se == 0


@pytest.mark.parametrize(
    ("time", "event", "options", "reason"),
    [
        ([1, 2, 3], [0, 0, 0], {}, "every row is censored"),
        ([1, 2, 3], [0, 0, 1], {}, "nobody was followed beyond"),
        ([2, 2, 2], [1, 1, 1], {}, "nobody was followed beyond"),
        ([2], [1], {}, "one row"),
        ([1, 2, 3], [1, 1, 1], {"strata": [0, 1, 2]}, "within a stratum"),
    ],
)
def test_not_estimable(time, event, options, reason):
    for function in (harrell, uno):
        with pytest.raises(NotEstimableError, match=reason):
            function(time, event, np.arange(len(time)), **options)


def test_uno_not_estimable():
    with pytest.raises(NotEstimableError, match="no event up to tau"):
        uno([1, 2, 3], [1, 1, 0], [1, 2, 3], tau=0.5)
    gone = StepCurve(np.array([1.5]), np.array([0.0]))
    with pytest.raises(NotEstimableError, match="choose tau below"):
        uno([1, 2, 3], [1, 1, 0], [1, 2, 3], censoring=gone)
    assert uno([1, 2, 3], [1, 1, 0], [3, 2, 1], censoring=gone, tau=1).c == 1


def test_bad_input(t_set):
    risk = t_set.x.copy()
    risk[3] = np.nan
    for function in (harrell, uno):
        with pytest.raises(DataError, match="risk is missing in row 3"):
            function(t_set.time, t_set.event, risk)
        with pytest.raises(DataError, match="risk has 9 rows"):
            function(t_set.time, t_set.event, risk[:9])
        with pytest.raises(DataError, match="time is negative in row 0"):
            function(-t_set.time, t_set.event, t_set.x)
        with pytest.raises(DataError, match="strata"):
            function(t_set.time, t_set.event, t_set.x, strata=[1, 2])
    time = np.r_[0.0, t_set.time[1:]]
    assert harrell(time, t_set.event, t_set.x).c == pytest.approx(28 / 37)
    with pytest.raises(DataError, match="same rows"):
        difference(harrell([1, 2], [1, 1], [2, 1]), harrell(t_set.time, t_set.event, t_set.x))
