# How often do the intervals hold the truth? Simulated cohorts, none of the study's data: `snakemake coverage`, some ten minutes on two cores.
#
# needs   nothing
# makes   results/coverage/coverage.tsv, coverage.svg   share of intervals that hold the truth, of tests that reject what is equal
#
# `make coverage` copies the table to src/triptych/coverage/measured.tsv, which reports quote, and the figure to docs/.
SCENARIOS = ["given-model", "two-models", "cross-validation", "new-site"]
SHARES = ["0.15", "0.3", "0.6"]


rule coverage:
    input:
        svg="results/coverage/coverage.svg",


rule measure_coverage:
    output:
        table="results/coverage/{scenario}_{events}.tsv",
    log:
        "results/coverage/logs/{scenario}_{events}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        seed=20261121,
        code=code("scripts/measure_coverage.py", *(f"triptych.metrics.{name}" for name in plugins.names("metrics"))),
    shell:
        "python $TRIPTYCH_SCRIPTS/measure_coverage.py --scenario {wildcards.scenario} --events {wildcards.events}"
        " --seed {params.seed} --table {output.table} > {log} 2>&1"


rule draw_coverage:
    input:
        tables=[f"results/coverage/{s}_{e}.tsv" for s in SCENARIOS for e in SHARES],
    output:
        svg="results/coverage/coverage.svg",
        table="results/coverage/coverage.tsv",
    log:
        "results/coverage/logs/draw.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        code=code("scripts/draw_coverage.py", "triptych.figures.coverage"),
    shell:
        "python $TRIPTYCH_SCRIPTS/draw_coverage.py --measured {input.tables} --table {output.table} --svg {output.svg}"
        " > {log} 2>&1"
