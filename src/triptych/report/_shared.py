"""The sections that all tasks share: what failed, the cohorts, the methods, and where it all came from."""

import pandas as pd

from triptych.report import numbers
from triptych.report._view import Body, Cell, Section, Table, heads, metric_name, number, one

LONG = 15
HOLM = (
    "p after Holm: of all comparisons made together, the smallest p is multiplied by their number, the next by one "
    "less, and so on, so that the chance of even one false finding stays below 5%. How many were made together is "
    "said beside each comparison."
)


def failures(table: pd.DataFrame) -> Section:
    """What could not be read or used, where, and what to do about it."""
    title = "Failures and quarantine"
    if table.empty:
        return Section("failures", title, ["Nothing failed and nothing was set aside."])
    people = table["participant_id"].dropna().nunique()
    words = [
        f"{numbers.count(len(table), 'file or row').replace('file or rows', 'files or rows')} set aside, concerning "
        f"{numbers.count(people, 'participant')}. None was dropped without a word: each is listed here."
    ]
    bodies = []
    for stage, part in table.groupby("stage", sort=False, dropna=False):
        bodies.append(Body([_failure(row) for row in part.to_dict("records")], numbers.text(stage, "stage not given")))
    head = heads("Cohort", "Participant", "Where", "What is wrong", "What to do")
    shown = Table("Set aside", head, bodies, folded=len(table) > LONG, summary=f"All {len(table)} entries")
    return Section("failures", title, words, [shown])


def _failure(row: dict) -> list[Cell]:
    place = [numbers.text(row["file"], "no file")]
    place += [f"row {numbers.plain(row['row'])}"] if numbers.finite(row["row"]) else []
    place += [f"column {row['column']}"] if numbers.known(row["column"]) else []
    visit = ", ".join(numbers.text(row[c]) for c in ("session_id", "modality") if numbers.known(row[c]))
    return [
        Cell(numbers.text(row["cohort"], "–")),
        Cell(numbers.text(row["participant_id"], "–"), sub=visit),
        Cell(", ".join(place), look="path"),
        Cell(numbers.text(row["reason"], "no reason was recorded")),
        Cell(numbers.text(row["advice"], "–")),
    ]


def cohorts(listed: list[dict]) -> Section:
    """Where the data come from, under which licence, and how to cite them."""
    title = "Cohorts, licences and citations"
    if not listed:
        return Section("cohorts", title, empty="no cohort was given")
    rows = [
        [
            Cell(numbers.text(c.get("title"), numbers.text(c.get("name")))),
            number(numbers.count(c.get("n_patients", float("nan")), "patient"), c.get("n_patients")),
            Cell(numbers.text(c.get("licence"), "not given")),
            Cell(numbers.text(c.get("citation"), "not given")),
            Cell(numbers.text(c.get("source"), "not given"), look="link"),
        ]
        for c in listed
    ]
    head = [Cell("Cohort"), Cell("Patients", look="num"), *heads("Licence", "Cite as", "Source")]
    tables = [Table("Cohorts", head, [Body(rows)])]
    bodies = [
        Body([_file(f) for f in c["files"]], numbers.text(c.get("title"), c["name"])) for c in listed if c.get("files")
    ]
    if bodies:
        head = [Cell("File"), Cell("Size", look="num"), Cell("SHA-256")]
        n = sum(len(b.rows) for b in bodies)
        tables.append(
            Table("Raw files", head, bodies, folded=True, summary=f"{numbers.count(n, 'raw file')} with checksums")
        )
    return Section("cohorts", title, [], tables)


def _file(entry: dict) -> list[Cell]:
    checksum = Cell(numbers.text(entry.get("sha256"), "not given"), look="path")
    return [
        Cell(numbers.text(entry.get("path")), look="path"),
        number(size(entry.get("bytes")), entry.get("bytes")),
        checksum,
    ]


def size(n: object) -> str:
    """``18.2 kB``."""
    if not numbers.finite(n):
        return "not given"
    value = float(n)  # type: ignore[arg-type]
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def methods(study: dict, tasks: list) -> Section:
    """How each interval and each test was computed, from the tables themselves; then the models."""
    words = [sentence(study.get("estimand_sentence")), numbers.text(study.get("description"))]
    words += [sentence(note) for note in study.get("notes") or []]
    done = {str(k).replace("_", " ").capitalize(): str(v) for k, v in (study.get("validation") or {}).items()}
    if numbers.known(study.get("level")):
        done["Level of the intervals"] = numbers.per_cent(study["level"])
    if numbers.known(study.get("seed")):
        done["Seed"] = str(study["seed"])
    done |= _computed([t.tables for t in tasks])
    how = [[Cell(what), Cell(told, look="wide")] for what, told in done.items()]
    rows: dict[str, list[list[Cell]]] = {}
    for model in study.get("models") or []:
        rows.setdefault(numbers.text(model.get("role"), "model"), []).append(_model(model))
    titles = {"model": "Models", "null": "Nulls", "control": "Negative controls", "published": "Published models"}
    bodies = [Body(listed, titles.get(role, role), role) for role, listed in rows.items()]
    head = heads("Model", "What it is", "Inputs", "Options")
    tables = [Table("How it was done", heads("What", "How"), [Body(how)])] if how else []
    tables += [Table("Models and nulls", head, bodies)] if bodies else []
    return Section("methods", "Methods", [w for w in words if w], tables)


def sentence(words: object) -> str:
    """With a capital at its start and a stop at its end."""
    written = numbers.text(words).strip()
    return written[:1].upper() + written[1:] + ("" if written.endswith((".", "?", "!")) or not written else ".")


def _computed(tables: list[dict[str, pd.DataFrame]]) -> dict[str, str]:
    """How each interval and each test was computed; metrics that share a method are named together."""
    told: dict[str, str] = {}
    for name, opening in (("scores", "Intervals"), ("comparisons", "Tests of differences")):
        shared: dict[str, dict[str, None]] = {}
        for table in (t[name] for t in tables if len(t.get(name, ()))):
            for _, part in table.groupby(["metric", "at"], sort=False, dropna=False):
                method = numbers.joined(numbers.methods(part["method"])) or "method not given"
                unit = one(part["unit"]) or "not given"
                shared.setdefault(f"{method}; unit of inference: {unit}", {})[metric_name(part.iloc[0])] = None
        if shared:
            told[opening] = ". ".join(f"{numbers.joined(metrics)}: {how}" for how, metrics in shared.items()) + "."
    if "Tests of differences" in told:
        told["Correction"] = HOLM
    return told


def _model(model: dict) -> list[Cell]:
    options = ", ".join(f"{k} = {v}" for k, v in (model.get("options") or {}).items())
    return [
        Cell(numbers.text(model.get("label"), numbers.text(model.get("name"))), sub=numbers.text(model.get("model"))),
        Cell(numbers.text(model.get("summary"), "–")),
        Cell(", ".join(map(str, model.get("inputs") or [])) or "none"),
        Cell(options or "defaults", look="path"),
    ]


def provenance(facts: dict, study: dict) -> Section:
    """What ran, on what, and from which commit."""
    git = facts.get("git") or {}
    states = {"True": "with changes that were not committed", "False": "clean"}
    state = states.get(str(git.get("dirty")), "state not known")
    commit = f"{git['commit']} ({state})" if git.get("commit") else "not under version control"
    listed = {
        "Command": facts.get("command"), "Commit": commit, "Branch": git.get("branch"),
        "Seed": facts.get("seed", study.get("seed")),
        "Started": facts.get("started"), "Finished": facts.get("finished"),
        "Python": facts.get("python"), "Platform": facts.get("platform"), "Data": facts.get("data_root"),
    }  # fmt: skip
    rows = [[Cell(k), Cell(str(v), look="path")] for k, v in listed.items() if numbers.known(v)]
    rows += [[Cell("Tested people opened"), Cell(_looks(facts["looks"]))]] if facts.get("looks") else []
    versions = [[Cell(k), Cell(str(v), look="path")] for k, v in (facts.get("versions") or {}).items()]
    bodies = [Body(rows), *([Body(versions, "Versions")] if versions else [])]
    return Section("provenance", "Provenance", [], [Table("What ran", heads("What", "Value"), bodies)])


def _looks(looks: dict[str, int]) -> str:
    """How often outcomes of the tested people were compared with other predictions in this folder."""
    more = {task: n for task, n in looks.items() if n > 1}
    if not more:
        return "once for each task: no other predictions for the same people were made in this folder"
    told = numbers.joined([f"{n} sets of predictions for {task}" for task, n in more.items()])
    return (
        f"{told}, in this folder and counted together over its studies. What was chosen after an earlier look (models, options) "
        "was chosen on the tested people, and no interval here knows of it"
    )
