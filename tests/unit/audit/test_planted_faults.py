"""Leaks planted in simulated studies: each is found, with the right severity, and names the rows; clean studies are silent."""

import re
from pathlib import Path

import pytest

from triptych import auditing, plugins
from triptych.planted.clean import KINDS, clean
from triptych.planted.kinds import LEAKS
from triptych.planted.lookalikes import CLEAN_CONTENT, CONTENT_LEAKS
from triptych.planted.measure import ALARMS, CLEAN, SEEN, find, kinds, measure, only

SEEDS = (0, 1, 2)  # one for each kind of outcome; the benchmark (`snakemake leaks`) has twenty
NOT_PLANTED = {
    "shared_sites",
    "two_spellings",
}  # elsewhere: no fault of the data, and found when cohorts are read


@pytest.mark.parametrize(
    ("kind", "seed"), [(kind, seed) for kind in LEAKS for seed in SEEDS[: 1 if kind in CONTENT_LEAKS else 3]]
)
def test_a_planted_leak_is_found_and_its_rows_are_named(kind, seed):
    tasks = LEAKS[kind].tasks
    assert find(kind, tasks[seed % len(tasks)], seed) == (True, True)


@pytest.mark.parametrize("task", KINDS)
def test_nothing_is_found_in_a_clean_study(task):
    context = clean(task, 7).context()
    found = auditing.run(context, {})
    alarms = found[found["severity"].isin(ALARMS)]
    assert alarms.empty, alarms[["check", "severity", "message"]].to_string()
    looked = set(found["check"][found["severity"] == "pass"])
    assert looked >= {leak.check for leak in LEAKS.values() if leak.base is clean}, (
        "silent because it looked, not because it could not"
    )


def test_every_check_has_a_leak():
    planted = {leak.check for leak in LEAKS.values()}
    assert set(plugins.names("audit")) - NOT_PLANTED == planted


@pytest.mark.parametrize("kind", [kind for kind in LEAKS if kind not in CONTENT_LEAKS])
def test_the_same_check_is_silent_where_nothing_was_planted(kind):
    leak = LEAKS[kind]
    others = {name: "off" for name in plugins.names("audit") if name != leak.check}
    found = auditing.run(clean(leak.tasks[0], 11).context(), others)
    assert not found["severity"].isin(ALARMS).any()


@pytest.mark.parametrize("kind", CLEAN_CONTENT)
def test_nobody_is_alike_in_a_clean_study_with_content(kind):
    base, check = CLEAN_CONTENT[kind]
    found = only(check, base("survival", 0))
    assert list(found["severity"]) == ["pass"]
    assert "are alike" in found["message"].iloc[0]
    assert found["value"].iloc[0] < found["threshold"].iloc[0]


def test_a_measurement_counts_what_was_planted():
    row = measure("outcome among the inputs", range(2))
    assert (row["planted"], row["found"], row["named"], row["sensitivity"], row["false_alarms"]) == (2, 2, 2, 1.0, "")
    row = measure(SEEN, range(3))
    assert (row["planted"], row["found"], row["check"]) == (3, 3, "check_seen")
    assert kinds() == [CLEAN, *CLEAN_CONTENT, *LEAKS, SEEN]


@pytest.mark.parametrize("kind", ["site stands for the outcome", "the same at half strength"])
def test_what_the_site_alone_reaches_is_told_with_its_interval(kind):
    leak = LEAKS[kind]
    planted, _ = leak.plant(clean("classification", 3), None)
    found = plugins.load("audit", leak.check).check(planted.context()).iloc[0]
    assert found["measure"] == "AUC of site alone"
    assert 0.5 < found["low"] < found["value"] < found["high"] < 1
    assert found["value"] > (0.85 if kind == "site stands for the outcome" else 0.6)


def test_the_docs_show_every_leak_and_every_check():
    text = (Path(__file__).resolve().parents[3] / "docs" / "leakage.md").read_text()
    for kind, leak in LEAKS.items():
        does = {"stop": "stops", "warn": "warns"}[leak.action]
        assert re.search(rf"^\| {re.escape(kind)} \|.*\| `{leak.check}` \| {does} \|", text, re.M), kind
    for name in plugins.names("audit"):
        assert f"`{name}`" in text, name
