"""Leaks to plant, one function each: a clean study in, the same study with one fault out, and who must be named.

How strong the graded ones are is said where they are planted; the audit must find each in a study of 216 people.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from triptych.audit._people import outcome_score
from triptych.planted.clean import INPUTS, OUTCOME, Draft, clean
from triptych.planted.leak import Leak
from triptych.planted.lookalikes import CONTENT_LEAKS
from triptych.tables import PERSON

CLASSES = ("classification", "survival")  # kinds of outcome with a yes or no


def _positive(table: pd.DataFrame, kind: str) -> np.ndarray:
    """Rows with the event, of the positive class, or above the median."""
    if kind == "regression":
        return (table["y"] > table["y"].median()).to_numpy()
    return table["event" if kind == "survival" else "y"].to_numpy(bool)


def _worse(table: pd.DataFrame, kind: str) -> np.ndarray:
    """The worse half: of the positive class, above the median, or more events than expected until then."""
    score = outcome_score(table, kind)
    return score > np.median(score) if kind == "survival" else _positive(table, kind)


def _appended(draft: Draft, rows: pd.DataFrame, **changes: object) -> Draft:
    return replace(draft, table=pd.concat([draft.table, rows], ignore_index=True), **changes)  # type: ignore[arg-type]


def _some(draft: Draft, random: np.random.Generator, n: int) -> pd.DataFrame:
    """Rows of some people without relatives, in the examples, with one session."""
    table = draft.table
    alone = (
        table["family_id"].isna() & ~table["left_out"] & (table.groupby(PERSON)["session_id"].transform("size") == 1)
    )
    return table.loc[random.permutation(table.index[alone])[:n]].copy()


# ---- identity ----


def sessions_split(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Rows are split, not people: sessions of one person on both sides."""
    repeated = draft.table[draft.table["session_id"] == "ses-02"]
    return replace(draft, split="row_kfold"), list(repeated["participant_id"])


def relatives_split(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """People are kept whole, families are not."""
    return replace(draft, split="ungrouped"), list(draft.table["participant_id"][draft.table["family_id"].notna()])


def two_spellings(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """A second session of ten people under another spelling of their id (predictions made elsewhere do that)."""
    again = _some(draft, random, 10)
    again[INPUTS] += random.normal(0, 0.5, (len(again), len(INPUTS)))
    spelled = again["participant_id"].str.replace("sub-0*", random.choice(["SUB-", "sub-000", " sub-"]), regex=True)
    return _appended(draft, again.assign(participant_id=spelled, session_id="ses-02")), list(spelled)


def two_ids(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """The rows of ten people again under new ids."""
    again = _some(draft, random, 10)
    new = [f"sub-{900 + k}" for k in range(len(again))]
    return _appended(draft, again.assign(participant_id=new)), new


def two_cohorts(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Five people are in both cohorts under one id; a few of their values differ (read again, rounded elsewhere)."""
    some = _some(draft, random, 200)
    some = some[some["cohort"] == "north"].head(5)
    table = draft.table[
        ~((draft.table["cohort"] == "south") & draft.table["participant_id"].isin(some["participant_id"]))
    ]
    again = some.assign(cohort="south", site="s0")
    again[["x0", "snr"]] += 0.001
    return _appended(replace(draft, table=table), again), list(again["participant_id"])


def two_sexes(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Three people have another sex in their second session."""
    table = draft.table.copy()
    rows = random.permutation(table.index[table["session_id"] == "ses-02"])[:3]
    table.loc[rows, "sex"] = table.loc[rows, "sex"].map({"F": "M", "M": "F"})
    return replace(draft, table=table), list(table.loc[rows, "participant_id"])


# ---- augmentation, transfer ----


def oversampled(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Ten positive rows are copied as further sessions, and rows are split."""
    rows = _some(draft, random, 200)
    again = rows[_positive(rows, draft.kind)].head(10)
    return _appended(draft, again.assign(session_id="ses-03"), split="row_kfold"), list(again["participant_id"])


def augmented(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Noisy copies (.1 standard deviation) of ten people under ids with something added."""
    again = _some(draft, random, 10)
    again[INPUTS] += random.normal(0, 0.1, (len(again), len(INPUTS)))
    ending = random.choice(["_aug1", "-copy", "_flip", "_2", ".noise03"])
    return _appended(draft, again.assign(participant_id=again["participant_id"] + ending)), [ending]


def interpolated(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Twenty rows between a person and another of the same class (SMOTE)."""
    rows = _some(draft, random, 200)
    rows = rows[_positive(rows, draft.kind)]
    a, b = rows.sample(20, random_state=int(random.integers(2**31)), replace=True), rows
    b = b.iloc[random.integers(0, len(b), 20)]
    made = a.assign(participant_id=[f"sub-{900 + k}" for k in range(20)])
    made[INPUTS] = a[INPUTS].to_numpy() + random.random((20, 1)) * (b[INPUTS].to_numpy() - a[INPUTS].to_numpy())
    return _appended(draft, made), list(made["participant_id"])


def pretrained_on_test(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Weights trained on people of whom five are tested, spelled in another way."""
    some = draft.people().sample(5, random_state=int(random.integers(2**31)))
    theirs = some["participant_id"].str.replace("sub-", "", regex=False).tolist() + [f"9{k:03d}" for k in range(50)]
    return replace(draft, pretrained={"net": pd.DataFrame({"participant_id": theirs})}), list(some["participant_id"])


def pretrained_unknown(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Weights of which nobody knows whose data trained them."""
    return replace(draft, pretrained={"net": None}), ["net"]


# ---- target, time ----


def _with_input(draft: Draft, values: object) -> tuple[Draft, list[str]]:
    return replace(draft, table=draft.table.assign(leak=values), inputs=(*draft.inputs, "leak")), ["leak"]


def outcome_relabelled(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """The event, the class or the value itself under another name and coding."""
    table = draft.table
    if draft.kind == "regression":
        return _with_input(draft, -3 * table["y"] + 7)
    return _with_input(draft, np.where(_positive(table, draft.kind), *random.permutation(["yes", "no"])))


def outcome_derived(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """A monotone function of the outcome with noise, missing in one row of ten."""
    table, gap = draft.table, random.random(len(draft.table)) < 0.1
    if draft.kind == "survival":
        values = np.log1p(table["time"]) + random.normal(0, 0.003, len(table))
    elif draft.kind == "regression":
        values = np.exp(table["y"] / 4) * np.exp(random.normal(0, 0.02, len(table)))
    else:
        values = pd.Series(table["y"] + random.normal(0, 0.18, len(table)))
    return _with_input(draft, values.mask(gap))


def label_later(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """The label of ten people is that of a visit a year later."""
    return _moved(draft, random, 365)


def inputs_later(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """The inputs of ten people were taken a month after the outcome was known."""
    return _moved(draft, random, -30)


def _moved(draft: Draft, random: np.random.Generator, days: int) -> tuple[Draft, list[str]]:
    table, rows = draft.table.copy(), _some(draft, random, 10).index
    moved = pd.to_datetime(table.loc[rows, "date"]) + pd.Timedelta(days=days)
    table.loc[rows, "label_date"] = moved.dt.strftime("%Y-%m-%d")
    return replace(draft, table=table), list(table.loc[rows, "participant_id"])


def label_changes(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Three people have another class or event in their second session."""
    table, column = draft.table.copy(), OUTCOME[draft.kind][-1]
    rows = random.permutation(table.index[table["session_id"] == "ses-02"])[:3]
    table[column] = table[column].where(~table.index.isin(rows), table[column] == 0).astype(table[column].dtype)
    return replace(draft, table=table), list(table.loc[rows, "participant_id"])


def dates_swapped(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """The second session of three people was two years before the first."""
    table = draft.table.copy()
    rows = random.permutation(table.index[table["session_id"] == "ses-02"])[:3]
    earlier = (pd.to_datetime(table.loc[rows, "date"]) - pd.Timedelta(days=1000)).dt.strftime("%Y-%m-%d")
    table.loc[rows, "date"] = table.loc[rows, "label_date"] = earlier
    return replace(draft, table=table), list(table.loc[rows, "participant_id"])


def unpadded(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Sessions named by months without padding: M12 sorts before M6."""
    names = draft.table["session_id"].map({"ses-01": "ses-M6", "ses-02": "ses-M12"})
    return replace(draft, table=draft.table.assign(session_id=names)), []


# ---- design ----


def site_is_outcome(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Shares of .05 and .95 by site."""
    return clean(draft.kind, draft.seed, site_effect=1.0), []


def site_half(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Shares of about .28 and .72 by site."""
    return clean(draft.kind, draft.seed, site_effect=0.5), []


def site_in_inputs(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Each site moves each input by a normal amount of one standard deviation."""
    table = draft.table.copy()
    codes, names = pd.factorize(table["site"])
    table[INPUTS] += random.normal(size=(len(names), len(INPUTS)))[codes]
    return replace(draft, table=table), []


def acquisition(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """The echo time is one standard deviation longer in the worse half."""
    moved = draft.table["echo_time"] + 0.2 * _worse(draft.table, draft.kind)
    return replace(draft, table=draft.table.assign(echo_time=moved)), ["echo_time"]


def scanner(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Three of four of the worse half were moved to scanner C."""
    moved = _worse(draft.table, draft.kind) & (random.random(len(draft.table)) < 0.75)
    return replace(draft, table=draft.table.assign(scanner=draft.table["scanner"].mask(moved, "C"))), ["scanner"]


def quality(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """The signal-to-noise ratio is one standard deviation lower in the worse half."""
    moved = draft.table["snr"] - 3.0 * _worse(draft.table, draft.kind)
    return replace(draft, table=draft.table.assign(snr=moved)), ["snr"]


def excluded_by_outcome(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """A third of one class is left out, and one in fifty of the other."""
    return _excluded(draft, random, _positive(draft.table, draft.kind))


def excluded_by_site(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """A third of the people of two sites are left out, and one in fifty of the others."""
    return _excluded(draft, random, draft.table["site"].isin(["n0", "s1"]).to_numpy())


def _excluded(draft: Draft, random: np.random.Generator, often: np.ndarray) -> tuple[Draft, list[str]]:
    out = pd.Series(random.random(len(often)) < np.where(often, 1 / 3, 1 / 50))
    out = out.groupby([draft.table[c] for c in PERSON]).transform("first")
    return replace(draft, table=draft.table.assign(left_out=out)), ["quality is poor"]


def more_scans(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """Two of three people of the worse half have a further scan, one of ten of the others."""
    people = draft.people()
    more = people[random.random(len(people)) < np.where(_worse(people, draft.kind), 2 / 3, 1 / 10)].copy()
    more[INPUTS] += random.normal(0, 0.5, (len(more), len(INPUTS)))
    return _appended(draft, more.assign(session_id="ses-00")), []


def missing(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """One input is missing in four of ten people of the worse half, in one of twenty others."""
    gone = random.random(len(draft.table)) < np.where(_worse(draft.table, draft.kind), 0.4, 0.05)
    return replace(draft, table=draft.table.assign(x5=draft.table["x5"].mask(gone))), ["x5"]


def one_class_fold(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """A published test part of thirty people without an event, of one class, of one value."""
    table = draft.table.copy()
    people = draft.people()
    some = people if draft.kind == "regression" else people[~_positive(people, draft.kind)]
    tested = _of_people(table, some.iloc[random.permutation(len(some))[:30]])
    if draft.kind == "regression":
        table.loc[tested, "y"] = 1.0
    return replace(draft, table=table.assign(split=np.where(tested, "test", "train")), split="given"), []


def parts_differ(draft: Draft, random: np.random.Generator) -> tuple[Draft, list[str]]:
    """A published test part with half of the people with the event (positive, above the median) and a tenth of others."""
    people = draft.people()
    some = people[random.random(len(people)) < np.where(_positive(people, draft.kind), 0.5, 0.1)]
    tested = _of_people(draft.table, some)
    return replace(draft, table=draft.table.assign(split=np.where(tested, "test", "train")), split="given"), []


def _of_people(table: pd.DataFrame, people: pd.DataFrame) -> np.ndarray:
    """Rows (n,) of some people."""
    return pd.MultiIndex.from_frame(table[PERSON]).isin(pd.MultiIndex.from_frame(people[PERSON]))


LEAKS = {
    "sessions of one person split": Leak(sessions_split, "person_on_two_sides"),
    "relatives split": Leak(relatives_split, "relatives_on_two_sides"),
    "two spellings of an id": Leak(two_spellings, "person_on_two_sides"),
    "one person under two ids": Leak(two_ids, "same_content"),
    "one person in two cohorts": Leak(two_cohorts, "id_in_two_cohorts"),
    "one person with two sexes": Leak(two_sexes, "contradictory_demographics"),
    "oversampled before the split": Leak(oversampled, "copied_rows"),
    "augmented before the split": Leak(augmented, "copied_rows"),
    "SMOTE before the split": Leak(interpolated, "interpolated_rows"),
    "weights trained on tested people": Leak(pretrained_on_test, "pretraining_overlap"),
    "weights of unknown origin": Leak(pretrained_unknown, "pretraining_overlap", "warn"),
    "outcome among the inputs": Leak(outcome_relabelled, "outcome_in_inputs"),
    "input made from the outcome": Leak(outcome_derived, "outcome_in_inputs"),
    "label of a later visit": Leak(label_later, "label_time", "warn", ("classification", "regression")),
    "inputs of a later visit": Leak(inputs_later, "label_time", "warn"),
    "label that changes between sessions": Leak(label_changes, "label_changes", "warn", CLASSES),
    "sessions against their dates": Leak(dates_swapped, "session_order", "warn"),
    "sessions that sort wrongly as text": Leak(unpadded, "session_order", "warn"),
    "site stands for the outcome": Leak(site_is_outcome, "site_tells_outcome", "warn"),
    "the same at half strength": Leak(site_half, "site_tells_outcome", "warn"),
    "inputs that tell the site": Leak(site_in_inputs, "site_in_inputs", "warn"),
    "acquisition differs by outcome": Leak(acquisition, "acquisition_differs", "warn"),
    "scanner differs by outcome": Leak(scanner, "acquisition_differs", "warn"),
    "quality differs by outcome": Leak(quality, "quality_differs", "warn"),
    "exclusion differs by outcome": Leak(excluded_by_outcome, "exclusion_differs", "warn"),
    "exclusion differs by site": Leak(excluded_by_site, "exclusion_differs", "warn"),
    "number of scans tells the outcome": Leak(more_scans, "scans_tell_outcome", "warn"),
    "missing values tell the outcome": Leak(missing, "missing_tells_outcome", "warn"),
    "test part of one class": Leak(one_class_fold, "fold_without_event"),
    "test part unlike training": Leak(parts_differ, "parts_differ", "warn"),
    **CONTENT_LEAKS,
}
