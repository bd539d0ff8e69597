rule explain_network:
    """Compute the map of every test patient on the grid of the network's layer."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        images=rules.assemble_cohort.output.images,
        splits=rules.make_splits.output.splits,
        weights=collect(WEIGHTS, member=MEMBERS, allow_missing=True),
    output:
        maps="<results>/splits/{design}/{split}/explanation/maps.npy",
        gradcam="<results>/splits/{design}/{split}/explanation/gradcam.csv",
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


rule draw_maps:
    """Draw the maps of a design, and compare their shares inside the gland with random places."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        images=rules.assemble_cohort.output.images,
        masks=rules.assemble_cohort.output.masks,
        gradcams=collect(
            rules.explain_network.output.gradcam,
            split=lookup("{design}", within=SPLITS),
            allow_missing=True,
        ),
        maps=collect(
            rules.explain_network.output.maps,
            split=lookup("{design}", within=SPLITS),
            allow_missing=True,
        ),
    output:
        shares="<results>/explanation/{design}/shares.csv",
        attention="<results>/explanation/{design}/attention.csv",
        pictures=directory("<results>/explanation/{design}/pictures"),
    log:
        "<logs>/draw_maps/{design}.log",
    benchmark:
        "<benchmarks>/draw_maps/{design}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=escalating(requests.Work.draw_mb),
        runtime=escalating(requests.Work.draw_minutes),
    params:
        splits=lookup("{design}", within=SPLITS),
        least=lookup("evaluation/minimum_count/patients", within=config),
        code=code_version("draw_maps"),
    script:
        "../scripts/draw_maps.py"
