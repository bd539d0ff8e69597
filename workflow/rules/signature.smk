rule fit_signature:
    """Fit LASSO, forest and baselines to a split's training set; predict all its patients."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        splits=rules.make_splits.output.splits,
        embeddings=rules.extract_embeddings.output.embeddings,
        network=rules.extract_embeddings.output.network,
    output:
        path="<results>/splits/{design}/{split}/signature/path.csv",
        features="<results>/splits/{design}/{split}/signature/features.csv",
        correlates="<results>/splits/{design}/{split}/signature/correlates.csv",
        activating="<results>/splits/{design}/{split}/signature/activating.csv",
        optimism="<results>/splits/{design}/{split}/signature/optimism.csv",
        model="<results>/splits/{design}/{split}/signature/model.json",
        forest="<results>/splits/{design}/{split}/signature/forest.skops",
        predictions="<results>/splits/{design}/{split}/predictions.csv",
        member_predictions="<results>/splits/{design}/{split}/member_predictions.csv",
    log:
        "<logs>/fit_signature/{design}/{split}.log",
    benchmark:
        "<benchmarks>/fit_signature/{design}/{split}.tsv"
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(requests.Work.signature_mb),
        runtime=escalating(60),
    params:
        settings=config["signature"],
        seed=config["seed"],
        code=code_version("fit_signature"),
    script:
        "../scripts/fit_signature.py"
