"""Images among the inputs: paths stay paths, and rows without a usable scan leave before the outcome is looked at."""

import json

import pytest
from written_table import MONTHS, examples, left, lines, put

from triptych.audit._inputs import inputs
from triptych.errors import DataError
from triptych.ledger import check_tolerance
from triptych.tables import Examples, read_examples, write

PATHS = [f"scans/{k}.npy" for k in range(12)]


def scanned(status=None, **columns):
    more = {"mri_status": status} if status else {}
    return lines(mri_t1w=columns.pop("paths", PATHS), mri_gm_ml=[600 + k for k in range(12)], **more, **columns)


IMAGE = {"image": ["mri_t1w"], "all": ["age"]}


def test_paths_stay_text_and_are_given_to_models(cohort_of, tmp_path):
    people, _ = cohort_of(scanned())
    made, ledger = examples(people, inputs=IMAGE)
    assert [str(path) for path in made.images(["image"])] == PATHS
    assert ledger.failures == []
    write(made.table, tmp_path / "examples.parquet")
    (tmp_path / "blocks.json").write_text(json.dumps({"blocks": made.blocks, "kind": made.kind}))
    again = read_examples(tmp_path / "examples.parquet", tmp_path / "blocks.json")
    assert [str(path) for path in again.images(["image"])] == PATHS


def test_images_come_from_one_column(cohort_of):
    people, _ = cohort_of(scanned(mri_background=PATHS))
    made, _ = examples(people, inputs={"image": ["mri_t1w", "mri_background"]})
    with pytest.raises(DataError, match="images are read from one column, and the blocks image hold 2"):
        made.images(["image"])


def test_rows_without_a_scan_leave_before_anything_looks_at_the_outcome(cohort_of):
    """An impossible time of such a row is no fault of the data."""
    people, _ = cohort_of(scanned(paths=put(PATHS, i3="", i7=" "), months=put(MONTHS, i3="never")))
    made, ledger = examples(people, inputs=IMAGE)
    assert made.table["participant_id"].tolist() == [f"p{i}" for i in range(12) if i not in (3, 7)]
    assert left(ledger) == [("no usable scan", 2)]
    assert [(row["stage"], row["participant_id"], row["column"]) for row in ledger.failures] == [
        ("note", "p3", "mri_t1w"),
        ("note", "p7", "mri_t1w"),
    ]
    assert ledger.left_out_table()["participant_id"].tolist() == ["p3", "p7"]


def test_volumes_of_a_scan_that_is_not_usable_are_not_imputed(cohort_of):
    people, _ = cohort_of(scanned(paths=put(PATHS, i3="")))
    made, _ = examples(people, inputs={"volumes": ["mri_gm_ml"]})
    assert len(made) == 11
    assert len(examples(people, inputs={"all": ["age"]})[0]) == 12, "a task that needs no scan keeps everybody"
    control = {"all": ["age"], "control-acquisition": ["mri_gm_ml"]}
    assert len(examples(people, inputs=control)[0]) == 12, "and so does one in which only a control reads of scans"


def test_only_broken_scans_count_against_the_tolerance(cohort_of):
    status = put(["ok"] * 12, i3="quarantined", i7="none", i8="outlier")
    people, _ = cohort_of(scanned(status, paths=put(PATHS, i3="", i7="", i8="")))
    _, ledger = examples(people, inputs=IMAGE)
    assert [(row["stage"], row["reason"]) for row in ledger.failures] == [
        ("scan", "no usable scan: quarantined"),
        ("note", "no usable scan: none"),
        ("note", "no usable scan: outlier"),
    ]
    check_tolerance(ledger, 12, 0.09, "t")
    with pytest.raises(DataError, match=r"1 of 12 patients are in quarantine.*p3 .*no usable scan: quarantined"):
        check_tolerance(ledger, 12, 0.08, "t")


def test_what_is_in_an_image_is_part_of_the_examples(cohort_of):
    """Fits are made again when an image changed though its path did not."""
    people, _ = cohort_of(scanned(mri_t1w_sha256=[f"{k:x}" for k in range(12)]))
    made, _ = examples(people, inputs=IMAGE)
    assert "mri_t1w_sha256" in made.table
    assert "mri_t1w_sha256" not in made.inputs(made.blocks)


def test_audits_compare_no_paths(cohort_of):
    people, _ = cohort_of(scanned())
    made, _ = examples(people, inputs=IMAGE)
    assert list(inputs(made)) == ["age"]
    assert inputs(Examples(made.table, {"image": ["mri_t1w"]})) is None
