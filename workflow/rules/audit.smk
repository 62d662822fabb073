# Could anything leak? Nothing is fitted before the audit has passed.
#
# needs   {task}/splits.parquet, examples (or the predictions made elsewhere)
# makes   {task}/tables/audit.tsv     findings of every check of src/triptych/audit/


rule audit:
    input:
        splits=TASK / "splits.parquet",
        people=TASK / ("predictions.parquet" if STUDY.predictions else "examples.parquet"),
        blocks=[] if STUDY.predictions else TASK / "blocks.json",
        failures=lambda w: PLAN.cohort_files(w.task, "failures.tsv"),
    output:
        findings=TABLES / "audit.tsv",
    log:
        OUT / "logs" / "audit" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        blocks=lambda w, input: f"--blocks {input.blocks}" if input.blocks else "",
        estimand=STUDY.estimand,
        severities=as_json(STUDY.audit),
        code=code("scripts/audit.py", *(f"triptych.audit.{name}" for name in plugins.names("audit"))),
    shell:
        "python $TRIPTYCH_SCRIPTS/audit.py --splits {input.splits} --people {input.people} {params.blocks} --failures {input.failures}"
        " --task {wildcards.task} --estimand {params.estimand} --severities {params.severities:q}"
        " --findings {output.findings} > {log} 2>&1"
