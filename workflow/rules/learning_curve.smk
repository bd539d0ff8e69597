rule measure_learning_curve:
    """Measure the AUC of models that are fitted to fewer patients, and extrapolate it to more."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        splits=rules.make_splits.output.splits,
        embeddings=collect(
            f"<results>/splits/{LEARNING_DESIGN}/{{split}}/embeddings.npy",
            split=SPLITS[LEARNING_DESIGN],
        ),
    output:
        learning_curve=shown(
            f"<results>/{LEARNING_CURVE.path}",
            "table",
            "Learning curve",
            LEARNING_CURVE.name,
        ),
    log:
        "<logs>/measure_learning_curve.log",
    benchmark:
        "<benchmarks>/measure_learning_curve.tsv"
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(requests.Work.curve_mb),
        runtime=escalating(4 * 60),
    params:
        design=LEARNING_DESIGN,
        splits=SPLITS[LEARNING_DESIGN],
        settings={
            key: value
            for key, value in config["learning_curve"].items()
            if key != "run"
        },
        signature=config["signature"],
        minimum_count=lookup("evaluation/minimum_count", within=config),
        seed=config["seed"],
        code=code_version("measure_learning_curve"),
    script:
        "../scripts/measure_learning_curve.py"


rule learning_curve:
    """The learning curve, without the rest of the study."""
    input:
        rules.measure_learning_curve.output,
    localrule: True
