"""Groups of tasks that are one question under several protocols: what the study says, and what the plan asks for."""

from pathlib import Path

import pytest
from written_study import line_of

from triptych import plugins
from triptych.errors import StudyError
from triptych.plan import Plan
from triptych.study_file import read

REPOSITORY = Path(__file__).resolve().parents[2]
TWO = (
    "models:\n",
    """\
  sites:
    title: Overall survival, a hospital left out
    cohorts: [ours]
    outcome: {time: months, event: died, event_value: 1}
    inputs: {clinical: [age, sex], genes: [g*]}
    horizon: 12
    estimand: new-site
    validation: {split: leave_site_out}
models:
""",
)
GROUP = (
    "audit: {",
    """\
protocols:
  death:
    title: Death
    metric: harrell_c
    tasks: {sites: hospital left out, os: hospitals mixed}
audit: {""",
)


@pytest.fixture
def plan(write_study, tmp_path):
    return Plan(read(write_study(TWO, GROUP)), tmp_path, {})


def test_the_plan_asks_in_the_order_of_the_group(plan):
    asked = plan.protocols
    assert [(one["task"], one["protocol"]) for one in asked] == [
        ("sites", "hospital left out"),
        ("os", "hospitals mixed"),
    ]
    assert {(one["group"], one["title"], one["metric"]) for one in asked} == {("death", "Death", "harrell_c")}
    for one in asked:
        assert one["models"] == {"Cox": "Cox, outcomes permuted", "km": "km, outcomes permuted"}
        assert one["leaks"] is False
        assert one["value_unit"] == ""


def test_an_error_has_the_unit_of_its_outcome(tmp_path):
    study = read(REPOSITORY / "config" / "studies" / "leakage.yaml", overrides={"data_root": str(tmp_path)})
    units = {one["group"]: one["value_unit"] for one in Plan(study, tmp_path, {}).protocols}
    assert units == {"slices": "", "volumes": "", "quality": "", "glioma": "", "age": "years"}


def test_a_wrong_protocol_is_told_as_one(write_study, tmp_path):
    wrong = ("{split: leave_site_out}", "{split: row_kfold, wrong_on_purpose: true}")
    asked = Plan(read(write_study((TWO[0], TWO[1].replace(*wrong)), GROUP)), tmp_path, {}).protocols
    assert [one["leaks"] for one in asked] == [True, False]


def test_without_permuted_controls_there_is_nothing_to_stand_beside(write_study, tmp_path):
    asked = Plan(read(write_study(TWO, GROUP, ("tolerance:", "controls: [site]\ntolerance:"))), tmp_path, {}).protocols
    assert asked[0]["models"] == {"Cox": None, "km": None}


def test_table_and_figure_belong_to_the_study_as_a_whole(plan, write_study, tmp_path):
    assert plugins.describe("figures", "protocols")["TABLE"] == "protocols"
    assert "protocols" in plan.study.overall_tables
    assert plan.out / "protocols.tsv" in plan.report_inputs
    alone = read(write_study(name="alone.yaml"))
    assert "protocols" not in alone.overall_tables


@pytest.mark.parametrize(
    ("change", "word", "message"),
    [
        (
            ("sites: hospital", "sitse: hospital"),
            "sitse",
            r"tasks\.sitse: no task 'sitse' in this study; did you mean 'sites'\?",
        ),
        (
            ("metric: harrell_c", "metric: uno_c"),
            "metric: uno_c",
            r"metric: the task 'sites' is not scored by 'uno_c'; known: harrell_c, brier",
        ),
        (
            ("metric: harrell_c", "metric: harrel_c"),
            "metric: harrel_c",
            r"metric: the task 'sites' is not scored by 'harrel_c'; did you mean 'harrell_c'\?",
        ),
        (
            ("sites: hospital left out, ", ""),
            "tasks: {os: hospitals mixed}",
            r"tasks: Dictionary should have at least 2",
        ),
        (("    title: Death", "    titel: Death"), "titel", r"titel: unknown key 'titel'; did you mean 'title'\?"),
    ],
    ids=["name of a task", "other score", "name of a score", "one alone", "key"],
)
def test_faults(write_study, change, word, message):
    path = write_study(TWO, (GROUP[0], GROUP[1].replace(*change)))
    with pytest.raises(StudyError, match=rf"{path.name}:{line_of(path, word)}, key protocols\.death\.{message}"):
        read(path)
