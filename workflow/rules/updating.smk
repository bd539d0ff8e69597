from thyrocast.contract.updating import TABLES as UPDATING


rule update_model:
    """Judge updates of the models at each external center, and divide differences in AUC into parts."""
    input:
        predictions="<results>/evaluation/external/predictions.csv",
        performance="<results>/evaluation/external/performance.csv",
        splits=rules.make_splits.output.splits,
        embeddings="<results>/splits/external/all/embeddings.npy",
        # Components of the training patients, where these are not in the study.
        domain=branch(MODEL, then="<private>/model/domain.safetensors", otherwise=[]),
    output:
        **{table.name: f"<results>/{table.path}" for table in UPDATING},
    log:
        "<logs>/update_model.log",
    benchmark:
        "<benchmarks>/update_model.tsv"
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(4_000),
        runtime=escalating(30),
    params:
        updating=config["updating"],
        confidence=lookup("evaluation/confidence", within=config),
        embeddings=config["signature"]["embeddings"],
        # The network of all training patients, where the model has one.
        member=MEMBERS.index("full") if "full" in MEMBERS else 0,
        members=MEMBERS,
        seed=config["seed"],
        code=code_version("update_model"),
    script:
        "../scripts/update_model.py"
