rule lock_model:
    """Bundle the model of all development patients, with a hash of every file."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        splits=rules.make_splits.output.splits,
        weights=collect(
            "<results>/splits/external/all/network/{member}/weights.safetensors",
            member=MEMBERS,
        ),
        signature="<results>/splits/external/all/signature",
        thresholds="<results>/evaluation/external/thresholds.csv",
    output:
        manifest="<results>/model/manifest.json",
        files=directory("<results>/model/files"),
    log:
        "<logs>/lock_model.log",
    conda:
        "../../envs/deep.yaml"
    envmodules:
        "thyrocast/deep",
    threads: 1
    resources:
        mem_mb=1_000,
        runtime=escalating(20),
    params:
        config=config,
        members=MEMBERS,
        logs=f"results/{config['study']}/logs",
        code=code_version("lock_model"),
    script:
        "../scripts/lock_model.py"
