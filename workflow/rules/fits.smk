# Training: one job per task and model, or per repeat or fold of it (`job:` in the study), then the waist.
#
# needs   examples, splits, a passed audit
# makes   {task}/fits/{model}/{batch}.parquet, .json   predictions of held-out patients; what each fit chose
#         {task}/predictions.parquet, curves.parquet   the waist: all predictions, and their survival curves
#         {task}/fits.json                             what each fit chose

# one process for each device of a node; functions only where a model says so, since each is asked for every fold
MODELS = STUDY.models
PROCESSES = (lambda w: MODELS[w.model].devices) if any(m.devices > 1 for m in MODELS.values()) else 1
NODES = (lambda w: MODELS[w.model].nodes) if any(m.nodes > 1 for m in MODELS.values()) else 1


rule fit:
    input:
        examples=TASK / "examples.parquet",
        blocks=TASK / "blocks.json",
        splits=TASK / "splits.parquet",
        audit=TABLES / "audit.tsv",  # must have passed; not ancient(): see docs/upstream.md
    output:
        predictions=TASK / "fits" / "{model}" / "{batch}.parquet",
        notes=TASK / "fits" / "{model}" / "{batch}.json",
    log:
        OUT / "logs" / "fit" / "{task}" / "{model}" / "{batch}.log",
    wildcard_constraints:
        model=one_of(set(STUDY.models) - ON_GPU),
    conda:
        "../../envs/triptych.yaml"
    threads: PROCESSES
    params:
        told=lambda w: PLAN.fit_words(w.task, w.model),  # one param, since each is asked for every fold
        part=lambda w: batch_words(w.batch),
        seed=STUDY.seed,
        code=lambda w: code("scripts/fit.py", f"triptych.models.{STUDY.models[w.model].use}"),
    shell:
        "python $TRIPTYCH_SCRIPTS/fit.py --examples {input.examples} --blocks {input.blocks} --splits {input.splits}"
        " --task {wildcards.task} --name {wildcards.model} {params.told} {params.part} --seed {params.seed}"
        " --predictions {output.predictions} --notes {output.notes} > {log} 2>&1"


# A rule of its own, so that profiles can ask for GPUs by its name: `threads` on each of `nodes`.
use rule fit as fit_on_gpu with:
    wildcard_constraints:
        model=one_of(ON_GPU),
    resources:
        nodes=NODES,


rule gather:
    input:
        fits=lambda w: PLAN.fits(w.task, "parquet"),
        notes=lambda w: PLAN.fits(w.task, "json"),
        splits=TASK / "splits.parquet",
    output:
        predictions=TASK / "predictions.parquet",
        curves=TASK / "curves.parquet",
        failures=TASK / "failures_fits.tsv",
        fitted=TASK / "fits.json",
    log:
        OUT / "logs" / "gather" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        kind=lambda w: PLAN.task(w.task).kind,
        tolerance=STUDY.tolerance.fits,
        controls=lambda w: as_json([m for m, entry in PLAN.models(w.task).items() if entry.role == "control"]),
        study=STUDY.name,
        code=code("scripts/gather.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/gather.py --fits {input.fits} --notes {input.notes} --splits {input.splits} --kind {params.kind}"
        " --study {params.study} --task {wildcards.task} --tolerance {params.tolerance} --controls {params.controls:q} --predictions {output.predictions} --curves {output.curves}"
        " --failures {output.failures} --fitted {output.fitted} > {log} 2>&1"
