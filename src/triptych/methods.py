"""Methods of inference as data: the question that each answers, what it needs, and what was measured where it fails.

Measured values are shares of nominal 95 % intervals that held the truth, or of equal models that a test at 5 % rejected; the
simulations are told in docs/statistics.md. No numpy and no pandas: read each time the workflow is parsed.
"""

import math
from dataclasses import dataclass, field

FAMILIES = ("rank", "proportion", "mean", "ratio")
UNITS = {"patients": "patients", "sites": "sites", "resamples": "resamples (folds x repeats)"}


@dataclass(frozen=True)
class Situation:
    """What is asked, and of what data; None: not known yet, as when a study file is checked.

    estimand, family : see `ESTIMANDS` and `FAMILIES`. several : whether a patient has several rows. patients, sites, fewest :
    how many; fewest of them are what `rarer` says. folds, repeats : of the cross-validation.
    """

    estimand: str
    family: str
    several: bool | None = None
    patients: int | None = None
    fewest: int | None = None
    sites: int | None = None
    folds: int | None = None
    repeats: int | None = None
    level: float = 0.95
    whole: bool | None = None
    rarer: str = "patients in the rarer class"

    def count(self, unit: str) -> int | None:
        """How many there are: of patients, fewest, sites, resamples, or flips (units whose signs can be flipped)."""
        if unit == "resamples":
            return None if self.folds is None or self.repeats is None else self.folds * self.repeats
        if unit == "flips":
            return self.sites if self.estimand == "new-site" else self.patients
        found: int | None = getattr(self, unit)
        return found


@dataclass(frozen=True)
class Rule:
    """One line of the rule: for this question, this method.

    rows : one, several or any, per patient. made : any, cross-validation, one K-fold, or 5x2. needs : unit -> least number.
    asked : used only where a study asks for it. whole : only for metrics that count every row. below : what was measured with
    fewer than it needs.
    """

    estimand: str
    method: str
    why: str
    families: tuple[str, ...] = FAMILIES
    rows: str = "any"
    made: str = "any"
    needs: dict[str, int] = field(default_factory=dict)
    asked: bool = False
    whole: bool = False
    below: str = ""

    def misfits(self, s: Situation) -> list[str]:
        """What of the situation this method cannot do: estimand, family, rows, made."""
        several = {"one": s.several is True, "several": s.several is False}.get(self.rows, False)
        wrong = {
            "estimand": s.estimand != self.estimand,
            "family": s.family not in self.families,
            "rows": several,
            "made": not _made(self.made, s.folds, s.repeats),
        }
        return [name for name, found in wrong.items() if found]

    def lacks(self, s: Situation) -> str:
        """Which number is too small, or what else is missing, in words; empty where nothing is."""
        if self.whole and s.whole is False:
            return ONE_CLASS
        for unit, least in self.needs.items():
            least = fewest_flips(s.level) if unit == "flips" else least
            n = s.count(unit)
            if n is not None and n < least:
                few = f"{n} {_unit(unit, s)} are too few for {LABELS[self.method]} (at least {least})"
                if unit == "flips":
                    few += f": with {n} the smallest p is 2/2^{n} = {2.0 ** (1 - n):.2g} and cannot reach {1 - s.level:.2g}"
                return few + (f"; {self.below}" if self.below else "")
        return ""


def _unit(unit: str, s: Situation) -> str:
    if unit == "flips":
        return "sites" if s.estimand == "new-site" else "patients"
    return s.rarer if unit == "fewest" else UNITS[unit]


def _made(made: str, folds: int | None, repeats: int | None) -> bool:
    if made == "cross-validation":
        return folds is None or folds > 1
    if made == "one K-fold":
        return (folds is None or folds > 1) and repeats in (None, 1)
    if made == "one model":
        return folds in (None, 1)
    if made == "5x2":
        return folds in (None, 2) and repeats in (None, 5)
    return True


def fewest_flips(level: float) -> int:
    """Units below which no sign-flip test can reach a p of 1 - level: 2/2^n must be at most that."""
    return math.ceil(1 + math.log2(1 / (1 - level)) - 1e-9)


LABELS = {
    "wilson": "Wilson's score interval",
    "influence-t": "an interval by influence functions of patients",
    "influence-t-cv": "an interval by influence functions of patients and the variance between repeats",
    "influence-t-procedure": "an interval by influence functions of patients and the variance between repeats",
    "influence-welch": "an interval by influence functions with variances by class",
    "bootstrap-percentile": "the percentile bootstrap of patients",
    "bootstrap-bca": "the BCa bootstrap of patients",
    "t-over-sites": "t over sites",
    "bootstrap-sites": "the bootstrap of sites",
    "nadeau-bengio": "the corrected t of Nadeau and Bengio",
    "bayle": "the z of Bayle et al.",
    "mcnemar": "McNemar's test (mid-p)",
    "sign-flip": "the sign-flip test by patient",
    "clustered-mcnemar": "McNemar's test by patient",
    "paired-influence": "the paired test by influence functions of patients",
    "paired-cv": "the paired test by influence functions of patients and the variance between repeats",
    "paired-procedure": "the paired test by influence functions of patients and the variance between repeats",
    "paired-welch": "the paired test by influence functions with variances by class",
    "paired-bootstrap": "the paired bootstrap of patients",
    "paired-t-over-sites": "the paired t over sites",
    "sign-flip-sites": "the sign-flip test of sites",
    "5x2cv": "the 5x2cv F test",
}
FEW_PATIENTS = (
    "with 20 patients, 3 of them with an event, 95 % intervals held the truth in as few as 61 % of simulations"
)
FEW_OF_SEVERAL = (
    "Wilson's interval on all rows would have covered 73 %; with one session per patient, named beforehand, it is valid"
)
FEW_MEANS_OF_SEVERAL = "where patients who err more have more rows, intervals of 20 patients held the truth in 91 %"
FEW_SITES = (
    "Wilson's interval on all patients would have covered 65 to 67 %, a bootstrap of 3 sites 73 %, of 5 sites 82 %"
)
FEW_BOOTSTRAP = "with 20 patients the percentile bootstrap covered 87 to 91 %, BCa 92 to 94 %"
FEW_RESAMPLES = "t over the folds of 10 x 10, uncorrected, would have covered 42 to 45 %; make more repeats"
NOT_PROPORTIONS = ("rank", "mean", "ratio")
SUMS = ("proportion", "mean")

ONE_CLASS = (
    "a score by class (sensitivity, specificity, balanced accuracy) moves with the threshold that each training finds, which the "
    "folds of one data set do not show: 95 % intervals covered 26 to 99 % and tests rejected up to 30 % of equal procedures; ask "
    "for AUC or accuracy, or claim 'new-patients'"
)
MODELS_DIFFER = "who is tested in one fold trains the models of the others, which repeats show"
BY_CLASS = "the patient is the unit; few patients in one class cost degrees of freedom"
INTERVALS = (
    Rule(
        "new-patients",
        "influence-t-cv",
        MODELS_DIFFER,
        NOT_PROPORTIONS,
        made="cross-validation",
        needs={"patients": 20, "fewest": 10},
        below=FEW_PATIENTS,
    ),
    Rule(
        "new-patients",
        "influence-t-cv",
        MODELS_DIFFER,
        ("proportion",),
        made="cross-validation",
        needs={"patients": 20},
        below="fewer were not simulated",
    ),
    Rule("new-patients", "wilson", "a proportion, and one row per patient", ("proportion",), "one", "one model"),
    Rule(
        "new-patients",
        "influence-welch",
        "several rows per patient, which are not independent: they count as one sum",
        ("proportion",),
        "several",
        made="one model",
        needs={"patients": 20},
        below=FEW_OF_SEVERAL,
    ),
    Rule(
        "new-patients",
        "influence-welch",
        BY_CLASS,
        ("rank", "ratio"),
        made="one model",
        needs={"patients": 20, "fewest": 10},
        below=FEW_PATIENTS,
    ),
    Rule(
        "new-patients",
        "influence-welch",
        BY_CLASS,
        ("mean",),
        "one",
        made="one model",
        needs={"patients": 20, "fewest": 10},
        below=FEW_PATIENTS,
    ),
    Rule(
        "new-patients",
        "influence-welch",
        BY_CLASS,
        ("mean",),
        "several",
        made="one model",
        needs={"patients": 30, "fewest": 10},
        below=FEW_MEANS_OF_SEVERAL,
    ),
    Rule(
        "new-patients",
        "influence-t",
        "the patient is the unit, and all patients have one variance",
        NOT_PROPORTIONS,
        made="one model",
        needs={"patients": 20, "fewest": 20},
        asked=True,
        below=FEW_PATIENTS,
    ),
    Rule(
        "new-patients",
        "influence-t",
        "each patient's influence on the score is known",
        ("proportion",),
        made="one model",
        needs={"patients": 20},
        asked=True,
        below=FEW_OF_SEVERAL,
    ),
    Rule(
        "new-patients",
        "bootstrap-percentile",
        "whole patients are drawn again",
        made="one model",
        needs={"patients": 100, "fewest": 10},
        asked=True,
        below=f"{FEW_BOOTSTRAP}; with 50 the percentile bootstrap 91 to 93 %",
    ),
    Rule(
        "new-patients",
        "bootstrap-bca",
        "whole patients are drawn again",
        made="one model",
        needs={"patients": 50, "fewest": 10},
        asked=True,
        below=FEW_BOOTSTRAP,
    ),
    Rule("new-site", "t-over-sites", "the site is the unit", needs={"sites": 5}, below=FEW_SITES),
    Rule(
        "new-site",
        "bootstrap-sites",
        "whole sites are drawn again",
        needs={"sites": 50},
        asked=True,
        below="a bootstrap of 3 sites covered 73 %, of 5 82 %, of 10 90 %, of 20 85 to 95 %; 't-over-sites' 94 % at each",
    ),
    Rule(
        "procedure",
        "influence-t-procedure",
        f"{MODELS_DIFFER}; other patients would train other models",
        made="cross-validation",
        needs={"patients": 20, "fewest": 10},
        whole=True,
        below=FEW_RESAMPLES,
    ),
    Rule(
        "procedure",
        "nadeau-bengio",
        "the resample is the unit, and resamples share training data",
        made="cross-validation",
        needs={"resamples": 10},
        asked=True,
        whole=True,
        below=FEW_RESAMPLES,
    ),
    Rule(
        "procedure",
        "bayle",
        "one K-fold cross-validation of too few folds for the corrected t, and a score per row",
        SUMS,
        "one",
        "one K-fold",
        needs={"patients": 20},
        whole=True,
        below=FEW_RESAMPLES,
    ),
)

TESTS = (
    Rule(
        "new-patients",
        "paired-cv",
        MODELS_DIFFER,
        made="cross-validation",
        needs={"patients": 20, "fewest": 10},
        below="the paired test by influence functions alone rejected 18 to 22 % of equal models without a signal",
    ),
    Rule(
        "new-patients",
        "mcnemar",
        "right or wrong, one row and one prediction per patient",
        ("proportion",),
        "one",
        "one model",
    ),
    Rule(
        "new-patients",
        "sign-flip",
        "a sum over patients: if the models are equal, each patient's difference could as well have the other sign",
        SUMS,
        made="one model",
        needs={"flips": 0},
    ),
    Rule(
        "new-patients",
        "paired-welch",
        "the patient is the unit; few patients in one class cost degrees of freedom",
        made="one model",
        needs={"patients": 20, "fewest": 10},
        below="DeLong's test on all rows rejected 31 % of equal models with 20 patients, McNemar's 22 %",
    ),
    Rule(
        "new-patients",
        "paired-influence",
        "the patient is the unit, and all patients have one variance",
        made="one model",
        needs={"patients": 20, "fewest": 20},
        asked=True,
        below="with 10 of 100 patients in one class it rejected 8 % of equal models",
    ),
    Rule(
        "new-patients",
        "clustered-mcnemar",
        "right or wrong, summed by patient",
        ("proportion",),
        made="one model",
        needs={"patients": 20},
        asked=True,
        below="fewer were not tried",
    ),
    Rule(
        "new-patients",
        "sign-flip",
        "signs of whole patients' influences are flipped",
        ("rank", "ratio"),
        made="one model",
        needs={"flips": 0, "patients": 50, "fewest": 20},
        asked=True,
        below="influences are linear with many patients only: with 2 to 15 in the rarer class it rejected 8 to 22 %",
    ),
    Rule(
        "new-patients",
        "paired-bootstrap",
        "whole patients are drawn again, the same for both models",
        made="one model",
        needs={"patients": 50, "fewest": 10},
        asked=True,
        below=FEW_BOOTSTRAP,
    ),
    Rule("new-site", "paired-t-over-sites", "the site is the unit", needs={"sites": 5}, below=FEW_SITES),
    Rule(
        "new-site",
        "sign-flip-sites",
        "if the models are equal, each site's difference could as well have the other sign",
        needs={"flips": 0},
        asked=True,
    ),
    Rule(
        "procedure",
        "paired-procedure",
        f"{MODELS_DIFFER}; other patients would train other models",
        made="cross-validation",
        needs={"patients": 20, "fewest": 10},
        whole=True,
        below="a t over the folds of 10 x 10, uncorrected, would have rejected 56 % of equal models",
    ),
    Rule(
        "procedure",
        "nadeau-bengio",
        "the resample is the unit, and resamples share training data",
        made="cross-validation",
        needs={"resamples": 10},
        asked=True,
        whole=True,
        below="a t over the folds of 10 x 10, uncorrected, would have rejected 56 % of equal models; make more repeats",
    ),
    Rule(
        "procedure",
        "bayle",
        "one K-fold cross-validation of too few folds for the corrected t, and a score per row",
        SUMS,
        "one",
        "one K-fold",
        needs={"patients": 20},
        whole=True,
    ),
    Rule("procedure", "5x2cv", "five repeats of two folds", made="5x2", asked=True, whole=True),
)
