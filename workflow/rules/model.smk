from thyrocast.contract import deployment


rule lock_model:
    """Bundle the model of all development patients, with a hash of every file."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        splits=rules.make_splits.output.splits,
        weights=collect(
            "<results>/splits/external/all/network/{member}/weights.safetensors",
            member=MEMBERS,
        ),
        embeddings="<results>/splits/external/all/embeddings.npy",
        model="<results>/splits/external/all/signature/model.json",
        forest="<results>/splits/external/all/signature/forest.skops",
        predictions="<results>/splits/external/all/predictions.csv",
        performance=rules.pool_centers.output.performance,
    output:
        manifest="<results>/model/manifest.json",
        weights=[f"<results>/model/{deployment.weights(member)}" for member in MEMBERS],
        signature=f"<results>/model/{deployment.SIGNATURE}",
        forest=f"<results>/model/{deployment.FOREST}",
        domain=f"<results>/model/{deployment.DOMAIN}",
        card=f"<results>/model/{deployment.CARD}",
        license=f"<results>/model/{deployment.LICENSE}",
        tables=[f"<results>/{table.path}" for table in deployment.TABLES],
    log:
        "<logs>/lock_model.log",
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(20),
    params:
        config=config,
        members=MEMBERS,
        logs=f"results/{config['study']}/logs",
        code=code_version("lock_model"),
    script:
        "../scripts/lock_model.py"
