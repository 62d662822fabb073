"""Which of the repeated scans of a session is used where the study says ``runs: best``.

By their quality, before any label is seen.
"""

from collections.abc import Iterable
from typing import Any

from triptych.mri.columns import COLUMNS

MEASURE = "mri_qc_cnr"  # the more, the better; motion and noise lower it


def instead(scans: Iterable[tuple[tuple[str, str], str, dict[str, Any]]], far: set[str]) -> dict[str, str]:
    """Name of each scan that is not used, and of the scan of its session that is used instead.

    Used is the scan with the largest ``MEASURE`` of those that can be used; where none can, the first.

    Parameters
    ----------
    scans
        Participant and session, name, and status (``triptych.mri.processing.process``), in the order of time.
    far
        Names of scans that are not used since they are unlike the others.
    """
    sessions: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
    for session, name, status in scans:
        sessions.setdefault(session, []).append((name, status))
    found: dict[str, str] = {}
    for same in sessions.values():
        kept = max(same, key=lambda one: _goodness(one[0], one[1], far))[0]
        found |= {name: kept for name, _ in same if name != kept}
    return found


def told(name: str, status: dict[str, Any], kept: str, kept_status: dict[str, Any]) -> tuple[str, str]:
    """Why a scan is not used, and what to do."""
    if status["status"] != "ok":
        return f"{status['reason']}; {kept} of this session is used (`runs: best`)", status["advice"]
    ours, theirs = (one["columns"].get(MEASURE, float("nan")) for one in (kept_status, status))
    reason = f"{kept} of this session is used (`runs: best`): {COLUMNS[MEASURE]} {ours:.3g} against {theirs:.3g}"
    return reason, f"look at the pictures of {name} and {kept}, or say `runs:` for another choice"


def _goodness(name: str, status: dict[str, Any], far: set[str]) -> tuple[bool, bool, float]:
    value = status["columns"].get(MEASURE)
    fine = status["status"] == "ok"
    return fine and name not in far, fine, value if fine and value is not None else float("-inf")
