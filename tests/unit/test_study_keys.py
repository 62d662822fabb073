"""A key, a type or a file that is not right is one sentence with file, line, key, and the nearest right word."""

import copy
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from written_study import line_of

from triptych.errors import StudyError
from triptych.study_file import read

REPOSITORY = Path(__file__).resolve().parents[2]

# (what is replaced, by what, word that marks the line, message)
REFUSED = {
    "unknown key at the top": (
        ("audit: {", "audits: {"),
        "audits",
        r"key audits: unknown key 'audits'; did you mean 'audit'\?",
    ),
    "unknown key of a cohort": (
        ("{table: ", "{tabel: "),
        "tabel",
        r"key cohorts\.ours\.tabel: unknown key 'tabel'; did you mean 'table'\?",
    ),
    "unknown key of a task": (
        ("    horizon: 12", "    horizn: 12"),
        "horizn",
        r"key tasks\.os\.horizn: unknown key 'horizn'; did you mean 'horizon'\?",
    ),
    "unknown key of an outcome": (
        ("event_value: 1", "event_valu: 1"),
        "event_valu",
        r"key tasks\.os\.outcome\.event_valu: unknown key 'event_valu'; did you mean 'event_value'\?",
    ),
    "unknown key of a model": (
        ("    label: Cox", "    lable: Cox"),
        "lable",
        r"key models\.cox\.lable: unknown key 'lable'; did you mean 'label'\?",
    ),
    "unknown key of the validation": (
        ("  split: repeated", "  splt: repeated"),
        "splt",
        r"key validation\.splt: unknown key 'splt'; did you mean 'split'\? \(1 more below it\)",
    ),
    "unknown key of the statistics": (
        ("  figures: [", "  figurs: ["),
        "figurs",
        r"key statistics\.figurs: unknown key 'figurs'; did you mean 'figures'\?",
    ),
    "unknown key of the tolerance": (
        ("{patients: 0.1", "{patient: 0.1"),
        "patient: 0.1",
        r"key tolerance\.patient: unknown key 'patient'; did you mean 'patients'\?",
    ),
    "unknown key unlike any": (
        ("    label: Cox", "    qqqqqq: Cox"),
        "qqqqqq",
        r"unknown key 'qqqqqq'; known: label, use, column, external, role",
    ),
    "number that is no number": (
        ("horizon: 12", "horizon: a year"),
        "a year",
        r"key tasks\.os\.horizon: .*number.*, not 'a year'",
    ),
    "list that is no list": (
        ("inputs: [clinical]", "inputs: clinical"),
        "inputs: clin",
        r"models\.cox\.inputs: .*list.*, not 'clinical'",
    ),
    "negative horizon": (
        ("horizon: 12", "horizon: -12"),
        "horizon:",
        r"key tasks\.os\.horizon: .*greater than 0, not -12",
    ),
    "infinite horizon": (
        ("horizon: 12", "horizon: .inf"),
        "horizon:",
        r"key tasks\.os\.horizon: a horizon is a finite time",
    ),
    "share above 1": (
        ("patients: 0.1", "patients: 5"),
        "patients: 5",
        r"key tolerance\.patients: .*less than or equal to 1, not 5",
    ),
    "value of a union": (
        ("event_value: 1", "event_value: [1, 2]"),
        "event_value",
        r"key tasks\.os\.outcome\.event_value: .*not \[1, 2\]",
    ),
    "unknown word of a few": (
        ("estimand: new-patients", "estimand: new-patient"),
        "estimand",
        r"key estimand: 'new-patient' is not one of new-patients, new-site, procedure; did you mean 'new-patients'\?",
    ),
    "audit that does something unknown": (
        ("same_content: warn", "same_content: wran"),
        "same_content",
        r"key audit\.same_content: 'wran' is not one of stop, warn, off; did you mean 'warn'\?",
    ),
    "name with a capital": (
        ("name: mine", "name: Mine Own"),
        "name: Mine",
        r"key name: 'Mine Own' must be lower-case letters, digits, - and _",
    ),
    "missing key": (
        ("question: Which model ranks patients better?\n", ""),
        None,
        r"study\.yaml: the key 'question' is missing",
    ),
    "missing key of a task": (
        ("    title: Overall survival\n", ""),
        "  os:",
        r"key tasks\.os: the key 'title' is missing",
    ),
    "key given twice": (
        ("    label: Cox", "    use: cox"),
        None,
        r"study\.yaml:19, key models\.cox\.use: given twice; keep one",
    ),
    "top key given twice": (("audit: {", "title: {"), None, r"study\.yaml:\d+, key title: given twice; keep one"),
    "no YAML": (("inputs: [clinical]", "inputs: [clinical"), None, r"study\.yaml: not valid YAML: .*line \d+"),
    "tab": (("    label: Cox", "\tlabel: Cox"), None, r"study\.yaml: not valid YAML: .*line 19"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(write_study, what):
    change, mark, message = REFUSED[what]
    path = write_study(change)
    with pytest.raises(StudyError) as caught:
        read(path)
    said = str(caught.value)
    assert re.search(message, said), said
    if mark:
        assert said.startswith(f"{path}:{line_of(path, mark)}, "), said
    assert "\n" not in said


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_an_unknown_key_anywhere_is_named(data):
    """Put a key that nobody knows into any mapping whose keys are fixed."""
    content = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    places = [
        (),
        ("tasks", "dmfs"),
        ("tasks", "dmfs", "outcome"),
        ("models", "deepsurv"),
        ("validation",),
        ("statistics",),
    ]
    place = data.draw(st.sampled_from(places))
    key = data.draw(st.from_regex(r"zz[a-z]{1,6}", fullmatch=True))
    part = content = copy.deepcopy(content)
    for name in place:
        part = part[name]
    part[key] = 1
    with pytest.raises(StudyError, match=f"key {re.escape('.'.join([*place, key]))}: unknown key '{key}'; "):
        read(overrides=content)
