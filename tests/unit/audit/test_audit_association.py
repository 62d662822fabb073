"""What goes with the outcome: the permutation test itself, and the checks that use it."""

import numpy as np
import pandas as pd
import pytest
from audited import but, check, clean, one
from scipy import stats

from triptych.audit._association import BLOCK, LEVEL, MOST, associations
from triptych.audit._people import outcome_score, patients
from triptych.survival.nonparametric import logrank

KINDS = ["classification", "survival", "regression"]


def worse(context):
    """The half with more events than expected, of class 1, or above the median."""
    score = outcome_score(context.people, context.kind)
    return score > (0.5 if context.kind == "classification" else np.median(score))


# ---- the test ----


def test_a_number_gets_the_p_of_the_rank_correlation():
    random = np.random.default_rng(0)
    y, x = random.normal(size=80), random.normal(size=80)
    x += 0.22 * y
    found = associations(y, pd.DataFrame({"x": x}), seed=1)[0]
    assert found.measure == "rank correlation"
    assert found.effect == pytest.approx(abs(np.corrcoef(y, stats.rankdata(x))[0, 1]))
    assert found.p == pytest.approx(stats.pearsonr(y, stats.rankdata(x)).pvalue, abs=0.02)


def test_categories_and_classes_get_cramers_v_and_the_p_of_the_table():
    random = np.random.default_rng(1)
    y = random.random(150) < 0.4
    words = np.where(random.random(150) < 0.2, np.where(y, "a", "b"), random.choice(["a", "b", "c"], 150))
    found = associations(y.astype(float), pd.DataFrame({"w": words}), seed=1, positive=y)[0]
    table = pd.crosstab(y, words).to_numpy()
    chi2, p = stats.chi2_contingency(table, correction=False)[:2]
    assert found.measure == "Cramér's V"
    assert found.effect == pytest.approx(np.sqrt(chi2 / 150))
    assert found.p == pytest.approx(p, abs=0.02)


def test_a_number_between_classes_gets_the_standardised_mean_difference():
    random = np.random.default_rng(2)
    y = np.arange(100) < 40
    x = random.normal(size=100) + y
    found = associations(y.astype(float), pd.DataFrame({"x": x}), seed=1, positive=y)[0]
    pooled = np.sqrt((x[y].var(ddof=1) + x[~y].var(ddof=1)) / 2)
    assert (found.measure, found.effect) == (
        "standardised mean difference",
        pytest.approx((x[y].mean() - x[~y].mean()) / pooled),
    )
    assert found.p == pytest.approx(1 / (MOST + 1)), "reached by none of all permutations"


def test_counts_decide_not_shares():
    """The same shares (60 against 40 %) in more people are more evidence."""
    p = []
    for n in (50, 500):
        y = np.arange(n) % 2 == 0
        x = np.where(np.arange(n) % 10 < 6, y, ~y)
        p.append(associations(y.astype(float), pd.DataFrame({"x": x}), seed=1, positive=y)[0].p)
    assert p[0] > 0.05
    assert p[1] <= LEVEL


def test_many_columns_are_corrected_for():
    random = np.random.default_rng(6)
    y = random.normal(size=60)
    noise = random.normal(size=(60, 40))
    columns = pd.DataFrame(noise).add_prefix("x")
    together = associations(y, columns, seed=1)
    alone = [associations(y, columns[[c]], seed=1)[0].p for c in columns]
    assert min(alone) < 0.05 < min(one.p for one in together)
    assert min(one.p for one in together) == pytest.approx(1 - (1 - min(alone)) ** 40, abs=0.15)


@pytest.mark.parametrize("kind", ["number", "words"])
def test_p_is_uniform_without_an_effect(kind):
    random = np.random.default_rng(4)
    p = []
    for seed in range(300):
        x = random.normal(size=40) if kind == "number" else random.choice(list("abcd"), 40)
        p.append(associations(random.exponential(size=40), pd.DataFrame({"x": x}), seed=seed)[0].p)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.05) < 0.09


def test_drawing_ends_early_where_nothing_is_found():
    y = np.random.default_rng(5).normal(size=30)
    p = associations(y, pd.DataFrame({"x": np.tile([0.0, 1.0, 2.0], 10)}), seed=1)[0].p
    assert p * (BLOCK + 1) == pytest.approx(round(p * (BLOCK + 1))), "a multiple of one in a hundred and one"


def test_constants_and_rare_words_say_nothing():
    y = np.arange(20.0)
    columns = pd.DataFrame({"same": 1.0, "empty": np.nan, "id": [f"k{k}" for k in range(20)], "x": y})
    assert [one.column for one in associations(y, columns, seed=1)] == ["x"]
    assert associations(np.ones(20), columns, seed=1) == []


def test_the_score_of_survival_agrees_with_the_log_rank_test():
    """Its residuals, not ranked, give the log-rank statistic nearly; ranked, the same verdict."""
    context = clean(300, event=True)
    group = context.people["time"].rank().to_numpy() + 120 * np.random.default_rng(0).normal(size=300) > 150
    p = logrank(context.people["time"], context.people["event"], group).p
    found = associations(outcome_score(context.people, "survival"), pd.DataFrame({"g": group}), seed=1)[0]
    assert p < LEVEL
    assert found.found


def test_people_are_counted_once():
    context = clean()
    table = pd.concat([context.people, context.people.assign(session_id="ses-2", event=False, age=0.0)])
    people = patients(table, "survival")
    assert len(people) == 60
    assert people["event"].equals(context.people["event"])
    assert people["age"].to_numpy() == pytest.approx(context.people["age"] / 2)
    assert people["site"].tolist() == context.people["site"].tolist()


# ---- acquisition and quality ----


def with_column(kind, values, role, **roles):
    context = clean(200, kind=kind)
    table = context.people.assign(shown=values(context))
    return but(context, participants=table, roles={role: ["shown"], **roles})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("role", "name"), [("acquisition", "acquisition_differs"), ("quality", "quality_differs")])
def test_a_column_that_differs_by_outcome(kind, role, name):
    noise = np.random.default_rng(1).normal(size=200)
    row = one(name, with_column(kind, lambda c: worse(c) + noise, role))
    assert row["severity"] == "warn"
    assert row["keys"].startswith("shown (")
    assert (abs(row["value"]) > 0.3, row["threshold"]) == (True, LEVEL)
    scanner = np.random.default_rng(2).choice(["A", "B", "C"], 200)
    row = one(name, with_column(kind, lambda c: np.where(worse(c) & (noise > -0.7), "A", scanner), role))
    assert row["severity"] == "warn"


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_that_does_not_differ_is_shown_all_the_same(kind):
    noise = np.random.default_rng(3).normal(size=200)
    row = one("acquisition_differs", with_column(kind, lambda c: noise, "acquisition"))
    assert row["severity"] == "pass"
    assert row["message"].startswith("200 patients: no more than chance, the strongest is shown (")
    assert row["measure"] != ""


def test_dates_and_numbers_as_text_are_numbers():
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(200), unit="D")
    context = clean(200, kind="classification", y=(np.arange(200) > 99).astype(int))
    for values in (days.strftime("%Y-%m-%d"), [f"{k}.5" for k in range(200)]):
        table = context.people.assign(shown=values)
        row = one("acquisition_differs", but(context, participants=table, roles={"acquisition": ["shown"]}))
        assert row["keys"].startswith("shown (standardised mean difference ")


def test_roles_without_columns_are_not_assessable():
    for name in ("acquisition_differs", "quality_differs"):
        assert one(name, clean())["severity"] == "not assessable"
    assert one("acquisition_differs", with_column("survival", lambda c: 1.0, "acquisition"))["message"] == (
        "shown: the same in all patients"
    )


# ---- number of scans ----


def scanned(kind, often):
    """A further row for some people."""
    context = clean(200, kind=kind)
    more = context.people[often(context)].assign(session_id="ses-2", age=1.0)
    return but(context, table=pd.concat([context.people, more], ignore_index=True))


@pytest.mark.parametrize("kind", KINDS)
def test_more_scans_of_the_sicker(kind):
    luck = np.random.default_rng(1).random(200)
    row = one("scans_tell_outcome", scanned(kind, lambda c: luck < np.where(worse(c), 0.6, 0.1)))
    assert (row["severity"], row["keys"]) == ("warn", "number of rows")
    assert ("rows with the event or positive" in row["message"]) == (kind != "regression")
    assert one("scans_tell_outcome", scanned(kind, lambda c: luck < 0.4))["severity"] == "pass"


def test_as_many_scans_of_everyone():
    assert one("scans_tell_outcome", clean())["message"] == "one row per person"
    assert one("scans_tell_outcome", scanned("survival", lambda c: np.ones(200, bool)))["message"] == (
        "2 rows for each person"
    )


# ---- missing values ----


def gappy(kind, gone, column="g1"):
    context = clean(200, kind=kind)
    table = context.people.copy()
    table[column] = table[column].mask(pd.Series(gone(context)))
    return but(context, table=table)


@pytest.mark.parametrize("column", ["g1", "grade"])
@pytest.mark.parametrize("kind", KINDS)
def test_values_that_are_missing_by_outcome(kind, column):
    luck = np.random.default_rng(1).random(200)
    row = one("missing_tells_outcome", gappy(kind, lambda c: luck < np.where(worse(c), 0.5, 0.05), column))
    assert row["severity"] == "warn"
    assert row["keys"].startswith(f"{column} (")
    row = one("missing_tells_outcome", gappy(kind, lambda c: luck < 0.3, column))
    assert (row["severity"], row["message"]) == (
        "pass",
        "inputs that are missing in some people (1): no more by outcome than chance",
    )


def test_nothing_missing_and_always_missing():
    assert one("missing_tells_outcome", clean())["message"] == "no input is missing"
    row = one("missing_tells_outcome", clean(g1=np.nan))
    assert (row["severity"], row["message"]) == ("pass", "the same inputs are missing in all people")


# ---- exclusion ----


def left_out(kind, out):
    """Some people are left out, with all that is known of them."""
    context = clean(300, kind=kind)
    gone = pd.Series(out(context))
    splits = context.splits[context.splits["participant_id"].isin(context.people["participant_id"][~gone])]
    context = but(
        context,
        table=context.people[~gone].reset_index(drop=True),
        splits=splits,
        excluded=context.people[gone].assign(reason="QC fail"),
    )
    return context


@pytest.mark.parametrize("kind", KINDS)
def test_exclusion_by_outcome(kind):
    luck = np.random.default_rng(1).random(300)

    def often(context):
        high = context.people["event"] if kind == "survival" else worse(context)
        return luck < np.where(high, 0.35, 0.03)

    row = one("exclusion_differs", left_out(kind, often))
    assert (row["severity"], row["keys"]) == ("warn", "QC fail")
    assert " people were left out (rule: " in row["message"]
    assert "), unlike by outcome: " in row["message"]
    assert row["action"] == "exclude by rules that are blind to it, and report the excluded"


def test_exclusion_by_site_is_given_in_counts():
    luck = np.random.default_rng(1).random(300)
    row = one("exclusion_differs", left_out("survival", lambda c: luck < np.where(c.people["site"] == "s2", 0.5, 0.02)))
    assert row["severity"] == "warn"
    assert "unlike by site: " in row["message"]
    assert " of 75 c/s2" in row["message"]


def test_of_many_sites_the_ends_are_named_and_the_kind_of_reason():
    luck = np.random.default_rng(1).random(300)
    context = left_out("survival", lambda c: luck < np.where(c.people["site"] == "s2", 0.5, 0.02))
    halves = np.arange(len(context.people)) % 2
    spread = context.people.assign(site=context.people["site"] + "-" + halves.astype(str))
    gone = context.excluded.assign(kind="scan set aside", site=context.excluded["site"] + "-0")
    row = one("exclusion_differs", but(context, table=spread, excluded=gone))
    assert "(scan set aside: " in row["message"]
    assert " (the ends of 8; all are in the table of exclusion)" in row["message"]


def test_whoever_has_no_outcome_was_not_left_out_by_anybody():
    context = left_out("survival", lambda c: (c.people["site"] == "s2") & (np.arange(300) % 8 < 4))
    assert one("exclusion_differs", context)["severity"] == "warn"
    missing = but(context, excluded=context.excluded.assign(kind="no outcome", event=np.nan))
    assert one("exclusion_differs", missing)["severity"] == "pass"


def test_exclusion_at_random_and_of_nobody():
    luck = np.random.default_rng(1).random(300)
    row = one("exclusion_differs", left_out("classification", lambda c: luck < 0.2))
    assert (row["severity"], row["message"][:32]) == ("pass", "no more than chance by outcome: ")
    assert one("exclusion_differs", clean())["message"] == "nobody was left out by a rule, or for want of a usable scan"


def test_who_keeps_another_session_was_not_left_out():
    context = clean(300)
    gone = context.people[context.people["event"]].assign(session_id="ses-0", reason="QC fail")
    assert (
        one("exclusion_differs", but(context, excluded=gone))["message"]
        == "nobody was left out by a rule, or for want of a usable scan"
    )


def test_an_outcome_that_is_not_known_of_those_left_out_is_said():
    context = left_out("classification", lambda c: np.arange(300) % 5 == 0)
    context = but(context, excluded=context.excluded.assign(y=np.nan))
    assert "outcome of those left out is not known" in one("exclusion_differs", context)["message"]


def test_missing_checks_need_inputs():
    assert check("missing_tells_outcome", but(clean(), examples=None))["severity"].tolist() == ["not assessable"]
