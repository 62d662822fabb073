# Participants to examples, and who trains and who is tested.
#
# needs   participants of the task's cohorts
# makes   {task}/examples.parquet, blocks.json   rows with an outcome, and which inputs form which block
#         {task}/splits.parquet                  repeat, fold, key, part
#         {task}/tables/flow.tsv                 who stayed and who did not, and why
#         {task}/failures.tsv                    the quarantine
#         {task}/excluded.parquet                who was left out and why, with all that is known of them


rule make_examples:
    input:
        participants=lambda w: PLAN.people_files(w.task),
    output:
        examples=TASK / "examples.parquet",
        blocks=TASK / "blocks.json",
        flow=TABLES / "flow.tsv",
        failures=TASK / "failures.tsv",
        excluded=TASK / "excluded.parquet",
    log:
        OUT / "logs" / "make_examples" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        kind=lambda w: PLAN.task(w.task).kind,
        outcome=lambda w: as_json(PLAN.task(w.task).outcome),
        inputs=lambda w: as_json(PLAN.task(w.task).inputs),
        exclude=lambda w: as_json(PLAN.task(w.task).exclude),
        sessions=lambda w: PLAN.task(w.task).sessions,
        tolerance=STUDY.tolerance.patients,
        code=code("scripts/make_examples.py"),
    shell:
        "python $TRIPTYCH_SCRIPTS/make_examples.py --participants {input.participants} --task {wildcards.task} --kind {params.kind}"
        " --outcome {params.outcome:q} --inputs {params.inputs:q} --exclude {params.exclude:q} --sessions {params.sessions} --tolerance {params.tolerance}"
        " --examples {output.examples} --blocks {output.blocks} --flow {output.flow} --failures {output.failures}"
        " --excluded {output.excluded} > {log} 2>&1"


rule split:
    input:
        examples=TASK / "examples.parquet",
        blocks=TASK / "blocks.json",
        participants=lambda w: PLAN.people_files(w.task),
    output:
        splits=TASK / "splits.parquet",
    log:
        OUT / "logs" / "split" / "{task}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        scheme=lambda w: STUDY.validation_of(w.task).split,
        options=lambda w: as_json(STUDY.validation_of(w.task).options),
        seed=STUDY.seed,
        code=lambda w: code("scripts/split.py", f"triptych.splits.{STUDY.validation_of(w.task).split}"),
    shell:
        "python $TRIPTYCH_SCRIPTS/split.py --examples {input.examples} --blocks {input.blocks} --participants {input.participants}"
        " --scheme {params.scheme} --options {params.options:q} --seed {params.seed} --splits {output.splits} > {log} 2>&1"
