"""How the house is built: who may import whom, and how small the entry points are."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
LIBRARY = SRC / "triptych"
MODULES = {
    ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): path
    for path in LIBRARY.rglob("*.py")
}

# From the top down; a folder or module imports from its own floor and from those below. What works on the tables of one
# stage (triptych.fitting, .scoring, ...) stands with the folder that it drives.
FLOORS = [
    {"report", "figures"},
    {
        "metrics",
        "inference",
        "audit",
        "scoring",
        "resampling",
        "inferring",
        "curves",
        "forecasts",
        "calibrating",
        "deciding",
        "varying",
        "sizing",
        "ranking",
        "protocols",
        "exclusion",
        "planted",
        "published",
        "coverage",
        "auditing",
        "waist",
        "elsewhere",
    },
    {
        "models",
        "splits",
        "fitting",
        "harmonise",
        "resuming",
        "maps",
        "check",
        "examples",
        "outcomes",
        "ledger",
        "openings",
        "contents",
    },
    {
        "nets",
        "training",
        "batches",
        "augmentation",
        "volumes",
        "parallel",
        "checkpoints",
        "launching",
        "processes",
        "survival",
        "cohorts",
        "likeness",
        "phantom",
    },
    {
        "tables",
        "mri",
        "plugins",
        "errors",
        "ids",
        "raw",
        "scans",
        "visits",
        "bids",
        "study",
        "study_file",
        "study_checks",
        "controls",
        "methods",
        "refusals",
        "choice",
        "places",
        "plan",
        "precheck",
        "fingerprint",
        "faster",
        "slurm",
        "provenance",
        "schema",
        "job",
    },
]
PLUGINS = ["audit", "cohorts", "figures", "metrics", "models", "splits"]
MADE_OF_OTHERS = {"triptych.models.control"}  # the linear model of the outcome's kind: an edit of that is an edit of it


def imports(path, module):
    """Dotted names that a file imports, also inside functions."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join(
                    [*package.split(".")[: len(package.split(".")) - node.level + 1], *filter(None, [base])]
                )
            yield from (f"{base}.{alias.name}" for alias in node.names)
            yield base


def ours(module):
    """Modules of the library that a module imports."""
    return {name for name in imports(MODULES[module], module) if name in MODULES and name not in ("triptych", module)}


def part(module):
    """Folder or top module: ``triptych.models.cox`` -> ``models``."""
    return module.split(".")[1]


def floor(name):
    return next(k for k, names in enumerate(FLOORS) if name in names)


def test_every_part_has_a_floor():
    parts = {part(module) for module in MODULES if module != "triptych"}
    assert parts == set().union(*FLOORS), "a new part of the library: say in FLOORS where it stands"


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"triptych"}))
def test_imports_run_downwards(module):
    upwards = {other for other in ours(module) if floor(part(other)) < floor(part(module))}
    assert not upwards


def test_no_cycle():
    state = {}

    def visit(module, trail):
        assert state.get(module) != "open", " -> ".join([*trail, module])
        if module in state:
            return
        state[module] = "open"
        for other in sorted(ours(module)):
            visit(other, [*trail, module])
        state[module] = "done"

    for module in sorted(MODULES):
        visit(module, [])
    assert len(state) == len(MODULES)


def test_the_library_knows_nothing_of_snakemake():
    for module, path in MODULES.items():
        assert not any(name.partition(".")[0] == "snakemake" for name in imports(path, module)), module


@pytest.mark.parametrize("folder", ["survival", "inference", "nets", "likeness"])
def test_mathematics_takes_arrays(folder):
    """No tables, no files, no study: arrays in, arrays or small dataclasses out."""
    banned = {"pandas", "yaml", "pathlib", "json", "os"}
    above = {f"triptych.{name}" for name in ("tables", "plugins", "study", "raw", "plan")}
    for path in (LIBRARY / folder).glob("*.py"):
        if path.stem == "files":  # the one that reads
            continue
        found = set(imports(path, f"triptych.{folder}.{path.stem}"))
        assert not {name.partition(".")[0] for name in found} & banned, path
        assert not found & above, path


def test_survival_does_without_torch_but_where_gradients_flow():
    for path in (LIBRARY / "survival").glob("*.py"):
        uses = any(name.partition(".")[0] == "torch" for name in imports(path, f"triptych.survival.{path.stem}"))
        assert uses == (path.stem in ("losses", "risk_intervals")), path


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in LIBRARY.glob("*/__init__.py")))
def test_init_files_are_empty(folder):
    """Importing siblings there would put every plug-in into every fingerprint, and rerun everything."""
    assert (LIBRARY / folder / "__init__.py").read_bytes() == b""


@pytest.mark.parametrize("kind", PLUGINS)
def test_plug_ins_do_not_import_each_other(kind):
    """What they share lies in ``_shared`` modules; else an edit of one would rerun another."""
    for module in (m for m in MODULES if m.startswith(f"triptych.{kind}.") and m not in MADE_OF_OTHERS):
        siblings = {
            o for o in ours(module) if o.startswith(f"triptych.{kind}.") and not o.split(".")[2].startswith("_")
        }
        assert not siblings, module


@pytest.mark.parametrize("kind", PLUGINS)
def test_nobody_imports_a_plug_in_by_name(kind):
    """They are found by file name; a module that imports one would tie its fingerprint to it."""
    for module in MODULES:
        named = {o for o in ours(module) if o.startswith(f"triptych.{kind}.") and not o.split(".")[2].startswith("_")}
        assert not named or part(module) == kind, (module, named)


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.name)
def test_scripts_are_small_and_named_in_the_fingerprint_of_their_rule(path):
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    assert [function.name for function in functions] == ["run"]
    statements = [node for node in ast.walk(functions[0]) if isinstance(node, ast.stmt)]
    assert len(statements) <= 14, "a script reads, calls the library and writes"
    rules = "\n".join(p.read_text() for p in (ROOT / "workflow" / "rules").glob("*.smk"))
    assert f'code("scripts/{path.name}"' in rules.replace("code(\n            ", "code(")


def test_every_rule_has_a_fingerprint_a_log_and_narrow_params():
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for rule in re.split(r"^ *rule ", path.read_text(), flags=re.M)[1:]:
            name = rule.partition(":")[0]
            if "output:" not in rule:
                continue  # a named target: nothing runs
            assert re.search(r"^ +code=", rule, re.M), name
            assert re.search(r"^ +log:", rule, re.M), name
            assert "config" not in rule, name
            assert "run:" not in rule.replace("python", ""), name
            assert "> {log} 2>&1" in rule, name


def test_the_snakefile_is_short():
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 60
