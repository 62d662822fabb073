"""The rule chooses the interval and the paired test of a study, and says why; a study may ask for another that is valid.

The rule looks at what is claimed (the estimand), what kind of number the metric is (its family), how the rows hang together
(rows per patient, sites, folds, repeats) and how many there are: the tables are in `triptych.methods`. No numpy and no pandas:
it runs each time the workflow is parsed.
"""

import math
from dataclasses import dataclass

from triptych import plugins
from triptych.errors import NotEstimableError, StudyError, TriptychError, did_you_mean
from triptych.methods import INTERVALS, LABELS, TESTS, Rule, Situation
from triptych.places import Where
from triptych.refusals import MEASURED, REFUSED_INTERVALS, REFUSED_TESTS
from triptych.study import ESTIMANDS, Statistics, Study

WORDS = {
    "family": "is for {able}, and this is a {found}",
    "rows": "needs {able} row per patient",
    "made": "needs {able}",
    "estimand": "answers {able} and not {found}",
}
KINDS = {"rank": "rank statistic", "proportion": "proportion", "mean": "mean of a score", "ratio": "ratio of means"}
MADE = {
    "cross-validation": "cross-validation",
    "one K-fold": "one K-fold cross-validation, not several repeats",
    "one model": "one trained model, not the models of a cross-validation",
    "5x2": "5 repeats of 2 folds",
}


@dataclass(frozen=True)
class Choice:
    """A method by name, and why it, in one sentence."""

    method: str
    why: str


def choose_interval(situation: Situation, wanted: str | None = None) -> Choice:
    """The interval for a situation, or the wanted one where it is valid.

    Raises
    ------
    StudyError
        The wanted method is none, or cannot answer: why, and the coverage that it was measured to have.
    NotEstimableError
        The data are too few.
    """
    return _choose(INTERVALS, REFUSED_INTERVALS, situation, wanted)


def choose_test(situation: Situation, wanted: str | None = None) -> Choice:
    """The paired test for a situation, or the wanted one where it is valid; errors as of `choose_interval`."""
    return _choose(TESTS, REFUSED_TESTS, situation, wanted)


def _choose(rules: tuple[Rule, ...], refused: dict[str, str], s: Situation, wanted: str | None) -> Choice:
    if wanted is None:
        fitting = [rule for rule in rules if not rule.asked and not rule.misfits(s)]
    else:
        fitting = _asked(rules, refused, s, wanted)
    for rule in fitting:
        if not rule.lacks(s):
            asked = "asked for in the study; " if wanted else ""
            return Choice(rule.method, f"{asked}{rule.why}")
    if not fitting:
        raise NotEstimableError(f"no method for the {KINDS[s.family]} and the estimand {s.estimand!r}")
    raise NotEstimableError(fitting[0].lacks(s))


def _asked(rules: tuple[Rule, ...], refused: dict[str, str], s: Situation, wanted: str) -> list[Rule]:
    """Lines of the rule for a method that a study asks for; StudyError where it cannot answer."""
    if wanted in refused:
        raise StudyError(f"{wanted!r} is refused: {refused[wanted]}")
    own = [rule for rule in rules if rule.method == wanted]
    if not own:
        names = list(dict.fromkeys(rule.method for rule in rules))
        raise StudyError(f"no method {wanted!r}{did_you_mean(wanted, names)}")
    fitting = [rule for rule in own if not rule.misfits(s)]
    if not fitting:
        nearest = min(own, key=lambda rule: len(rule.misfits(s)))
        raise StudyError(f"{wanted!r} cannot be used: {_misfit(nearest, s)}; {_instead(rules, s)}")
    return fitting


def _misfit(rule: Rule, s: Situation) -> str:
    what = rule.misfits(s)[0]
    able = {
        "family": " and ".join(f"a {KINDS[family]}" for family in rule.families),
        "rows": rule.rows,
        "made": MADE.get(rule.made, ""),
        "estimand": f"{rule.estimand!r} ({ESTIMANDS[rule.estimand]})",
    }[what]
    found = {"family": KINDS[s.family], "estimand": f"{s.estimand!r} ({ESTIMANDS[s.estimand]})"}.get(what, "")
    said = f"{LABELS[rule.method]} {WORDS[what].format(able=able, found=found)}"
    measured = MEASURED.get(
        (rule.method, s.estimand if what == "estimand" else what), "its coverage there was not measured"
    )
    return f"{said}; {measured}"


def _instead(rules: tuple[Rule, ...], s: Situation) -> str:
    able = list(dict.fromkeys(repr(rule.method) for rule in rules if not rule.misfits(s)))
    return f"use {' or '.join(able)}"


def needs_predictions(statistics: Statistics) -> bool:
    """Whether a method that the study asks for draws patients again, and so needs more than influences."""
    asked = {*statistics.intervals.values(), *statistics.tests.values()}
    return bool(asked & {"bootstrap-percentile", "bootstrap-bca", "paired-bootstrap"})


def check_choices(study: Study, where: Where) -> None:
    """Refuse methods and margins that a study asks for in vain.

    Raises
    ------
    StudyError
        With the place, the reason, and the coverage that the method was measured to have.
    """
    says = study.statistics
    for key, choose in (("intervals", choose_interval), ("tests", choose_test)):
        for metric, method in getattr(says, key).items():
            place = where("statistics", key, metric)
            _known_metric(study, metric, place)
            for situation in _situations(study, metric):
                try:
                    choose(situation, method)
                except TriptychError as error:
                    raise StudyError(f"{place}: {error}") from None
    for metric, margin in says.margins.items():
        place = where("statistics", "margins", metric)
        _known_metric(study, metric, place)
        if not 0 < margin < math.inf:
            raise StudyError(f"{place}: a margin is above 0, in the unit of the metric, not {margin:g}")


def _known_metric(study: Study, metric: str, place: str) -> None:
    if metric not in study.statistics.metrics:
        known = did_you_mean(metric, study.statistics.metrics)
        raise StudyError(f"{place}: {metric!r} is none of the study's metrics{known}")


def _situations(study: Study, metric: str) -> list[Situation]:
    """What is known beforehand of each task that a metric scores."""
    says = plugins.describe("metrics", metric)
    found = []
    for name, task in study.tasks.items():
        if task.kind not in says["TASKS"]:
            continue
        folds, repeats = (_of_split(study, name, option) for option in ("folds", "repeats"))
        found.append(
            Situation(
                study.estimand_of(name), says["FAMILY"], folds=folds, repeats=repeats, level=study.statistics.level
            )
        )
    return found


def _of_split(study: Study, task: str, option: str) -> int | None:
    validation = study.validation_of(task)
    if validation is None:
        return None
    known = plugins.describe("splits", validation.split).options
    return validation.options.get(option, known[option].default) if option in known else None
