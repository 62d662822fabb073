"""Test of proportional hazards: R's cox.zph on lung (known answer 12), and what must hold on simulated data."""

import numpy as np
import pytest

from triptych.errors import DataError, NotEstimableError
from triptych.survival.cox import fit_cox
from triptych.survival.proportionality import proportional_hazards_test


def test_known_answer_12_lung(lung):
    found = proportional_hazards_test(lung.x, lung.time, lung.event, fit_cox(lung.x, lung.time, lung.event).beta)
    assert found.chi2 == pytest.approx([0.187987673652, 2.305437227405, 2.054248774054], abs=1e-9)
    assert found.global_chi2 == pytest.approx(4.46365758866, abs=1e-9)


def test_an_effect_that_reverses_is_found_and_a_constant_one_is_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(800, 2))
    early = rng.exponential(1 / np.exp(1.5 * x[:, 0]))
    time = np.where(early < 0.5, early, 0.5 + rng.exponential(1 / np.exp(-1.5 * x[:, 0] + 0.5 * x[:, 1])))
    event = np.ones(800, bool)
    found = proportional_hazards_test(x, time, event, fit_cox(x, time, event).beta)
    assert found.p[0] < 1e-10
    steady = rng.exponential(1 / np.exp(x @ [0.7, -0.5]))
    level = proportional_hazards_test(x, steady, event, fit_cox(x, steady, event).beta)
    assert level.global_p > 0.01


def test_shift_scale_and_order_change_nothing(lung):
    order = np.random.default_rng(1).permutation(len(lung.time))
    x = 3 + 5 * lung.x[order]
    beta = fit_cox(lung.x, lung.time, lung.event).beta
    one = proportional_hazards_test(lung.x, lung.time, lung.event, beta)
    two = proportional_hazards_test(x, lung.time[order], lung.event[order], beta / 5)
    assert two.chi2 == pytest.approx(one.chi2, rel=1e-9)


def test_bad_input():
    with pytest.raises(NotEstimableError, match="events at one time only"):
        proportional_hazards_test([[1.0], [2.0], [3.0]], [1, 1, 2], [1, 1, 0], [0.1])
    with pytest.raises(DataError, match="3 rows and 1 columns"):
        proportional_hazards_test([[1.0, 2.0]] * 3, [1, 2, 3], [1, 1, 0], [0.1])
