# The page: everything that was claimed, for whom, and how far it can be trusted.
#
# needs   tables and figures of every task, what was odd (failures), the study itself
# makes   report.html       one page, no network
#         provenance.json   versions, seeds, git state, command, checksums; nothing takes it as input


rule report:
    input:
        PLAN.report_inputs,
    output:
        page=OUT / "report.html",
        provenance=OUT / "provenance.json",
    log:
        OUT / "logs" / "report.log",
    conda:
        "../../envs/triptych.yaml"
    params:
        folder=lambda w, output: os.path.dirname(output.page),
        study=STUDY.model_dump_json(),
        contents=as_json(PLAN.contents),
        overall=as_json(PLAN.overall),
        raw=PLAN.digests,
        code=code("scripts/report.py"),
        template=PLAN.templates,
    shell:
        "python $TRIPTYCH_SCRIPTS/report.py --folder {params.folder} --study {params.study:q} --contents {params.contents:q}"
        ' --overall {params.overall:q} --root "$TRIPTYCH_ROOT" --command "$TRIPTYCH_COMMAND" --page {output.page} --facts {output.provenance} > {log} 2>&1'
