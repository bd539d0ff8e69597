rule make_splits:
    """Divide patients into training and test sets, and training sets into folds."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        # Dates of therapy are private, and are read for the temporal design only.
        therapies=branch(
            "temporal" in SPLITS,
            then=collect("<private>/{center}/outcomes.csv", center=DEVELOPMENT),
        ),
    output:
        splits="<results>/splits.csv",
    log:
        "<logs>/make_splits.log",
    localrule: True
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=1_000,
        runtime=10,
    params:
        designs=SPLITS,
        folds=config["folds"],
        folds_by=config["folds_by"],
        temporal=config["temporal"],
        test_fraction=lookup("holdout/test_fraction", within=config),
        seed=config["seed"],
        code=code_version("make_splits"),
    script:
        "../scripts/make_splits.py"


rule plan_sample_size:
    """Compare the size of the cohort with what developing and validating a model requires."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        splits=rules.make_splits.output.splits,
        # Of a locked model that is applied: who is scored apart.
        applied=branch(MODEL, then="<results>/deployment/patients.csv"),
    output:
        sample_size="<results>/evaluation/sample_size.csv",
    log:
        "<logs>/plan_sample_size.log",
    # The result is needed before the expensive training starts.
    priority: 100
    localrule: True
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=1_000,
        runtime=10,
    params:
        settings=config["evaluation"],
        signature=config["signature"],
        code=code_version("plan_sample_size"),
    script:
        "../scripts/plan_sample_size.py"
