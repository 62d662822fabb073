# The study, and what all rules share.
#
# needs   the study file: --configfile, else config/config.yaml
# makes   PLAN (what the run is made of), OUT (folder of results), code(), and the wildcards that exist
#
# Parsed again in every job, so only light modules are imported: no pandas, no torch.
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

CLONE = Path(workflow.basedir)
sys.path.insert(0, str(CLONE / "src"))  # this clone's library, whatever else is installed

from triptych import faster, plugins, raw
from triptych.choice import needs_predictions
from triptych.errors import TriptychError
from triptych.fingerprint import code
from triptych.plan import Plan, as_json, batch_words
from triptych.slurm import executor

faster.install(sys.modules)


def _plan():
    """The plan; a fault in the study is one message, not a traceback."""
    try:
        return Plan.of(workflow.configfiles, config, CLONE)
    except TriptychError as error:
        raise WorkflowError(f"this study cannot be run.\n{error}") from None


PLAN = _plan()
STUDY, OUT = PLAN.study, PLAN.out
ON_GPU = {name for name in STUDY.models if STUDY.device_of(name) == "cuda"}
executor.install(sys.modules, workflow, STUDY.name)
COHORT, TASK, TABLES = OUT / "cohorts" / "{cohort}", OUT / "{task}", OUT / "{task}" / "tables"

# What differs from machine to machine reaches the commands through the environment, so that it is not part of their text:
# the same study in another folder, or with its data elsewhere, reruns nothing.
os.environ.update(
    PATH=os.pathsep.join([str(Path(sys.executable).parent), *filter(None, [os.environ.get("PATH")])]),
    PYTHONPATH=sys.path[0],
    TRIPTYCH_SCRIPTS=str(CLONE / "scripts"),
    TRIPTYCH_ROOT=PLAN.root,
    TRIPTYCH_PREDICTIONS=PLAN.predictions[0],
    TRIPTYCH_PUBLISHED=PLAN.published[0],
    TRIPTYCH_COMMAND=os.environ.get("TRIPTYCH_COMMAND") or " ".join(["snakemake", *sys.argv[1:]]),  # as typed
)


def one_of(names):
    return "|".join(map(re.escape, sorted(names))) or "none"


wildcard_constraints:
    cohort=one_of(STUDY.cohorts),
    task=one_of(STUDY.tasks),
    model=one_of(STUDY.models),
    metric=one_of(STUDY.statistics.metrics),
    figure=one_of(plugins.names("figures")),
    scan=r"sub-[A-Za-z0-9]+(_[a-z]+-[A-Za-z0-9+]+)*",
    batch=r"all|repeat-\d+(_fold-\d+)?",
