"""What the two MRIQC tables have in common: one row per T1-weighted scan, quality measures, and what raters said."""

from pathlib import Path

import pandas as pd


def read_scans(path: Path, rater: str) -> pd.DataFrame:
    """One row per scan, one scan per person.

    Parameters
    ----------
    rater
        The rater whose word decides ``quality``: -1 excludes a scan, 0 (doubtful) and 1 keep it.
    """
    table = pd.read_csv(path, sep="\t", dtype={"subject_id": str}, na_values=["n/a"])
    verdict = table[rater].eq(-1).map({True: "exclude", False: "keep"})
    return table.rename(columns={"subject_id": "participant_id"}).assign(quality=verdict)
