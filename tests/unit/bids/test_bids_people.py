"""People of a BIDS data set that is read in place: whoever is listed or imaged is told, nobody is lost in silence."""

import json
from pathlib import Path

import pytest
from broken import image, save

from triptych import raw
from triptych.bids import making, sidecar
from triptych.bids.verdict import Unusable
from triptych.errors import DataError
from triptych.examples import read_cohort
from triptych.scans import of_folder, used
from triptych.study import CohortEntry


def t1w(sub, ses="", rest=""):
    return "/".join(filter(None, [sub, ses, "anat", "_".join(filter(None, [sub, ses, rest, "T1w.nii.gz"]))]))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make a BIDS folder with empty images: ``folder(paths, participants) -> path``."""
    monkeypatch.chdir(tmp_path)

    def made(paths, participants=None, **tables):
        root = tmp_path / "ds"
        root.mkdir()
        (root / "dataset_description.json").write_text('{"Name": "ds", "BIDSVersion": "1.10.0"}')
        if participants:
            (root / "participants.tsv").write_text("\n".join(participants) + "\n")
        for path in map(root.joinpath, paths):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        for sub, lines in tables.items():
            name = f"sub-{sub}"
            (root / name / f"{name}_sessions.tsv").write_text("\n".join(lines) + "\n")
        return "ds"

    return made


def read(named, **more):
    people, ledger = read_cohort("c", None, None, bids=named, **more)
    return people, [(row["participant_id"], row["reason"]) for row in ledger.failures]


def test_sessions_and_their_columns(folder):
    lines = ["session_id\tage\tscore", "ses-M12\t61\t5", "ses-M6\t60.5\tn/a", "ses-M24\t62\t3"]
    named = folder(
        [t1w("sub-01", "ses-M12"), t1w("sub-01", "ses-M6"), t1w("sub-02")],
        ["participant_id\tsex\tage", "sub-01\tF\tn/a", "sub-02\tM\t50"],
        **{"01": lines},
    )
    people, said = read(named)
    assert said == []
    assert people[["participant_id", "session_id", "sex", "age"]].to_numpy().tolist() == [
        ["sub-01", "ses-M6", "F", 60.5],
        ["sub-01", "ses-M12", "F", 61],
        ["sub-01", "ses-M24", "F", 62],
        ["sub-02", "ses-1", "M", 50],
    ]
    paths = [f"ds/sub-01/ses-{s}/anat/sub-01_ses-{s}_T1w.nii.gz" for s in ("M6", "M12")]
    assert people["t1w"].tolist()[:2] == paths
    assert people["t1w"].isna().tolist() == [False, False, True, False]
    known = raw.columns("c", CohortEntry(bids=named), None)
    assert known == ["participant_id", "sex", "age", "session_id", "score", "run", "t1w"]
    assert set(known) == set(people) - {"cohort"}


def test_keys_are_those_of_the_scans(folder):
    named = folder([t1w("sub-1"), t1w("sub-01"), t1w("sub-2", "ses-a", "run-1"), t1w("sub-2", "ses-a", "run-2")])
    for runs, n in (("first", 3), ("last", 3), ("all", 4)):
        people, _ = read(named, runs=runs)
        assert len(people) == n
        wanted = [(s.participant_id, s.session_id, s.file) for s in used(of_folder("c", named, None), runs)]
        assert sorted(people[["participant_id", "session_id", "t1w"]].itertuples(index=False, name=None)) == sorted(
            wanted
        )


def test_both_kinds_of_mismatch_are_told(folder):
    named = folder([t1w("sub-01"), t1w("sub-02")], ["participant_id\tage", "sub-01\t50", "sub-03\t60"])
    people, said = read(named)
    assert people["participant_id"].tolist() == ["sub-01", "sub-03"]
    assert said == [
        ("sub-03", "a participant without a T1-weighted image"),
        ("sub-02", "an image whose participant is not in participants.tsv"),
    ]


def test_unmatched_images_are_told(folder):
    named = folder([t1w("sub-01"), "sub-02/anat/02_T1w.nii.gz", "sub-03/anat/sub-03_t1w.nii.gz"])
    people, said = read(named)
    assert people["participant_id"].tolist() == ["sub-01"]
    assert said == [("", "no BIDS name, or not in the folder that it names: not read")] * 2


def test_a_participant_who_is_listed_twice(folder):
    named = folder([t1w("sub-01")], ["participant_id\tage", "sub-01\t50", "sub-02\t60", "sub-01\t51"])
    with pytest.raises(DataError, match=r"participants\.tsv: lines 2 and 4 are both sub-01; a participant has one row"):
        read(named)


def test_ids_that_differ_by_zeros_are_one_person_and_told(folder):
    named = folder([t1w("sub-01"), t1w("sub-1")], ["participant_id\tage", "sub-01\t50", "sub-1\t51"])
    people, said = read(named)
    assert people[["participant_id", "session_id", "age"]].to_numpy().tolist() == [
        ["sub-01", "ses-1", 50],
        ["sub-01", "ses-1_sub-1", 51],
    ]
    assert said == [("sub-01", "sub-01 and sub-1 differ by case or zeros only; taken as one person")]


def test_a_list_may_leave_out_the_prefix(folder):
    people, said = read(folder([t1w("sub-01")], ["participant_id\tage", "01\t50"]))
    assert (people["participant_id"].tolist(), said) == (["sub-01"], [])


def test_the_choice_among_runs_is_told(folder):
    named = folder([t1w("sub-01", "", "run-2"), t1w("sub-01", "", "run-10")])
    people, said = read(named)
    assert people["t1w"].tolist() == ["ds/sub-01/anat/sub-01_run-2_T1w.nii.gz"]
    assert said == [("sub-01", "2 T1-weighted images in ses-1; sub-01_run-2 is used (`runs: first`)")]
    assert read(named, runs="last")[0]["run"].tolist() == ["10"]
    people, said = read(named, runs="best")
    assert (people["run"].tolist(), said) == (["2"], []), "one row, and which is used is told when scans are joined"


def test_a_changed_list_of_images_is_another_cohort(folder, tmp_path):
    entry = CohortEntry(bids=folder([t1w("sub-01")]))
    before = raw.digest("c", entry, None)
    (tmp_path / "ds" / t1w("sub-01")).write_bytes(b"content")
    assert raw.digest("c", entry, None) == before, "the content of an image is asked by its own job"
    save(tmp_path / "ds" / t1w("sub-02"))
    assert raw.digest("c", entry, None) != before


def test_below_the_data_root(folder, tmp_path, monkeypatch):
    folder([t1w("sub-01")])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    people, _ = read_cohort("c", None, str(tmp_path), bids="ds")
    assert people["t1w"].tolist() == ["ds/sub-01/anat/sub-01_T1w.nii.gz"]
    assert raw.image_path(people["t1w"].iloc[0], None, tmp_path).is_file()
    assert raw.image_digest("c", CohortEntry(bids="ds"), tmp_path, ["t1w"]) != ""


def test_the_nearest_sidecar_wins_and_a_broken_one_costs_its_scan(folder, tmp_path):
    named = folder([t1w("sub-01"), t1w("sub-02", "ses-a", "run-1"), t1w("sub-02", "ses-a", "run-2")])
    root = tmp_path / "ds"
    (root / "T1w.json").write_text(json.dumps({"MagneticFieldStrength": 1.5, "Manufacturer": "A"}))
    (root / "sub-02" / "sub-02_T1w.json").write_text(json.dumps({"Manufacturer": "B"}))
    (root / "sub-02/ses-a/anat/sub-02_ses-a_run-1_T1w.json").write_text(json.dumps({"EchoTime": 0.003}))
    found = {scan.name: sidecar.inherited(scan.source, Path("ds")) for scan in of_folder("c", named, None)}
    assert found["sub-01"] == {"MagneticFieldStrength": 1.5, "Manufacturer": "A"}
    assert found["sub-02_ses-a_run-1"] == {"MagneticFieldStrength": 1.5, "Manufacturer": "B", "EchoTime": 0.003}
    assert found["sub-02_ses-a_run-2"] == {"MagneticFieldStrength": 1.5, "Manufacturer": "B"}
    (root / "sub-02/ses-a/anat/sub-02_ses-a_run-1_T1w.json").write_text("{")
    with pytest.raises(Unusable, match=r"the sidecar sub-02_ses-a_run-1_T1w\.json cannot be read"):
        sidecar.inherited(root / t1w("sub-02", "ses-a", "run-1"), root)
    assert sidecar.inherited(root / t1w("sub-02", "ses-a", "run-2"), root)


def test_an_image_in_place_is_looked_at_and_left(folder, tmp_path):
    named = folder([t1w("sub-01"), t1w("sub-02")])
    save(tmp_path / "ds" / t1w("sub-01"), image())
    good, bad = (making.look(scan, Path(named)) for scan in of_folder("c", named, None))
    assert (good["status"], good["files"]["t1w"][0]) == ("ok", "ds/sub-01/anat/sub-01_T1w.nii.gz")
    assert (bad["status"], bad["reason"]) == ("quarantined", "an empty file (0 bytes)")
    assert list(tmp_path.iterdir()) == [tmp_path / "ds"], "nothing is written"
