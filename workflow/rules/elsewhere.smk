# Predictions made elsewhere enter at the waist; nothing is fitted.
#
# needs   the file of predictions that the study names; participants of its cohorts for baselines that are columns
# makes   {task}/predictions.parquet, curves.parquet, splits.parquet, tables/flow.tsv, failures.tsv


rule import_predictions:
    input:
        participants=lambda w: PLAN.cohort_files(w.task, "participants.parquet"),
    output:
        predictions=TASK / "predictions.parquet",
        curves=TASK / "curves.parquet",
        splits=TASK / "splits.parquet",
        flow=TABLES / "flow.tsv",
        failures=TASK / "failures.tsv",
    log:
        OUT / "logs" / "import_predictions" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        raw=PLAN.predictions[1],
        spec=as_json(STUDY.predictions),
        external=lambda w: PLAN.external(w.task),
        columns=lambda w: PLAN.columns(w.task),
        study=STUDY.name,
        code=code("scripts/import_predictions.py"),
    shell:
        'python $TRIPTYCH_SCRIPTS/import_predictions.py --file "$TRIPTYCH_PREDICTIONS" --spec {params.spec:q} --study {params.study} --task {wildcards.task}'
        " --external {params.external:q} --columns {params.columns:q} --participants {input.participants}"
        " --predictions {output.predictions} --curves {output.curves} --splits {output.splits} --flow {output.flow}"
        " --failures {output.failures} > {log} 2>&1"
