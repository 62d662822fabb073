"""Who was left out differs by outcome or by site: the patients who remain are no longer those of the question."""

import pandas as pd

from triptych.audit._association import associations
from triptych.audit._context import Context, finding, findings, looked, not_assessable
from triptych.audit._excluded import people
from triptych.audit._people import rows
from triptych.tables import SITE

TITLE = "Exclusion that differs by outcome or site"
LEAK_CLASS = "design"
SEVERITY = "warn"


def check(context: Context) -> pd.DataFrame:
    """Compare people who were left out by a rule or for their scan with those kept: outcome and site, by permutation of people.

    Whoever has no usable outcome is counted in the table ``exclusion`` only.
    """
    kept, gone = rows(context), context.excluded
    if context.examples is None:
        return not_assessable("who was left out is not known: the predictions were made elsewhere")
    gone = gone[gone["kind"] != "no outcome"] if "kind" in gone else gone
    everyone = people(kept, gone, context.kind)
    if not everyone["gone"].any():
        return looked("nobody was left out by a rule, or for want of a usable scan")
    numbers = context.kind == "regression"
    found, seen = [], []
    for column, what in (("outcome", "outcome"), ("place", SITE)):
        known = everyone.dropna(subset=column)
        out = known["gone"].to_numpy()
        tested = associations(out, known[[column]], seed=context.seed, positive=out == 1)
        if not tested:
            seen.append(f"{what} of those left out is not known, or all alike")
            continue
        shares = _shares(known, column, numbers and column == "outcome")
        if tested[0].found:
            kinds = known.loc[known["gone"] == 1, "why"].value_counts()
            why = ", ".join(f"{kind}: {n}" for kind, n in kinds.items())
            message = (
                f"{int(known['gone'].sum())} of {len(known)} people were left out ({why}), unlike by {what}: {shares}"
            )
            reasons = sorted(gone["reason"].astype(str).unique()) if "reason" in gone else []
            action = "exclude by rules that are blind to it, and report the excluded"
            found.append(
                finding(SEVERITY, f"{message} (p {tested[0].p:.2g})", keys=reasons, action=action, **tested[0].evidence)
            )
        seen.append(f"{what}: {shares}")
    return findings(*found) if found else looked(f"no more than chance by {'; '.join(seen)}")


def _shares(people: pd.DataFrame, column: str, numbers: bool) -> str:
    """Who was left out, in counts, in the classes or sites that differ most; all are in the table ``exclusion``."""
    if numbers:
        means = people.groupby("gone")[column].mean()
        return f"mean {means[1.0]:.3g} of those left out, {means[0.0]:.3g} of those kept"
    groups = people.groupby(column)["gone"].agg(["sum", "size"])
    groups = groups.assign(share=groups["sum"] / groups["size"]).sort_values("share", ascending=False)
    ends = groups if len(groups) <= 3 else groups.iloc[[0, -1]]
    named = ", ".join(f"{int(r['sum'])} of {int(r['size'])} {name}" for name, r in ends.iterrows())
    return named if len(groups) <= 3 else f"{named} (the ends of {len(groups)}; all are in the table of exclusion)"
