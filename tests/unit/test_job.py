"""How scripts take arguments and report faults."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from triptych import job
from triptych.errors import DataError


@pytest.fixture
def call(monkeypatch):
    """Call ``main`` with a command line; returns what the script got."""

    def called(*words, fault=None):
        got = {}

        def run(
            *,
            path: Path,
            name: str,
            number: int,
            options: dict,
            many: list[Path],
            some_flag: bool = False,
            extra: str = "",
        ) -> None:
            """Do it."""
            if fault:
                raise fault
            got.update(locals())

        monkeypatch.setattr(sys, "argv", ["script.py", *words])
        job.main(run)
        return got

    return called


GOOD = ("--path", "a/b", "--name", "007", "--number", "-1", "--options", '{"a": [1, null]}', "--many", "x", "y")


def test_types(call):
    got = call(*GOOD)
    assert (got["path"], got["name"], got["number"], got["options"]) == (Path("a/b"), "007", -1, {"a": [1, None]})
    assert got["many"] == [Path("x"), Path("y")]
    assert (got["some_flag"], got["extra"]) == (False, "")
    assert call(*GOOD, "--some_flag", "true")["some_flag"] is True
    assert call(*GOOD[:-2])["many"] == []


def test_a_fault_is_one_message_and_status_1(call, capsys):
    with pytest.raises(SystemExit) as end:
        call(*GOOD, fault=DataError("x.csv: row 3: wrong"))
    assert end.value.code == 1
    assert capsys.readouterr().err == "error: x.csv: row 3: wrong\n"


def test_another_exception_keeps_its_traceback(call):
    with pytest.raises(ZeroDivisionError):
        call(*GOOD, fault=ZeroDivisionError())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*GOOD, "--nam", "x"), "unrecognized arguments: --nam"),
        ((*GOOD, "--other", "x"), "unrecognized arguments: --other"),
        (GOOD[2:], "the following arguments are required: --path"),
        ((*GOOD, "--number", "one"), "argument --number: invalid loads value: 'one'"),
        ((*GOOD, "--options", "{'a': 1}"), "argument --options: invalid"),
    ],
)
def test_a_wrong_command_line(call, capsys, words, message):
    with pytest.raises(SystemExit) as end:
        call(*words)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_a_script_that_fails_shows_no_traceback(tmp_path):
    (tmp_path / "t.csv").write_text("patient\np1\n")
    script = Path(__file__).resolve().parents[2] / "scripts" / "read_cohort.py"
    words = [
        "--cohort",
        "c",
        "--source",
        json.dumps({"table": str(tmp_path / "t.csv")}),
        "--root",
        "null",
        "--participants",
        "p.parquet",
        "--failures",
        "f.tsv",
    ]
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert "no column 'participant_id'; it has 'patient'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "p.parquet").exists()


def test_a_slurm_job_says_where_it_runs(call, monkeypatch, capsys, tmp_path):
    words = ["--path", str(tmp_path), "--name", "x", "--number", "1", "--options", "{}", "--many"]
    call(*words)
    assert "SLURM" not in capsys.readouterr().out
    for name, value in {"SLURM_JOB_ID": "12", "SLURMD_NODENAME": "gpu1", "CUDA_VISIBLE_DEVICES": "1"}.items():
        monkeypatch.setenv(name, value)
    call(*words)
    assert capsys.readouterr().out == "SLURM job 12 on gpu1, CUDA_VISIBLE_DEVICES 1\n"
