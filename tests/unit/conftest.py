"""What the unit tests share."""

import pytest
from written_study import HEADER, STUDY

from triptych.examples import read_cohort


@pytest.fixture
def cohort_of(tmp_path):
    """Write lines (or text) as a table and read it as a cohort: ``cohort_of(lines) -> participants, ledger``."""

    def written(text, name="c.csv", cohort="c"):
        (tmp_path / name).write_text("\n".join(text) + "\n" if isinstance(text, list) else text)
        return read_cohort(cohort, str(tmp_path / name), None)

    return written


@pytest.fixture
def write_study(tmp_path, monkeypatch):
    """Write the study with some texts replaced by others: ``write_study((old, new), ...) -> path``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIPTYCH_DATA", raising=False)
    table = tmp_path / "patients.csv"
    table.write_text(HEADER + "p1,a,60,f,1.5,0.1,0.2,12,1,AD,7,s1,0.5,1,2\n")

    def written(*changes, name="study.yaml"):
        text = STUDY.replace("TABLE", str(table))
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in the study"
            text = text.replace(old, new)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return written
