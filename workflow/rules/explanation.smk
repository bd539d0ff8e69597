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
        randomized="<results>/splits/{design}/{split}/explanation/randomized.npy",
        compared="<results>/splits/{design}/{split}/explanation/compared.npz",
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
        settings={
            key: value
            for key, value in config["explanation"].items()
            if key != "permutations"
        },
        network=NETWORK,
        seed=config["seed"],
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
        randomized=collect(
            rules.explain_network.output.randomized,
            split=lookup("{design}", within=SPLITS),
            allow_missing=True,
        ),
        compared=collect(
            rules.explain_network.output.compared,
            split=lookup("{design}", within=SPLITS),
            allow_missing=True,
        ),
        # Of a locked model that is applied: who is scored apart.
        applied=branch(MODEL, then="<results>/deployment/patients.csv"),
    output:
        shares="<results>/explanation/{design}/shares.csv",
        randomization="<results>/explanation/{design}/randomization.csv",
        attention="<results>/explanation/{design}/attention.csv",
        curves="<results>/explanation/{design}/curves.csv",
        agreement="<results>/explanation/{design}/agreement.csv",
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


rule measure_importance:
    """Measure what the models of a design lose if a predictor is permuted among test patients."""
    input:
        **{
            name: collect(
                f"<results>/splits/{{design}}/{{split}}/{file}",
                split=lookup("{design}", within=SPLITS),
                allow_missing=True,
            )
            for name, file in {
                "embeddings": "embeddings.npy",
                "networks": "network.csv",
                "models": "signature/model.json",
                "forests": "signature/forest.skops",
            }.items()
        },
        cohort=rules.assemble_cohort.output.cohort,
        splits=rules.make_splits.output.splits,
    output:
        importance="<results>/explanation/{design}/importance.csv",
    log:
        "<logs>/measure_importance/{design}.log",
    benchmark:
        "<benchmarks>/measure_importance/{design}.tsv"
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(2 * 60),
    params:
        splits=lookup("{design}", within=SPLITS),
        permutations=lookup("explanation/permutations", within=config),
        minimum_count=lookup("evaluation/minimum_count", within=config),
        confidence=lookup("evaluation/confidence", within=config),
        seed=config["seed"],
        code=code_version("measure_importance"),
    script:
        "../scripts/measure_importance.py"
