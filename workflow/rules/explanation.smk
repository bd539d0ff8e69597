rule explain_network:
    """Compute Grad-CAM for every test patient, and the share of its energy inside the gland."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        images=rules.assemble_cohort.output.images,
        masks=rules.assemble_cohort.output.masks,
        splits=rules.make_splits.output.splits,
        weights=collect(WEIGHTS, member=MEMBERS, allow_missing=True),
    output:
        gradcam="<results>/splits/{design}/{split}/explanation/gradcam.csv",
        overlays=directory("<results>/splits/{design}/{split}/explanation/overlays"),
    log:
        "<logs>/explain_network/{design}/{split}.log",
    benchmark:
        "<benchmarks>/explain_network/{design}/{split}.tsv"
    conda:
        "../../envs/explain.yaml"
    envmodules:
        "thyrocast/explain",
    threads: lookup("network/threads", within=config)
    resources:
        gpu=one_gpu,
        mem_mb=escalating(requests.Work.explain_mb),
        runtime=escalating(requests.Work.apply_minutes),
    params:
        settings=config["explanation"],
        network=config["network"],
        code=code_version("explain_network"),
    script:
        "../scripts/explain_network.py"
