"""Asked for against used: reading SLURM's accounting, and what is proposed."""

import pytest

from triptych.slurm.usage import Row, Used, megabytes, proposal, read_sacct, report, rows, seconds

SACCT = """\
12|COMPLETED|130|02:00.500||billing=1,cpu=2,gres/gpu=1,mem=8000M,node=1|
12.batch|COMPLETED|130|00:10.500|120000K|cpu=2,mem=8000M,node=1|cpu=00:00:10,mem=120000K
12.0|COMPLETED|120|01:50.000|900M|cpu=2,mem=8000M,node=1|cpu=00:01:50,gres/gpuutil=41,mem=900M
13|CANCELLED by 0|5|00:00:00||cpu=1,mem=2000M,node=1|
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [("00:01.500", 1.5), ("02:03:04", 7384), ("1-00:00:01", 86401), ("00:00:00", 0), ("", 0)],
)
def test_times(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize(("text", "value"), [("1024K", 1), ("1.5G", 1536), ("2M", 2), ("1T", 1024**2), ("1048576", 1)])
def test_memory(text, value):
    assert megabytes(text) == value


def test_steps_are_the_memory_of_their_job():
    found = read_sacct(SACCT)
    assert found["12"] == Used("COMPLETED", 130, 120.5, 900.0, 2, 1, 41)
    assert found["13"] == Used("CANCELLED", 5, 0.0, None, 1, 0, None)


def event(word, job, rule, mem, minutes, n=1):
    parts = [{"rule": rule, "wildcards": {}, "log": "", "outputs": []}] * n
    return {"event": word, "id": job, "parts": parts, "asked": {"mem_mb": mem, "runtime": minutes}}


def test_jobs_are_counted_by_rule():
    events = [event("submitted", "12", "fit_on_gpu", 8000, 120), event("submitted", "13", "fit", 2000, 50, n=5)]
    events += [event("failed", "13", "fit", 2000, 50, n=5), event("submitted", "99", "fit", 1, 1)]
    found = rows(events, read_sacct(SACCT))
    assert (found["fit"].jobs, found["fit"].parts, found["fit"].failed) == (1, 5, 1)
    text = report(found)
    line = next(line for line in text.splitlines() if line.startswith("fit_on_gpu"))
    assert line.split() == [
        "fit_on_gpu",
        "1",
        "0",
        "8000",
        "MB",
        "900",
        "MB",
        "120",
        "min",
        "2.2",
        "min",
        "46%",
        "1",
        "41",
        "%",
    ]
    assert "  fit_on_gpu:\n    mem_mb: 1400 * attempt\n    runtime: 5 * attempt" in text


def test_what_fits_is_left_alone():
    row = Row(2, 2, 0, 1000, 20, 0, [Used("COMPLETED", 600, 500, 600.0), Used("COMPLETED", 500, 400, 500.0)])
    assert proposal("score", row) == []
    assert "The profile fits." in report({"score": row})


def test_time_of_a_group_is_shared_among_its_fits():
    row = Row(1, 50, 0, 2000, 500, 0, [Used("COMPLETED", 600, 500, 1300.0)])
    assert proposal("fit", row) == ["  fit:", "    runtime: 5 * attempt"]


def test_what_was_cut_off_gets_more():
    row = Row(1, 1, 1, 1000, 10, 0, [Used("TIMEOUT", 600, 500, 990.0)])
    assert proposal("fit", row) == ["  fit:", "    mem_mb: 1500 * attempt", "    runtime: 15 * attempt"]


def test_without_accounting():
    assert report({}) == "SLURM's accounting knows no job of this study"
