"""Fits of one job: what is passed on, what is checked, and what happens when a fit fails."""

import types
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from triptych import plugins
from triptych.errors import DataError, NotEstimableError
from triptych.fitting import fit_folds, fit_seed, grid
from triptych.tables import FAILURES, FIT, KEY, Examples, check_predictions, keys_hash

BLOCKS = {"clinical": ["age"], "genes": ["g1", "g2"]}


def cohort(n=60, seed=0):
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.normal(size=(n, 3)), columns=["age", "g1", "g2"])
    hidden, censored = random.exponential(np.exp(-table["g1"])), random.uniform(0.5, 3, n)
    keys = {"cohort": "sim", "participant_id": [f"p{k:02d}" for k in range(n)], "session_id": "ses-1", "site": "h1"}
    return Examples(table.assign(**keys, time=np.minimum(hidden, censored), event=hidden <= censored), BLOCKS)


def folds(examples, n=3, repeats=1):
    parts = []
    for repeat in range(repeats):
        fold_of = np.random.default_rng(repeat).permutation(len(examples)) % n
        for fold in range(n):
            part = np.where(fold_of == fold, "test", "train")
            parts.append(examples.table[KEY].assign(repeat=repeat, fold=fold, part=part))
    return pd.concat(parts, ignore_index=True)


def run(
    examples, splits, use="cox", tolerate=False, options=None, times=None, blocks=("clinical", "genes"), seed=3, **more
):
    return fit_folds(
        examples,
        splits,
        task="death",
        name="my-model",
        use=use,
        blocks=list(blocks),
        options=options or {},
        times=times,
        seed=seed,
        device="cpu",
        tolerate=tolerate,
        **more,
    )


@pytest.fixture
def examples():
    return cohort()


@dataclass(frozen=True)
class Options:
    bad_folds: tuple[int, ...] = ()


@dataclass
class Fake:
    """A model that predicts what it is told to."""

    seen: str
    risk: object = 0.0
    drop: int = 0
    column: str = "risk"

    notes = types.MappingProxyType({})

    def predict(self, test, times=None):
        return pd.DataFrame({self.column: self.risk}, index=test.table.index[self.drop :])


@pytest.fixture
def fake(monkeypatch):
    """``fake(make)`` stands ``make(train, seed) -> Fake`` in the place of every model plug-in."""

    def put(make):
        module = types.SimpleNamespace(
            Options=Options, fit=lambda train, options, *, blocks, seed, device: make(train, seed)
        )
        monkeypatch.setattr(plugins, "load", lambda kind, name: module)

    return put


def test_every_row_is_predicted_once_by_a_fit_that_did_not_see_it(examples):
    splits = folds(examples, repeats=2)
    table, notes, failures = run(examples, splits, times=np.array([0.5, 1.0]))
    assert list(table.columns) == [*FIT, *KEY, "site", "time", "event", "risk", "0.5", "1.0"]
    assert len(table) == 2 * len(examples)
    assert not table.duplicated(["repeat", *KEY]).any()
    assert set(table["model"]) == {"my-model"}
    assert set(table["task"]) == {"death"}
    assert failures == []
    assert [(note["repeat"], note["fold"]) for note in notes] == [(r, f) for r in (0, 1) for f in (0, 1, 2)]
    for note in notes:
        rows = splits[(splits["repeat"] == note["repeat"]) & (splits["fold"] == note["fold"])]
        of_fit = table[(table["repeat"] == note["repeat"]) & (table["fold"] == note["fold"])]
        assert note["seen"] == keys_hash(rows[rows["part"] == "train"])
        assert keys_hash(of_fit) == keys_hash(rows[rows["part"] == "test"])
        assert note["n_train"] == 40
    outcome = table[table["repeat"] == 0].merge(examples.table, on=KEY, suffixes=("", "_known"))
    assert (outcome["time"] == outcome["time_known"]).all()
    assert (outcome["event"] == outcome["event_known"]).all()
    assert set(table["event"].unique()) <= {0, 1}


@pytest.mark.parametrize(
    ("known", "asked", "unseen"),
    [
        (["one/a", "one/b"], ["one/c"], ("site",)),
        (["one/a", "one/b"], ["one/a", "one/c"], ()),
        (["one/a", "two/a"], ["two/b"], ("site",)),
        (["one/a", "one/b"], ["two/a"], ("cohort", "site")),
        (["one/a", "one/"], ["one/c"], ()),
        (["one/a", "one/b"], ["two/"], ("cohort",)),
    ],
)
def test_training_is_told_whether_the_tested_places_are_unseen(examples, fake, known, asked, unseen):
    """A site is that of its cohort; an empty one may be any."""
    told = []
    fake(lambda train, seed: told.append(train.unseen) or Fake(train.fingerprint()))
    test = np.arange(len(examples)) >= 40
    where = [one.split("/") for one in (*np.resize(known, 40), *np.resize(asked, 20))]
    table = examples.table.assign(cohort=[c for c, _ in where], site=[s or None for _, s in where])
    splits = table[KEY].assign(repeat=0, fold=0, part=np.where(test, "test", "train"))
    run(Examples(table, BLOCKS), splits)
    assert told == [unseen]


@dataclass
class Looks(Fake):
    """A model that says where it looks."""

    def map(self, test):
        return np.full((2, 1, 1, 1), len(test))


def test_where_a_model_looks_is_noted_with_the_number_of_rows(examples, fake):
    fake(lambda train, seed: Looks(train.fingerprint()))
    _, notes, _ = run(examples, folds(examples))
    assert [(note["map"][0].mean(), note["map"][1]) for note in notes] == [(20, 20)] * 3
    how = {"task": "t", "name": "m", "use": "u", "blocks": [], "options": {}, "times": None, "seed": 0, "device": "cpu"}
    _, permuted, _ = fit_folds(examples, folds(examples), **how, tolerate=False, permuted=True)
    assert all("map" not in note for note in permuted), "there is nothing to look at"
    fake(lambda train, seed: Fake(train.fingerprint()))
    assert all("map" not in note for note in run(examples, folds(examples))[1])


def of_kind(kind, examples):
    """The same rows with a class or a number as outcome."""
    y = {"classification": examples.event.astype(int), "regression": examples.time * 10 + 3}[kind]
    table = examples.table.drop(columns=["time", "event"]).assign(y=y)
    return Examples(table, BLOCKS, kind)


@pytest.mark.parametrize(
    ("kind", "use", "columns"),
    [
        ("classification", "logistic", ["y", "score", "predicted", "p"]),
        ("classification", "dummy", ["y", "score", "predicted", "p"]),
        ("regression", "ridge", ["y", "predicted"]),
    ],
)
def test_classes_and_numbers_are_rows_of_the_waist(examples, kind, use, columns):
    examples = of_kind(kind, examples)
    table, notes, _ = run(examples, folds(examples), use=use)
    assert list(table.columns) == [*FIT, *KEY, "site", *columns]
    check_predictions(table, kind, "predictions")
    told = table.set_index("participant_id")["y"]
    pd.testing.assert_series_equal(told, examples.table.set_index("participant_id")["y"].loc[told.index])
    counted = examples.y > np.median(examples.y) if kind == "regression" else examples.y == 1
    assert sum(note["events_train"] for note in notes) == pytest.approx(2 * counted.sum(), abs=3)


@pytest.mark.parametrize(("kind", "ranked"), [("classification", "score"), ("regression", "predicted")])
def test_a_score_or_number_that_is_not_finite_names_the_person(examples, fake, kind, ranked):
    examples = of_kind(kind, examples)
    fake(lambda train, seed: Fake(train.fingerprint(), risk=np.nan, column=ranked))
    with pytest.raises(DataError, match=rf"fold 1: the {ranked} of p\d\d is not a finite number"):
        run(examples, folds(examples))


@pytest.mark.parametrize("use", ["cox", "random_survival_forest"])
def test_tested_rows_change_nothing_but_their_own_prediction(examples, use):
    splits = folds(examples).query("fold == 0")
    tested = splits.loc[splits["part"] == "test", "participant_id"].tolist()
    one = examples.table["participant_id"] == tested[0]
    odd = Examples(
        examples.table.assign(
            g1=np.where(one, 9.0, examples.table["g1"]),
            time=np.where(one, 100.0, examples.table["time"]),
            event=np.where(one, True, examples.table["event"]),
        ),
        BLOCKS,
    )
    before, after = (run(rows, splits, use=use)[0].set_index("participant_id")["risk"] for rows in (examples, odd))
    assert before[tested[0]] != after[tested[0]]
    pd.testing.assert_series_equal(before.drop(tested[0]), after.drop(tested[0]), check_exact=True)


def test_training_rows_do_change_it(examples):
    splits = folds(examples).query("fold == 0")
    trained = splits.loc[splits["part"] == "train", "participant_id"].iloc[0]
    odd = Examples(
        examples.table.assign(g1=np.where(examples.table["participant_id"] == trained, 9.0, examples.table["g1"])),
        BLOCKS,
    )
    assert not np.allclose(run(examples, splits)[0]["risk"], run(odd, splits)[0]["risk"])


def test_rows_that_are_in_no_part_are_left_alone(examples):
    splits = folds(examples)
    out = splits["participant_id"].isin(["p00", "p01"])
    table, notes, _ = run(examples, splits[~out])
    assert len(table) == 58
    assert sum(note["n_train"] for note in notes) == 2 * 58


def test_equal_ids_of_two_cohorts_are_two_people():
    a, b = cohort(seed=1), cohort(seed=2)
    both = Examples(pd.concat([a.table, b.table.assign(cohort="other")], ignore_index=True), BLOCKS)
    splits = both.table[KEY].assign(repeat=0, fold=0, part=np.where(both.table["cohort"] == "sim", "train", "test"))
    table, _, _ = run(both, splits)
    assert set(table["cohort"]) == {"other"}
    assert len(table) == 60


def test_options_and_blocks_arrive(examples):
    splits = folds(examples).query("fold == 0")
    assert run(examples, splits, options={"ridge": [7.0]})[1][0]["ridge"] == 7.0
    assert run(examples, splits, blocks=["clinical"])[1][0]["columns"] == 1


# ---- seeds ---------------------------------------------------------------------------------------


def test_seeds_are_stable_and_of_their_own():
    assert fit_seed(7390, 0, 0) == 1517208975
    seeds = {fit_seed(seed, repeat, fold) for seed in range(5) for repeat in range(10) for fold in range(10)}
    assert len(seeds) == 500
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_each_fit_gets_its_seed(examples, fake):
    given = []
    fake(lambda train, seed: given.append(seed) or Fake(train.fingerprint()))
    run(examples, folds(examples, repeats=2), seed=5)
    assert given == [fit_seed(5, repeat, fold) for repeat in (0, 1) for fold in (0, 1, 2)]


def test_a_job_of_one_fold_gives_what_a_job_of_all_folds_gives(examples):
    splits = folds(examples)
    whole = run(examples, splits, use="random_survival_forest", options={"trees": 5})[0]
    parts = [
        run(examples, splits[splits["fold"] == k], use="random_survival_forest", options={"trees": 5})[0]
        for k in range(3)
    ]
    pd.testing.assert_frame_equal(whole, pd.concat(parts, ignore_index=True))


# ---- checks of what a model says -----------------------------------------------------------------


def test_a_model_that_saw_other_rows_is_a_fault_of_the_program(examples, fake):
    fake(lambda train, seed: Fake("0123456789abcdef"))
    with pytest.raises(RuntimeError, match="other keys than its training rows"):
        run(examples, folds(examples), tolerate=True)  # never tolerated


def test_a_model_that_leaves_rows_out(examples, fake):
    fake(lambda train, seed: Fake(train.fingerprint(), drop=1))
    with pytest.raises(RuntimeError, match="not those of the held-out rows"):
        run(examples, folds(examples), tolerate=True)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_risk_that_is_not_finite_names_the_person(examples, fake, bad):
    fake(lambda train, seed: Fake(train.fingerprint(), risk=bad))
    splits = folds(examples)
    first = examples.table["participant_id"].isin(splits.query("fold == 0 and part == 'test'")["participant_id"])
    who = examples.table.loc[first, "participant_id"].iloc[0]
    with pytest.raises(
        DataError, match=f"model 'my-model', task 'death', repeat 1, fold 1: the risk of {who} is not a finite"
    ):
        run(examples, splits)


def test_rounding_noise_does_not_break_ties(examples, fake):
    fake(lambda train, seed: Fake(train.fingerprint(), risk=0.1 + 0.2))
    assert set(run(examples, folds(examples))[0]["risk"]) == {0.3}


# ---- fits that fail ------------------------------------------------------------------------------


def failing(*bad, error=DataError):
    """A model whose fits number ``bad`` fail."""
    count = iter(range(100))

    def make(train, seed):
        if next(count) in bad:
            raise error("it will not go")
        return Fake(train.fingerprint())

    return make


@pytest.mark.parametrize("error", [DataError, NotEstimableError])
def test_a_failed_fit_stops_the_job_and_is_named(examples, fake, error):
    fake(failing(4, error=error))
    with pytest.raises(DataError, match="model 'my-model', task 'death', repeat 2, fold 2: it will not go"):
        run(examples, folds(examples, repeats=2))


@pytest.mark.parametrize("error", [DataError, NotEstimableError])
def test_a_failed_fit_that_is_tolerated_is_listed(examples, fake, error):
    fake(failing(1, error=error))
    table, notes, failures = run(examples, folds(examples), tolerate=True)
    assert set(table["fold"]) == {0, 2}
    assert [note["fold"] for note in notes] == [0, 2]
    assert len(failures) == 1
    assert set(failures[0]) >= set(FAILURES)
    assert failures[0]["stage"] == "fit"
    assert "repeat 1, fold 2: it will not go" in failures[0]["reason"]


def test_a_job_in_which_every_fit_failed_is_judged_when_all_are_there(examples, fake):
    fake(failing(0, 1, 2))
    table, notes, failures = run(examples, folds(examples), tolerate=True)
    assert len(table) == 0
    assert set(FIT) <= set(table.columns)
    assert (notes, len(failures)) == ([], 3)


def test_a_fault_of_the_program_is_not_hidden(examples, fake):
    fake(failing(0, error=ZeroDivisionError))
    with pytest.raises(ZeroDivisionError):
        run(examples, folds(examples), tolerate=True)


def test_the_grid_ends_at_the_horizon():
    times = grid(24.0)
    assert (len(times), times[0], times[-1]) == (100, 0.24, 24.0)
    assert grid(None) is None


def test_sites_are_harmonised_by_what_training_says(examples):
    """Shifted and stretched columns of one hospital change nothing, when its part is taken away."""
    second = np.arange(len(examples)) % 2 == 1
    other = examples.table.assign(site=np.where(second, "h2", "h1"))
    moved = other.copy()
    moved.loc[second, ["age", "g1", "g2"]] = moved.loc[second, ["age", "g1", "g2"]] * 3 + 5
    found = {}
    for told in (None, {"method": "combat"}):
        for name, table in (("as it is", other), ("moved", moved)):
            made = Examples(table, BLOCKS)
            found[bool(told), name] = run(made, folds(made), harmonise=told)[0]["risk"].to_numpy()
    apart = {told: np.abs(found[told, "moved"] - found[told, "as it is"]).mean() for told in (True, False)}
    assert apart[True] < apart[False] / 3
