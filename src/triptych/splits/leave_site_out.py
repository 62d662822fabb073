"""Leave one site out, or one data set: each fold tests on a hospital (or cohort) that training never saw."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from triptych.errors import DataError, did_you_mean
from triptych.splits._groups import group_codes, rows_of_fold
from triptych.tables import SITE

ANSWERS = ("new-site", "new-patients")
FOLDS_FROM_DATA = True  # as many as there are hospitals: no plan can name one job per fold
NEW_SITES = True  # nothing that is estimated for each site of training is known of the tested ones


@dataclass(frozen=True)
class Options:
    """What is left out, and which may be a test set: not ``always_train``, and with so many events (or positive cases, or values
    above the median)."""

    by: Literal["site", "cohort"] = "site"
    min_events: int = 2
    always_train: tuple[str, ...] = ()


def split(participants: pd.DataFrame, options: Options, *, seed: int) -> pd.DataFrame:
    """One fold per site (or cohort) with enough events; patients of the others are always in training.

    Returns
    -------
    DataFrame
        ``repeat, fold, cohort, participant_id, session_id, part``.

    Raises
    ------
    DataError
        Without a site column, with a missing site, a family in two sites, an unknown site in ``always_train``, or fewer than two
        sites that can be tested (one, when others always train).
    """
    names = participants["cohort"] if options.by == "cohort" else _sites(participants)
    torn = names.groupby(group_codes(participants)).nunique() > 1
    if torn.any():
        who = participants["participant_id"].to_numpy()[group_codes(participants) == torn.idxmax()][0]
        raise DataError(
            f"leave_site_out: {who!r} (or the family) was seen at two sites and would be on both sides of the split"
        )
    for name in set(options.always_train) - set(names):
        raise DataError(f"leave_site_out: `always_train:` no {options.by} {name!r}{did_you_mean(name, names.unique())}")
    site = (names if options.by == "cohort" else participants["cohort"] + "/" + names).to_numpy(str)
    events = pd.Series(participants["stratum"].to_numpy(bool)).groupby(site).sum()
    kept = set(site[names.isin(options.always_train)])
    able = sorted(set(events.index[events >= options.min_events]) - kept)
    if len(able) < (1 if kept else 2):
        raise DataError(
            f"leave_site_out: {len(able)} {options.by}(s) with {options.min_events} events (or positive cases) or more can be "
            f"tested; {'one is' if kept else 'two are'} needed"
        )
    return pd.concat(
        [rows_of_fold(participants, 0, k, np.equal(site, name)) for k, name in enumerate(able)], ignore_index=True
    )


def _sites(participants: pd.DataFrame) -> pd.Series:
    if SITE not in participants:
        raise DataError("leave_site_out needs a column 'site' in the participants table, or `by: cohort`")
    if participants[SITE].isna().any():
        who = participants.loc[participants[SITE].isna(), "participant_id"].iloc[0]
        raise DataError(
            f"leave_site_out: participant {who!r} has no site; fill the column 'site' or leave the patient out"
        )
    return participants[SITE].astype(str)
