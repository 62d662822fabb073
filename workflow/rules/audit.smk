# Could anything leak? Nothing is fitted before the audit has passed.
#
# needs   {task}/splits.parquet, examples (or the predictions made elsewhere), and what images of its cohorts look like;
#         of cohorts with scans cohorts/{cohort}/bids_scans.tsv
# makes   {task}/tables/audit.tsv      findings of every check of src/triptych/audit/
#         {task}/tables/exclusion.tsv  who was left out, by class and by site, and for what kind of reason


rule audit:
    input:
        splits=TASK / "splits.parquet",
        people=TASK / ("predictions.parquet" if STUDY.predictions else "examples.parquet"),
        blocks=[] if STUDY.predictions else TASK / "blocks.json",
        failures=lambda w: PLAN.cohort_files(w.task, "failures.tsv"),
        participants=lambda w: PLAN.people_files(w.task),
        excluded=[] if STUDY.predictions else TASK / "excluded.parquet",
        content=lambda w: PLAN.content_files(w.task),
        scans=lambda w: PLAN.scan_lists(w.task),
    output:
        findings=TABLES / "audit.tsv",
    log:
        OUT / "logs" / "audit" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        blocks=lambda w, input: f"--blocks {input.blocks} --excluded {input.excluded}" if input.blocks else "",
        estimand=lambda w: STUDY.estimand_of(w.task),
        outcome=lambda w: as_json(PLAN.task(w.task).outcome),
        roles=lambda w: PLAN.roles(w.task),
        sessions=lambda w: PLAN.task(w.task).sessions,
        pretrained=lambda w: as_json({m: path and str(path) for m, path in PLAN.pretrained(w.task).items()}),
        pretrained_content=lambda w: [raw.sha256(path) for path in PLAN.pretrained(w.task).values() if path],
        wrong_on_purpose=lambda w: as_json(
            bool(STUDY.validation_of(w.task) and STUDY.validation_of(w.task).wrong_on_purpose)
        ),
        seed=STUDY.seed,
        severities=as_json(STUDY.audit),
        code=code("scripts/audit.py", *(f"triptych.audit.{name}" for name in plugins.names("audit"))),
    shell:
        "python $TRIPTYCH_SCRIPTS/audit.py --splits {input.splits} --people {input.people} {params.blocks} --failures {input.failures}"
        " --participants {input.participants} --content {input.content} --scans {input.scans} --sessions {params.sessions} --outcome {params.outcome:q} --roles {params.roles:q} --pretrained {params.pretrained:q}"
        " --wrong_on_purpose {params.wrong_on_purpose} --seed {params.seed}"
        " --task {wildcards.task} --estimand {params.estimand} --severities {params.severities:q}"
        " --findings {output.findings} > {log} 2>&1"


rule exclusion:
    input:
        examples=TASK / "examples.parquet",
        blocks=TASK / "blocks.json",
        excluded=TASK / "excluded.parquet",
    output:
        table=TABLES / "exclusion.tsv",
    log:
        OUT / "logs" / "exclusion" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        outcome=lambda w: as_json(PLAN.task(w.task).outcome),
        level=STUDY.statistics.level,
        code=code("scripts/exclusion.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/exclusion.py --examples {input.examples} --blocks {input.blocks} --excluded {input.excluded}"
        " --outcome {params.outcome:q} --level {params.level} --task {wildcards.task} --table {output.table} > {log} 2>&1"
