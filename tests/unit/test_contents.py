"""The images of a cohort: each file once, and a broken one costs itself only."""

import numpy as np
import pandas as pd
from PIL import Image

from triptych import contents
from triptych.planted import phantoms
from triptych.tables import FAILURES, KEY


def people(**columns):
    ids = ["a", "b", "c", "c"]
    return pd.DataFrame({"cohort": "k", "participant_id": ids, "session_id": ["s1", "s1", "s1", "s2"], **columns})


def tiles(folder, *names):
    for k, name in enumerate(names):
        Image.fromarray(phantoms.tile(np.random.default_rng(k))).save(folder / name)


def test_each_file_is_looked_at_once_and_a_broken_one_is_listed(tmp_path):
    tiles(tmp_path, "1.png", "2.png")
    (tmp_path / "bad.png").write_bytes(b"no image")
    table = people(slide=["1.png", "bad.png", "2.png", "2.png"], other=["1.png", None, " ", "gone.png"])
    found, failed = contents.embed(table, {"slide": "{slide}", "other": "{other}"}, str(tmp_path / "t.csv"), None)
    seen = found[found["view"] == 0]
    assert seen[["modality", "participant_id", "path"]].to_numpy().tolist() == [
        ["slide", "a", "1.png"],
        ["slide", "c", "2.png"],
        ["other", "a", "1.png"],
    ]
    assert (len(found), set(found["kind"])) == (24, {"tile"})
    assert list(failed) == FAILURES
    assert failed[["participant_id", "modality", "file"]].to_numpy().tolist() == [
        ["b", "slide", "bad.png"],
        ["c", "other", "gone.png"],
    ]
    assert failed["reason"].iloc[0].startswith(f"{tmp_path / 'bad.png'}: cannot be read as an image")


def test_the_pattern_of_a_plug_in_names_files_below_the_data_root(tmp_path):
    (tmp_path / "deep").mkdir()
    tiles(tmp_path / "deep", "a.png", "b.png", "c.png")
    found, failed = contents.embed(people(), {"slide": "deep/{participant_id}.png"}, None, str(tmp_path))
    assert found["path"].unique().tolist() == ["deep/a.png", "deep/b.png", "deep/c.png"]
    assert failed.empty


def test_vectors_come_back_in_one_order(tmp_path):
    tiles(tmp_path, "a.png", "b.png", "c.png")
    found, _ = contents.embed(people(), {"slide": "{participant_id}.png"}, None, str(tmp_path))
    keys, vectors = contents.vectors(found.sample(frac=1, random_state=1))
    assert keys[KEY].to_numpy().tolist() == [["k", "a", "s1"], ["k", "b", "s1"], ["k", "c", "s1"]]
    again, same = contents.vectors(found)
    assert again.equals(keys)
    np.testing.assert_array_equal(vectors, same)
    assert vectors.shape == (3, 8, 256)


def test_no_readable_file_is_an_empty_table(tmp_path):
    found, failed = contents.embed(people(), {"slide": "{participant_id}.png"}, None, str(tmp_path))
    assert list(found) == contents.ABOUT
    assert len(failed) == 3
