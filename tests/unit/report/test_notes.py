"""Odd scans that are used: notes of one kind are counted together, and the scans are named."""

import dataclasses

import pandas as pd
import simulated

from triptych.report._notes import notes
from triptych.report.page import render

ODD = [("c", f"sub-{k}", f"{k},100 voxels are NaN or infinite") for k in range(1, 8)]
ODD += [
    ("c", "sub-1", "the same image as sub-9 (participant 'P 9')"),
    ("c", "sub-2", "the same image as sub-8 (participant 'x')"),
]
ODD += [("c", "sub-3", "the headers do not say: Manufacturer"), ("c", "sub-10", ""), ("c", "sub-11", "")]
TABLE = pd.DataFrame(ODD, columns=["cohort", "scan", "note"])


def rows(section):
    return [[cell.text for cell in row] for row in section.tables[0].bodies[0].rows]


def test_notes_of_one_kind_are_counted_and_the_first_scans_named():
    section = notes(TABLE)
    assert section.words[0].startswith("7 of 9 scans that can be used have something odd")
    assert rows(section) == [
        [
            "1,100 voxels are NaN or infinite (and the like)",
            "7 scans",
            "sub-1, sub-2, sub-3, sub-4, sub-5 and 2 more",
        ],
        ["the same image as sub-9 (participant 'P 9') (and the like)", "2 scans", "sub-1, sub-2"],
        ["the headers do not say: Manufacturer", "1 scan", "sub-3"],
    ]


def test_scans_of_two_cohorts_have_their_cohort():
    two = pd.concat([TABLE, TABLE.assign(cohort="d")])
    assert rows(notes(two))[2][1:] == ["2 scans", "c/sub-3, d/sub-3"]


def test_nothing_odd_is_said():
    section = notes(TABLE[TABLE["note"] == ""])
    assert section.words[0].startswith("0 of 2 scans")
    assert not section.tables


def test_it_stands_on_the_page_of_a_study_with_scans_only():
    study = simulated.study(1, 2)
    assert "NaN or infinite" in render(dataclasses.replace(study, notes=TABLE))
    assert "Odd scans that are used" not in render(study)
