"""Methods that are refused, always or where they do not fit, and what they were measured to do there (docs/statistics.md)."""

FOLDS_OVERLAP = "folds share their training data"
REFUSED_INTERVALS = {
    "t-over-folds": f"{FOLDS_OVERLAP}: over 10 x 10 folds its 95 % interval covered 42 to 45 %; use 'nadeau-bengio'",
    "mean-sd": "mean +- 1.96 SD over folds is no interval for the mean: it covered 100 % with a half-width of .26, where "
    "'nadeau-bengio' covered 95 % with .09",
    "wilson-per-row": "rows of one patient are not independent: it covered 72 to 73 %; use 'influence-t'",
    "bootstrap-rows": "rows of one patient are not independent: it covered 71 to 74 %; use 'influence-t' or 'bootstrap-bca'",
    "delong": "on several rows per patient it covered 63 to 70 %; 'influence-welch' has its variance with one row per patient",
    "wald": "without the logit scale it covered 84 % of AUCs with 20 patients; use 'influence-welch'",
    "bootstrap-basic": "its interval of a median covered 82 to 87 %; use 'bootstrap-percentile' or 'bootstrap-bca'",
    "bates": "nested cross-validation needs K(K-1) fits more in each repeat, which the workflow does not make "
    "(triptych.inference.cross_validation.bates_nested takes yours)",
}
REFUSED_TESTS = {
    "t-over-folds": f"{FOLDS_OVERLAP}: over 10 x 10 folds it rejected 56 % of equal models; use 'nadeau-bengio'",
    "wilcoxon-over-folds": f"{FOLDS_OVERLAP}, so their differences are not independent; use 'nadeau-bengio'",
    "mcnemar-per-row": "rows of one patient are not independent: it rejected 22 to 27 % of equal models; use 'sign-flip'",
    "sign-flip-rows": "rows of one patient are not independent: it rejected 23 to 27 % of equal models; use 'sign-flip'",
    "delong": "on several rows per patient it rejected 31 to 35 % of equal models; use 'paired-welch'",
    "friedman": "it ranks models over independent data sets, and folds are none; use 'nadeau-bengio'",
    "nemenyi": "it ranks models over independent data sets, and folds are none; use 'nadeau-bengio'",
    "label-permutation": "it asks whether there is any signal, not which model is better; that is the control `permuted`",
}
FIVE_BY_TWO = (
    "other resamples than 5 x 2 need other fits, which the workflow does not make; where it was right it rejected 6 to 8 % of "
    "equal models"
)
BY_PATIENT = "in cross-validation, intervals of an AUC by patients alone covered 80 to 88 % where there is no signal"
TESTED_BY_PATIENT = "in cross-validation, tests by patients alone rejected 18 to 22 % of equal models without a signal"
# what a method of the tables was measured to do where it does not belong: method, what does not fit -> words
MEASURED = {
    ("wilson", "rows"): "on all rows of 20 to 200 patients it covered 72 to 73 % (intraclass correlation .8)",
    ("wilson", "new-site"): "on all patients of 3 to 50 sites it covered 64 to 68 % of the mean over sites",
    ("influence-welch", "new-site"): "an interval over pooled patients covered 64 to 68 % of the mean over sites",
    ("influence-t", "new-site"): "an interval over pooled patients covered 64 to 68 % of the mean over sites",
    ("bootstrap-percentile", "new-site"): "a bootstrap of 5 sites covered 82 %, of patients less",
    ("mcnemar", "rows"): "on all rows of 20 to 200 patients it rejected 22 to 27 % of equal models",
    ("5x2cv", "made"): FIVE_BY_TWO,
    **dict.fromkeys(
        [(m, "made") for m in ("influence-t", "influence-welch", "wilson", "bootstrap-percentile", "bootstrap-bca")],
        BY_PATIENT,
    ),
    **dict.fromkeys(
        [
            (m, "made")
            for m in (
                "paired-influence",
                "paired-welch",
                "paired-bootstrap",
                "sign-flip",
                "clustered-mcnemar",
                "mcnemar",
            )
        ],
        TESTED_BY_PATIENT,
    ),
}
