# How often do the intervals hold the truth, and the tests reject what is equal? Simulated studies, none of the data: `snakemake coverage`,
# some half hour on two cores.
#
# needs   nothing
# makes   results/coverage/coverage.tsv, coverage.svg   share of intervals that hold the truth, of tests that reject what is equal
#
# `make coverage` copies the table to src/triptych/coverage/measured.tsv, which reports quote, and the figure to docs/.
from triptych.coverage.cells import jobs


rule coverage:
    input:
        svg="results/coverage/coverage.svg",


rule measure_coverage:
    output:
        table="results/coverage/parts/{job}.tsv",
    log:
        "results/coverage/logs/{job}.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        seed=20261121,
        code=code("scripts/measure_coverage.py", *(f"triptych.metrics.{name}" for name in plugins.names("metrics"))),
    shell:
        "OMP_NUM_THREADS=1 python $TRIPTYCH_SCRIPTS/measure_coverage.py --job {wildcards.job}"
        " --seed {params.seed} --table {output.table} > {log} 2>&1"


rule draw_coverage:
    input:
        tables=[f"results/coverage/parts/{job}.tsv" for job in jobs()],
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
