"""The section that puts protocols side by side: what leaks is named, and permuted outcomes are read for what they are."""

import numpy as np
import pytest
import simulated
import simulated_measures

from triptych.report import _protocols
from triptych.report.page import Inputs, render


@pytest.fixture(scope="module")
def table():
    return simulated_measures.protocols(np.random.default_rng(1), "", simulated.models(1))


def words(section):
    cells = [c for t in section.tables for b in t.bodies for row in b.rows for c in row]
    return " ".join([*section.words, *(f"{c.text} {c.sub}" for c in cells)])


def reading(table, **changes):
    """The last cell of the only row of a table."""
    rows = table[(table["group"] == "diagnosis") & (table["apart"] == "people")].copy()
    for column, value in changes.items():
        rows.loc[rows["outcomes"] == "permuted", column] = value
    return _protocols.protocols(rows, []).tables[0].bodies[0].rows[0][-1]


def test_what_leaks_on_purpose_is_named_beside_its_numbers(table):
    section = _protocols.protocols(table, [])
    assert "These protocols leak on purpose (`wrong_on_purpose`): scans split." in section.words
    marked = [row for b in section.tables[0].bodies for row in b.rows if row[-1].text == _protocols.LEAKS]
    assert [row[0].text for row in marked] == ["scans split"]
    assert "part of the score is not about the outcome" in marked[0][-1].sub
    assert "leak" not in words(_protocols.protocols(table[~table["leaks"]], []))


def test_every_number_has_its_interval_unit_and_method(table):
    for body in _protocols.protocols(table, []).tables[0].bodies:
        for row in body.rows:
            for cell in row[2:4]:
                assert " to " in cell.text
                assert "200 patients" in cell.sub
                assert "influence function by patient" in cell.sub
                assert "coverage not measured" in cell.sub


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"low": 0.45, "high": 0.55}, "no evidence that they do better than no skill"),
        ({"low": 0.55, "high": 0.65}, "do better than no skill: part of the score is not about the outcome"),
        ({"low": 0.35, "high": 0.45}, "do worse than no skill"),
        ({"low": np.nan, "high": np.nan}, "no interval"),
        ({"estimable": False}, "Nothing is known of permuted outcomes"),
    ],
)
def test_permuted_outcomes_are_read_against_no_skill(table, changes, said):
    assert said in reading(table, **changes).text


def test_for_errors_better_is_lower(table):
    errors = table.assign(direction="lower")
    assert "do better than no skill" in reading(errors, low=0.35, high=0.45).text
    assert "do worse than no skill" in reading(errors, low=0.55, high=0.65).text


def test_it_stands_at_the_top_of_the_page(table):
    made = simulated.study(2, 1)
    figure = simulated.drawn({"protocols": table}, ["protocols"])
    page = render(Inputs(**{**vars(made), "tables": {"protocols": table, **made.tables}, "figures": figure}))
    assert page.index('id="protocols"') < page.index('id="ranks"') < page.index('id="task-')
    assert page.index('id="protocols"') < page.index(
        "alt=&#34;The same data" if "alt=&#34;The" in page else 'alt="The same data'
    )


def test_an_empty_table_is_said_to_be_empty(table):
    assert _protocols.protocols(table.iloc[:0], []).empty
