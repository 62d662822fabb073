"""Precision planning against the worked example, pROC's power, and its own inverses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import DataError, NotEstimableError
from triptych.inference.intervals import from_influence, over_sites
from triptych.inference.planning import (
    cases_for_auc,
    effective_rows,
    half_width,
    patients_for,
    site_half_width,
    sites_for,
    unit_half_width,
    units_for,
)


def test_the_worked_example():
    assert effective_rows(60, 4, 0.8) == pytest.approx(70.6, abs=0.05)
    assert half_width(0.8, 60, 4, 0.8) == pytest.approx(0.093, abs=5e-4)


def test_the_ends_of_the_correlation():
    assert effective_rows(60, 4, 0) == 240
    assert effective_rows(60, 4, 1) == 60
    # more scans cannot pass patients / ICC
    assert effective_rows(60, 1e9, 0.8) == pytest.approx(60 / 0.8)


def test_sites_by_the_measured_widths():
    # section 3.2: mean widths .341, .202, .134 at 5, 10, 20 sites
    sd = 0.341 / 2 / site_half_width(1, 5)
    assert 2 * site_half_width(sd, 10) == pytest.approx(0.202, abs=0.01)
    assert 2 * site_half_width(sd, 20) == pytest.approx(0.134, abs=0.01)
    values = np.array([0.61, 0.7, 0.66, 0.58, 0.72])
    found = over_sites(values, level=0.95)
    assert site_half_width(values.std(ddof=1), 5) == pytest.approx((found.high - found.low) / 2)


def test_auc_against_one_half_as_in_proc():
    found = cases_for_auc(0.8)
    assert (found.cases, found.controls) == pytest.approx((16.6192, 16.6192), abs=1e-4)
    twice = cases_for_auc(0.8, controls_per_case=2)
    assert (twice.cases, twice.controls) == pytest.approx((12.80825, 25.61651), abs=1e-5)


@settings(max_examples=100, deadline=None)
@given(st.floats(0.02, 0.3), st.floats(0.05, 0.95), st.integers(1, 8), st.floats(0, 1))
def test_patients_are_the_fewest(width, p, rows, icc):
    n = patients_for(width, p, rows, icc)
    assert half_width(p, n, rows, icc) <= width * (1 + 1e-9)
    assert n == 1 or half_width(p, n - 1, rows, icc) > width * (1 - 1e-9)


@settings(max_examples=100, deadline=None)
@given(st.floats(0.005, 0.5), st.floats(0.01, 0.3))
def test_sites_are_the_fewest(width, sd):
    n = sites_for(width, sd)
    assert site_half_width(sd, n) <= width
    assert n == 5 or site_half_width(sd, n - 1) > width


def test_what_is_refused():
    with pytest.raises(NotEstimableError, match="4 sites"):
        site_half_width(0.1, 4)
    for call, message in (
        (lambda: half_width(1, 60), "p is 1"),
        (lambda: half_width(0.5, 60, 0.5), "rows per patient is 0.5"),
        (lambda: half_width(0.5, 60, 2, 1.2), "icc is 1.2"),
        (lambda: patients_for(0, 0.5), "half-width is 0"),
        (lambda: sites_for(0, 0.1), "half-width is 0"),
        (lambda: site_half_width(0, 6), "sd is 0"),
        (lambda: cases_for_auc(0.5), "auc is 0.5"),
        (lambda: cases_for_auc(0.8, controls_per_case=0), "controls per case is 0"),
    ):
        with pytest.raises(DataError, match=message):
            call()


@settings(max_examples=100, deadline=None)
@given(st.floats(0.01, 0.5), st.floats(0.05, 2))
def test_units_are_the_fewest(width, sd):
    n = units_for(width, sd)
    assert unit_half_width(sd, n) <= width
    assert n == 20 or unit_half_width(sd, n - 1) > width


def test_units_are_planned_as_intervals_are_made():
    values = np.random.default_rng(0).normal(size=60)
    made = from_influence(0.6, (values - values.mean()) / 60, level=0.9, scale="identity")
    assert unit_half_width(values.std(ddof=1), 60, level=0.9) == pytest.approx((made.high - made.low) / 2)


def test_units_that_cannot_be_planned():
    with pytest.raises(NotEstimableError, match="19 patients are too few"):
        unit_half_width(1.0, 19)
    with pytest.raises(NotEstimableError, match="do not vary"):
        units_for(0.05, 0.0)
    with pytest.raises(DataError, match="half-width is 0"):
        units_for(0.0, 1.0)
