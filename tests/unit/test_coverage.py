"""Measured coverage: the simulation knows its truth, the shipped table is whole, readers are told the nearest cell."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from triptych.coverage import lookup
from triptych.coverage.lookup import nearest
from triptych.coverage.measure import EVENTS, METRICS, REPLICATES, SCENARIOS, Cell, grid, measure
from triptych.coverage.survival import World, train


def test_the_world_has_the_events_that_were_asked_for():
    for events in (0.15, 0.3, 0.6):
        world = World(1.0, events, inputs=3)
        cohort = world.draw(40_000, np.random.default_rng(1))
        assert cohort.event.mean() == pytest.approx(events, abs=0.01)
        assert cohort.time.max() <= world.window


def test_coarse_visits_make_ties():
    world = World(1.0, 0.3)
    cohort = World(1.0, 0.3, visits=world.window / 4).draw(500, np.random.default_rng(1))
    assert len(np.unique(cohort.time)) <= 4


def test_a_model_trained_on_many_patients_finds_the_effect():
    world = World(1.0, 0.6, inputs=4)
    model = train(world.draw(20_000, np.random.default_rng(2)), world.horizon)
    assert model.beta == pytest.approx([0.5] * 4, abs=0.05)


def test_without_a_signal_the_truth_is_one_half():
    world = World(0.0, 0.3)
    model = train(world.draw(200, np.random.default_rng(3)), world.horizon)
    from triptych.metrics.harrell_c import contributions

    assert contributions(model.held(world.draw(100_000, np.random.default_rng(4))))[0] == pytest.approx(0.5, abs=0.01)


def place(row):
    """Where on the grid a row of the shipped table lies."""
    return int(row["n"]), *(float(row[name]) for name in ("events", "strength", "visits")), int(row["sites"])


def test_the_shipped_table_holds_every_cell_and_metric():
    found = {(r["scenario"], *place(r), r["metric"]) for r in lookup.table()}
    wanted = {(c.scenario, c.n, c.events, c.strength, c.visits, c.sites, m) for c in grid() for m in METRICS}
    assert found == wanted, "the grid changed: run `make coverage`"
    assert all(int(r["replicates"]) == REPLICATES[r["scenario"]] for r in lookup.table())


@pytest.mark.parametrize(
    "cell", [Cell("given-model", 100, 0.3, 1.0), Cell("two-models", 200, 0.3, 1.0)], ids=lambda c: c.scenario
)
def test_the_shipped_numbers_come_out_again(cell):
    """300 fresh replicates lie within four Monte-Carlo errors of the shipped share."""
    for row in measure(cell, 300, seed=5):
        here = (cell.n, cell.events, cell.strength, 0.0, 0)
        known = [r for r in lookup.table() if (r["scenario"], r["metric"]) == (cell.scenario, row["metric"])]
        shipped = next(r for r in known if place(r) == here)
        share = float(shipped["share"])
        error = np.sqrt(share * (1 - share) * (1 / 300 + 1 / int(shipped["replicates"])))
        assert abs(row["share"] - share) < 4 * error + 1e-9


def test_the_nearest_cell_is_quoted_and_the_worst_of_equals(monkeypatch):
    base = {
        "scenario": "given-model",
        "metric": "harrell_c",
        "events": "0.3",
        "sites": "0",
        "estimable": "1.0",
        "replicates": "1000",
    }
    rows = [
        {**base, "n": "100", "share": "0.95"},
        {**base, "n": "100", "share": "0.93"},
        {**base, "n": "500", "share": "0.96"},
    ]
    monkeypatch.setattr(lookup, "table", lambda: rows)
    found = nearest("given-model", "harrell_c", n=120, events=0.25)
    assert (found.n, found.share) == (100, 0.93)
    assert (
        found.words(0.95)
        == "nominal 95%, measured 93.0% at worst in the nearest simulated cells (100 patients, 30% with event)"
    )
    assert nearest("given-model", "harrell_c", n=400, events=0.25).n == 500
    assert nearest("given-model", "something else", n=400, events=0.25) is None


def test_the_rules_ask_for_every_scenario_and_share():
    rules = (Path(__file__).resolve().parents[2] / "workflow" / "rules" / "coverage.smk").read_text()
    asked = {name: ast.literal_eval(value) for name, value in re.findall(r"^(SCENARIOS|SHARES) = (.*)$", rules, re.M)}
    assert set(asked["SCENARIOS"]) == set(SCENARIOS)
    assert [float(share) for share in asked["SHARES"]] == list(EVENTS)
