# Training: one job per task and model, or per repeat or fold of it (`job:` in the study), then the waist.
#
# needs   examples, splits, a passed audit
# makes   {task}/fits/{model}/{batch}.parquet, .json   predictions of held-out patients; what each fit chose
#         {task}/predictions.parquet, curves.parquet   the waist: all predictions, and their survival curves
#         {task}/fits.json                             what each fit chose


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
    conda:
        "../../envs/triptych.yaml"
    threads: 1
    params:
        use=lambda w: STUDY.models[w.model].use,
        inputs=lambda w: as_json(STUDY.blocks_of(w.model, w.task)),
        options=lambda w: as_json(STUDY.options_of(w.model, w.task)),
        horizon=lambda w: as_json(PLAN.task(w.task).horizon),
        repeat=lambda w: batch(w.batch)[0],
        fold=lambda w: batch(w.batch)[1],
        seed=STUDY.seed,
        device=STUDY.device,
        tolerate=lambda w: as_json(STUDY.tolerance.fits > 0 or STUDY.models[w.model].role == "control"),
        permuted=lambda w: as_json(STUDY.models[w.model].permuted),
        code=lambda w: code("scripts/fit.py", f"triptych.models.{STUDY.models[w.model].use}"),
    shell:
        "python $TRIPTYCH_SCRIPTS/fit.py --examples {input.examples} --blocks {input.blocks} --splits {input.splits} --repeat {params.repeat}"
        " --fold {params.fold} --task {wildcards.task} --name {wildcards.model} --use {params.use} --inputs {params.inputs:q}"
        " --options {params.options:q} --horizon {params.horizon} --seed {params.seed} --device {params.device}"
        " --tolerate {params.tolerate} --permuted {params.permuted} --predictions {output.predictions} --notes {output.notes} > {log} 2>&1"


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
        code=code("scripts/gather.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/gather.py --fits {input.fits} --notes {input.notes} --splits {input.splits} --kind {params.kind}"
        " --tolerance {params.tolerance} --controls {params.controls:q} --predictions {output.predictions} --curves {output.curves}"
        " --failures {output.failures} --fitted {output.fitted} > {log} 2>&1"
