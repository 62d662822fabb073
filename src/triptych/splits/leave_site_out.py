"""Leave one site out: each fold tests on a hospital that training never saw."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from triptych.errors import DataError
from triptych.splits._groups import group_codes, rows_of_fold
from triptych.tables import SITE

ANSWERS = ("new-site", "new-patients")
FOLDS_FROM_DATA = True  # as many as there are hospitals: no plan can name one job per fold


@dataclass(frozen=True)
class Options:
    """Which sites may be a test set: those with so many events (or positive cases, or values above the median)."""

    min_events: int = 2


def split(participants: pd.DataFrame, options: Options, *, seed: int) -> pd.DataFrame:
    """One fold per site with enough events; patients of smaller sites are always in training.

    Returns
    -------
    DataFrame
        ``repeat, fold, cohort, participant_id, session_id, part``.

    Raises
    ------
    DataError
        Without a site column, with a missing site, a family in two sites, or fewer than two sites that can be tested.
    """
    if SITE not in participants:
        raise DataError("leave_site_out needs a column 'site' in the participants table")
    if participants[SITE].isna().any():
        who = participants.loc[participants[SITE].isna(), "participant_id"].iloc[0]
        raise DataError(
            f"leave_site_out: participant {who!r} has no site; fill the column 'site' or leave the patient out"
        )
    site = (participants["cohort"] + "/" + participants[SITE]).to_numpy(str)
    torn = pd.Series(site).groupby(group_codes(participants)).nunique() > 1
    if torn.any():
        who = participants["participant_id"].to_numpy()[group_codes(participants) == torn.idxmax()][0]
        raise DataError(
            f"leave_site_out: {who!r} (or the family) was seen at two sites and would be on both sides of the split"
        )
    events = pd.Series(participants["stratum"].to_numpy(bool)).groupby(site).sum()
    able = sorted(events.index[events >= options.min_events])
    if len(able) < 2:
        raise DataError(
            f"leave_site_out: {len(able)} site(s) with {options.min_events} events (or positive cases) or more; two are needed"
        )
    return pd.concat(
        [rows_of_fold(participants, 0, k, np.equal(site, name)) for k, name in enumerate(able)], ignore_index=True
    )
