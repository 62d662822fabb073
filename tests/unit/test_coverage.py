"""Measured coverage: simulations know their truth, reference cells come out again, readers are told the nearest cell."""

from pathlib import Path

import numpy as np
import pytest
from scipy import special

from triptych import plugins
from triptych.coverage import again, digest, learners, lookup
from triptych.coverage.cells import CLAIMS, METRICS, REPLICATES, Cell, grid, job_of, jobs
from triptych.coverage.lookup import nearest, quote
from triptych.coverage.measure import measure
from triptych.coverage.observed import Patients, evidence, score, situation, split
from triptych.coverage.scans import Hospitals
from triptych.coverage.scans import World as Scanned
from triptych.coverage.survival import Truth, World, train
from triptych.errors import NotEstimableError


def rng(seed=0):
    return np.random.default_rng(seed)


# ---- survival


def test_the_world_has_the_events_that_were_asked_for():
    for events in (0.15, 0.3, 0.6):
        world = World(1.0, events, inputs=3)
        cohort = world.draw(40_000, rng(1))
        assert cohort.event.mean() == pytest.approx(events, abs=0.01)
        assert cohort.time.max() <= world.window


def test_coarse_visits_make_ties():
    world = World(1.0, 0.3)
    cohort = World(1.0, 0.3, visits=world.window / 4).draw(500, rng(1))
    assert len(np.unique(cohort.time)) <= 4


def test_a_model_trained_on_many_patients_finds_the_effect():
    world = World(1.0, 0.6, inputs=4)
    model = train(world.draw(20_000, rng(2)), world.horizon)
    assert model.beta == pytest.approx([0.5] * 4, abs=0.05)


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_the_truth_of_a_cox_model_needs_no_patients(strength):
    """From the coefficients alone comes what 40,000 new patients show."""
    world = World(strength, 0.3, inputs=3)
    model = train(world.draw(150, rng(3)), world.horizon)
    found, held = Truth(world, score, 20_000)(model), model.held(world.draw(40_000, rng(4)))
    for metric in METRICS["survival"]:
        assert found[metric] == pytest.approx(score(metric, held)[0], abs=0.012), metric
    if not strength:
        assert found["harrell_c"] == pytest.approx(0.5, abs=0.012)


# ---- scans


@pytest.mark.parametrize("strength", [0.5, 1.5, 3.8])
def test_classes_lie_as_far_apart_as_was_asked(strength):
    world = Scanned(0.3, strength)
    held = world.draw(200_000, rng()).classified(rng(1))
    assert score("accuracy", held)[0] == pytest.approx(world.accuracy, abs=0.004)
    assert score("auc", held)[0] == pytest.approx(special.ndtr(strength / np.sqrt(2)), abs=0.005)
    assert held.p[held.y == 1].sum() + held.p[held.y == 0].sum() == pytest.approx(held.y.sum(), rel=0.02)  # calibrated


def test_scans_of_a_patient_hang_together_as_was_asked():
    for sizes, most in (("random", 20), ("uneven", 200), ("informative", 200)):
        scans = Scanned(0.5, 0.0, sizes, 0.8).draw(20_000, rng())
        k = np.bincount(scans.unit)
        assert k.mean() == pytest.approx(4.0, abs=0.15)
        assert 10 < k.max() < most
        first, second = (np.cumsum(k) - k)[k > 1], (np.cumsum(k) - k)[k > 1] + 1
        noise = scans.noise(rng(1))
        assert np.corrcoef(noise[first], noise[second])[0, 1] == pytest.approx(0.8, abs=0.03)
    own = scans.own[np.cumsum(k) - 1]
    assert np.corrcoef(own, k)[0, 1] > 0.4  # informative: the higher the patient's part, the more scans
    assert np.bincount(Scanned(0.5, 0.0).draw(30, rng()).unit).tolist() == [1] * 30


def test_numbers_explain_what_was_asked():
    held = Scanned(0.5, 1.5).draw(100_000, rng()).predicted(rng(1))
    assert score("r2", held)[0] == pytest.approx(1.5**2 / (1 + 1.5**2), abs=0.006)
    assert score("mae", held)[0] == pytest.approx(np.sqrt(2 / np.pi), abs=0.006)


def test_hospitals_differ_as_was_asked():
    hospitals = Hospitals(Scanned(0.5, 1.5), 40)
    deviation = rng().normal(size=20_000)
    own = special.ndtr((1.5 + hospitals.gain(deviation)) / 2)  # accuracy of each
    assert special.logit(own).std() == pytest.approx(0.7, abs=0.02)
    scans, site, _ = hospitals.draw(2000, rng(1))
    assert np.bincount(site).mean() == pytest.approx(40, abs=1)
    gain = hospitals.gain(deviation[:2000])
    held = scans.classified(rng(2), None, gain[site])
    right = np.bincount(site, held.predicted == held.y) / np.bincount(site)
    assert np.mean(right) == pytest.approx(own[:2000].mean(), abs=0.006)


# ---- training


@pytest.mark.parametrize(("classes", "strength"), [(True, 0.0), (True, 1.5), (False, 0.0), (False, 1.0)])
def test_the_truth_of_a_linear_model_needs_no_patients(classes, strength):
    training = learners.Training(Scanned(0.3 if classes else 0.5, strength), 4, classes)
    model = learners.train(training.draw(60, rng()), np.ones(60, dtype=bool), classes)
    fresh = training.draw(200_000, rng(1))
    held = learners.held(fresh, [model], np.zeros(200_000, dtype=int), classes)
    for metric, value in learners.truth(model, training).items():
        assert score(metric, held)[0] == pytest.approx(value, abs=0.008), metric


def test_other_inputs_see_the_same_patients():
    training = learners.Training(Scanned(0.5, 1.0, "random", 0.8), 3, False)
    one = training.draw(50, rng())
    two = training.draw(50, rng(1), one)
    assert np.array_equal(one.y, two.y)
    assert np.array_equal(one.patients.unit, two.patients.unit)
    assert not np.isclose(one.x, two.x).any()


def test_folds_hold_whole_patients_of_both_classes():
    unit = np.repeat(np.arange(30), 3)
    patients = Patients(unit, unit < 10, classes=True)
    fold = split(patients, 5, rng())
    assert all(len(np.unique(fold[unit == u])) == 1 for u in range(30))
    assert np.array_equal(np.bincount(fold[::3][:10]), [2] * 5)


# ---- what a report would know


def test_the_evidence_is_that_of_the_metric():
    scans = Scanned(0.4, 1.0, "random", 0.5).draw(40, rng())
    held = scans.classified(rng(1))
    known = evidence("sensitivity", [held], scans.patients)
    assert known.value == score("sensitivity", held)[0]
    assert known.rows.tolist() == np.bincount(scans.unit, scans.y, 40).tolist()
    assert known.influence.sum() == pytest.approx(0, abs=1e-12)
    positive = np.bincount(scans.unit, scans.y, 40) > 0
    assert known.fewest == min(positive.sum(), 40 - positive.sum())
    where = situation("sensitivity", known, "new-patients", 0.95)
    assert (where.several, where.patients, where.whole) == (True, 40, False)


def test_folds_and_sites_are_scored_by_themselves():
    training = learners.Training(Scanned(0.5, 1.5), 2, True)
    sample = training.draw(120, rng())
    folds = [split(sample.patients, 4, rng(k)) for k in range(2)]
    repeats = [learners.held(sample, [learners.train(sample, f != k, True) for k in range(4)], f, True) for f in folds]
    known = evidence("auc", repeats, sample.patients, 4)
    assert known.by_fold[5] == score("auc", repeats[1].take(folds[1] == 1))[0]
    assert (known.n_folds, known.n_repeats, known.ratio) == (4, 2, 1 / 3)
    site = np.arange(120) % 3
    site[0] = 3  # one patient: too few for a score
    known = evidence("accuracy", repeats[:1], Patients(sample.patients.unit, sample.y, site, True))
    right = repeats[0].predicted == sample.y
    assert known.by_site[1] == right[site == 1].mean()
    assert np.isnan(known.by_site[3])


# ---- the shipped table


def key(row):
    """Where on the grid a row of the shipped table lies."""
    facts = (row["kind"], int(row["n"]), float(row["events"]), float(row["strength"]), row["sizes"], float(row["icc"]))
    return facts + tuple(int(row[name]) for name in ("sites", "inputs", "folds", "repeats")) + (float(row["visits"]),)


def where(cell):
    return key({**{name: str(value) for name, value in cell.__dict__.items()}})


def test_the_shipped_table_holds_every_cell_and_metric():
    found = {(r["scenario"], key(r), r["metric"]) for r in lookup.table() if r["chosen"] == "True"}
    wanted = {(s, where(c), m) for c in grid() for s in CLAIMS[c.scenario] for m in METRICS[c.kind]}
    assert found == wanted, "the grid changed: run `make coverage`"
    most = {s: REPLICATES[scenario] for scenario in CLAIMS for s in CLAIMS[scenario]}
    assert all(int(r["replicates"]) <= most[r["scenario"]] for r in lookup.table())


@pytest.mark.parametrize(
    "cell",
    [
        Cell("survival", "given-model", 100, 0.3, 1.0),
        Cell("classification", "given-model", 50, 0.3, 1.5, "informative", 0.8),
        Cell("regression", "two-models", 50, 1.0, 1.5, "random", 0.8),
        Cell("classification", "new-site", 40, 0.3, 1.5, sites=10),
    ],
    ids=lambda c: f"{c.kind} {c.scenario}",
)
def test_the_shipped_numbers_come_out_again(cell):
    """Fresh replicates lie within four Monte-Carlo errors of the shipped share."""
    for row in measure(cell, 100, seed=5):
        same = (row["scenario"], row["metric"], row["method"])
        known = [
            r for r in lookup.table() if (r["scenario"], r["metric"], r["method"]) == same and key(r) == where(cell)
        ]
        shipped, tried = float(known[0]["share"]), float(known[0]["estimable"]) * int(known[0]["replicates"])
        if tried < lookup.FEWEST or row["estimable"] < 0.5:
            continue
        middle = (shipped * tried + row["share"] * 100) / (tried + 100)
        error = np.sqrt(middle * (1 - middle) * (1 / (100 * row["estimable"]) + 1 / tried))
        assert abs(row["share"] - shipped) < 4 * error + 1e-9, same


def test_the_jobs_cover_the_grid():
    assert {job_of(cell) for cell in grid()} == set(jobs())
    assert len(set(grid())) == len(grid())
    assert {cell.scenario for cell in grid()} == set(CLAIMS) == set(REPLICATES)


def test_every_metric_that_ships_is_measured():
    scores = {m for kind, metrics in METRICS.items() for m in metrics if kind != "calibration"}
    assert scores == set(plugins.names("metrics"))


# ---- what readers are told


def a_row(**facts):
    base = {"kind": "classification", "scenario": "given-model", "metric": "auc", "method": "influence-welch"}
    base |= {"n": 100, "events": 0.3, "sites": 0, "icc": 0.0, "seen_icc": 0.0, "rows": 1.0, "share": 0.95}
    base |= {"estimable": 1.0, "replicates": 1000, "chosen": "True", "refused": 0.0, "if_not_refused": ""}
    return {name: str(value) for name, value in (base | facts).items()}


@pytest.fixture
def shipped(monkeypatch):
    def put(*rows):
        for module in (lookup, digest):
            monkeypatch.setattr(module, "table", lambda: list(rows))
        lookup._measured.cache_clear()

    yield put
    lookup._measured.cache_clear()


def test_the_nearest_cell_is_quoted_and_the_worst_of_equals(shipped):
    shipped(a_row(), a_row(share=0.93), a_row(n=500, share=0.96), a_row(n=200, estimable=0.05, share=0.5))
    found = nearest("given-model", "auc", n=120, events=0.25)
    assert (found.n, found.share) == (100, 0.93)
    told = "nominal 95%, measured 93.0% at worst in the nearest simulated cells (100 patients, 30% positive)"
    assert quote("given-model", "auc", "influence-welch", level=0.95, n=120, events=0.25) == told
    assert nearest("given-model", "auc", n=400, events=0.25).n == 500
    assert nearest("given-model", "auc", n=200, events=0.3).share == 0.93  # the cell of 200 has too few intervals
    assert nearest("given-model", "something else", n=400, events=0.25) is None


def test_rows_of_a_patient_are_told_apart(shipped):
    several = {"rows": 4.02, "n": 50}
    shipped(
        a_row(),
        a_row(**several, icc=0.8, seen_icc=0.55, share=0.94),
        a_row(**several, icc=0.8, seen_icc=0.57, share=0.96),
        a_row(**several, icc=0.0, seen_icc=0.02, share=0.951),
    )
    found = nearest("given-model", "auc", n=50, events=0.3, rows=3.6, icc=0.5)
    assert found.share == 0.94
    assert "50 patients, 4 rows each, ICC 0.8, 30% positive" in found.words(0.95)
    assert nearest("given-model", "auc", n=50, events=0.3, rows=3.6, icc=0.1).share == 0.951


def test_data_unlike_any_cell_are_not_measured(shipped):
    shipped(a_row(), a_row(method="wilson", metric="accuracy"), a_row(scenario="new-site", n=40, sites=10))
    like = {"n": 100, "events": 0.3}
    assert "measured 95.0%" in quote("given-model", "auc", "influence-welch", level=0.95, **like)
    for strange in ({"n": 300}, {"n": 30}, {"events": 0.05}, {"rows": 8, "icc": 0.5}):
        told = quote("given-model", "auc", "influence-welch", level=0.95, **(like | strange))
        assert told == "not measured: the data are unlike any simulated cell", strange
    assert quote("given-model", "auc", "wilson", level=0.95, **like) == "not measured for this method"
    assert quote("given-model", "auc", "influence-welch", level=0.9, **like) == "not measured at 90%"
    assert nearest("new-site", "auc", n=50, events=0.3, sites=8).sites == 10
    assert nearest("new-site", "auc", n=50, events=0.3, sites=30) is None


def test_the_common_class_is_read_from_the_other_side(shipped):
    shipped(a_row(metric="sensitivity", share=0.91), a_row(metric="specificity", share=0.96))
    assert nearest("given-model", "sensitivity", n=100, events=0.3).share == 0.91
    assert nearest("given-model", "sensitivity", n=100, events=0.7).share == 0.96


def test_of_tests_the_most_false_positives_are_quoted(shipped):
    shipped(*(a_row(scenario="two-models", method="paired-welch", share=share) for share in (0.04, 0.062)))
    told = quote("two-models", "auc", "paired-welch", level=0.95, n=100, events=0.3)
    assert told.startswith("nominal 5% false positives, measured 6.2% at worst")


def test_a_metric_without_a_value_is_left_out():
    held = Scanned(0.5, 1.0).draw(20, rng()).classified(rng())
    with pytest.raises(NotEstimableError):
        evidence("auc", [held.take(held.y == 1)], Patients(np.arange(int(held.y.sum())), np.ones(held.y.sum(), bool)))


def test_the_docs_show_the_table_in_short():
    text = (Path(__file__).resolve().parents[2] / "docs" / "coverage.md").read_text(encoding="utf-8")
    for tests in (False, True):
        told = "\n".join(digest.markdown(tests=tests))
        assert told in text, "write the tables of docs/coverage.md anew: `python -m triptych.coverage.digest`"


# .904 and .090 are two Monte-Carlo errors from the goal with 400 replicates
MISSES = ({"share": 0.902}, {"share": 0.1, "scenario": "two-models"}, {"share": 0.87, "scenario": "procedure"})
KEEPS = (
    {"share": 0.907},
    {"share": 0.089, "scenario": "two-models"},
    {"share": 0.8, "chosen": "False"},
    {"share": 0.8, "estimable": 0.2},
    {"share": 1.0},
)


def test_what_misses_the_goal_by_more_than_chance():
    rows = [a_row(**facts, replicates=400) for facts in (*MISSES, *KEEPS)]
    assert digest.missing(rows) == rows[: len(MISSES)]
    assert digest.missing(rows, errors=1) == rows[: len(MISSES) + 2]


def test_a_cell_that_misses_is_measured_again(monkeypatch):
    """In the very cell of the grid, by the same method, and only there."""
    cell = Cell("classification", "new-site", 40, 0.5, 3.8, sites=10)
    facts = {name: str(value) for name, value in cell.__dict__.items()}
    row = a_row(metric="auc", method="t-over-sites", share=0.85) | facts
    kept = row | {"share": "0.93", "sites": "20"}
    asked = []

    def measured(cell, replicates, seed):
        asked.append((cell, replicates, seed))
        facts = {"scenario": "new-site", "method": "t-over-sites", "estimable": 0.5, "replicates": replicates}
        return [{**facts, "metric": "auc", "share": 0.951}, {**facts, "metric": "accuracy", "share": 0.1}]

    monkeypatch.setattr(again, "measure", measured)
    told = list(again.again([kept, row, row], 2000, 7))[2:]
    assert asked == [(cell, 2000, 7)]
    assert told == [f"| {cell} | t-over-sites | auc | 0.850 | 0.951 | 1000 |"] * 2


def test_every_row_of_the_table_names_its_cell():
    shipped = Path(lookup.__file__).with_name("measured.tsv")
    assert again.read(shipped) == lookup.table()
    assert {again.cell_of(row) for row in lookup.table()} == set(grid())


def test_nothing_that_the_rule_gives_misses_the_goal():
    assert digest.missing(lookup.table()) == []


def test_the_table_in_short_counts_cells(shipped):
    refused = {"estimable": 0.01, "if_not_refused": 0.81, "refused": 0.9, "share": 0.7}
    tests = {"scenario": "two-models", "method": "paired-welch"}
    shipped(
        a_row(share=0.91),
        a_row(share=0.99),
        a_row(**refused),
        a_row(share=0.1, chosen="False"),
        a_row(**tests, share=0.07),
        a_row(**tests, share=0.09),
    )
    assert digest.markdown(tests=False)[2:] == [
        "| one trained model, new patients | `influence-welch` | 2 | .910 | .950 | .990 | 1 | 1 | .810 to .810 in 1 cells |"
    ]
    assert digest.markdown(tests=True)[2:] == [
        "| two trained models | `paired-welch` | 2 | .070 | .080 | .090 | 1 | - |"
    ]
