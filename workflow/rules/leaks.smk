# Does the audit find what hides, and is it silent where nothing does? Leaks planted in simulated studies, none of the data: `snakemake leaks`,
# some twenty minutes on one core.
#
# needs   nothing
# makes   results/leaks/leaks.tsv   one row per kind of leak: planted, found, named; and the alarms on clean studies
#
# docs/leakage.md shows the table.


rule leaks:
    input:
        "results/leaks/leaks.tsv",


rule measure_leaks:
    output:
        table="results/leaks/leaks.tsv",
    log:
        "results/leaks/leaks.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        seeds=20,
        clean=100,
        code=code(
            "scripts/measure_leaks.py",
            *(f"triptych.{kind}.{name}" for kind in ("audit", "splits") for name in plugins.names(kind)),
        ),
    shell:
        "OMP_NUM_THREADS=1 python $TRIPTYCH_SCRIPTS/measure_leaks.py --seeds {params.seeds} --clean {params.clean}"
        " --table {output.table} > {log} 2>&1"
