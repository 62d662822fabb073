"""The report: one page that needs nothing but itself, from the tables and figures of a study."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import jinja2
import pandas as pd

from triptych.report import _controls, _design, _notes, _people, _protocols, _risks, _scores, _shared, numbers
from triptych.report._headline import Headline, headline, overview
from triptych.report._view import Section

# The order in which a reader needs them; a section is shown when the task has its table.
SECTIONS: dict[str, Callable[[pd.DataFrame, list[dict]], Section]] = {
    "flow": _people.flow,
    "exclusion": _people.exclusion,
    "audit": _people.audit,
    "scores": _scores.scores,
    "comparisons": _scores.comparisons,
    "controls": _controls.controls,
    "km_by_risk": _people.km_by_risk,
    "calibration": _risks.calibration,
    "decision": _risks.decision,
    "spread": _scores.spread,
    "components": _design.components,
    "planning": _design.planning,
    "published": _people.published,
}
# The same for tables of the study as a whole, which are shown at the top.
OVERALL: dict[str, Callable[[pd.DataFrame, list[dict]], Section]] = {
    "protocols": _protocols.protocols,
    "ranks": _design.ranks,
}
# Where a figure belongs whose name is not that of a section.
PLACES = {"forest": "scores", "paired": "comparisons", "critical_difference": "ranks"}


@dataclass(frozen=True)
class TaskInputs:
    """One task: its statistics tables by name, and its figures (name, title, caption, svg, files)."""

    name: str
    title: str
    outcome_text: str = ""
    cohorts: list[str] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: list[dict] = field(default_factory=list)
    wrong_on_purpose: bool = False


@dataclass(frozen=True)
class Inputs:
    """All that the page is made of; ``tables`` and ``figures`` are those of the study as a whole.

    ``notes`` has a row (cohort, scan, note) for each note of each scan that can be used, and one with an empty note for a
    scan without any.
    """

    study: dict[str, Any]
    tasks: list[TaskInputs]
    cohorts: list[dict]
    failures: pd.DataFrame
    provenance: dict[str, Any]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: list[dict] = field(default_factory=list)
    notes: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True)
class TaskView:
    """A task as the template sees it."""

    name: str
    title: str
    outcome: str
    cohorts: str
    headline: Headline
    sections: list[Section]


def render(inputs: Inputs) -> str:
    """The whole page as text."""
    own = files("triptych.report")
    page = _environment().from_string((own / "page.html.j2").read_text(encoding="utf-8"))
    shared = [
        _shared.failures(inputs.failures),
        *([_notes.notes(inputs.notes)] if len(inputs.notes) else []),
        _shared.cohorts(inputs.cohorts),
        _shared.methods(inputs.study, inputs.tasks),
        _shared.provenance(inputs.provenance, inputs.study),
    ]
    tasks = [_task(task, inputs.study) for task in inputs.tasks]
    return page.render(
        study=inputs.study,
        tasks=tasks,
        overview=overview([(task.title, task.headline) for task in tasks]),
        reproduced=_reproduced(inputs),
        overall=_sections(OVERALL, inputs.tables, inputs.figures),
        shared=shared,
        css=(own / "page.css").read_text(encoding="utf-8"),
        script=(own / "page.js").read_text(encoding="utf-8"),
    )


def _reproduced(inputs: Inputs) -> list[str]:
    """How all published cells compare with ours, and what to know of them; nothing when no table was published."""
    tables = [
        task.tables["published"] for task in inputs.tasks if not task.tables.get("published", pd.DataFrame()).empty
    ]
    if not tables:
        return []
    cited = inputs.study.get("published_citation") or "the published table"
    return [f"Against {cited}: {_people.agreement(pd.concat(tables))}", *(inputs.study.get("published_notes") or [])]


def _environment() -> jinja2.Environment:
    """Everything is escaped; a name that the template does not know is an error rather than a hole."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"as_image": as_image, "slug": slug}
    environment.tests["address"] = lambda words: bool(re.fullmatch(r"https?://[^\s<>\"']+", str(words)))
    return environment


def _task(task: TaskInputs, study: dict) -> TaskView:
    sections = _sections(SECTIONS, task.tables, task.figures)
    metrics = [m["name"] if isinstance(m, dict) else str(m) for m in study.get("metrics") or []]
    told = headline(task.tables, metrics, wrong_on_purpose=task.wrong_on_purpose)
    return TaskView(slug(task.name), task.title, task.outcome_text, numbers.joined(task.cohorts), told, sections)


def _sections(
    makers: dict[str, Callable[[pd.DataFrame, list[dict]], Section]],
    tables: dict[str, pd.DataFrame],
    figures: list[dict],
) -> list[Section]:
    """A section for each table that is there, with the figures that belong to it; the other figures last."""
    placed: dict[str, list[dict]] = {}
    for figure in figures:
        placed.setdefault(PLACES.get(figure["name"], figure["name"]), []).append(figure)
    made = [make(tables[name], placed.pop(name, [])) for name, make in makers.items() if name in tables]
    rest = [figure for listed in placed.values() for figure in listed]
    return [*made, Section("more", "More figures", figures=rest)] if rest else made


def slug(name: object) -> str:
    """A name that is safe in an address within the page."""
    return re.sub(r"[^a-z0-9]+", "-", str(name).lower()).strip("-") or "part"


def as_image(svg: str) -> str:
    """The drawing as a data address: its own document, so names inside two drawings cannot meet."""
    small = re.sub(r"<!--.*?-->", "", svg, flags=re.S)
    small = re.sub(r">\s+<", "><", small[max(small.find("<svg"), 0) :])
    return "data:image/svg+xml;base64," + base64.b64encode(small.encode()).decode("ascii")
