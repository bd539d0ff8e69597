from thyrocast.contract.evaluation import OF_DESIGN

TABLES = [table.name for table in OF_DESIGN]


rule evaluate_design:
    """Evaluate a design: discrimination, calibration and net benefit with intervals."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        predictions=collect(
            rules.fit_signature.output.predictions,
            split=lookup("{design}", within=SPLITS),
            allow_missing=True,
        ),
        external_predictions=[
            external["table"]
            for external in config["evaluation"]["external_predictions"]
        ],
    output:
        **{table: f"<results>/evaluation/{{design}}/{table}.csv" for table in TABLES},
    log:
        "<logs>/evaluate_design/{design}.log",
    benchmark:
        "<benchmarks>/evaluate_design/{design}.tsv"
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(60),
    params:
        settings=config["evaluation"],
        embeddings=config["signature"]["embeddings"],
        seed=config["seed"],
        code=code_version("evaluate_design"),
    script:
        "../scripts/evaluate_design.py"


rule pool_centers:
    """Join the tables of the designs and pool the centers' results by random effects."""
    input:
        **{
            table: collect(
                f"<results>/evaluation/{{design}}/{table}.csv", design=SPLITS
            )
            for table in TABLES
        },
        summaries=config["evaluation"]["summaries"],
    output:
        **{
            table: shown(
                f"<results>/evaluation/{table}.csv", "table", "Results", table
            )
            for table in TABLES
        },
        pooled=shown("<results>/evaluation/pooled.csv", "table", "Results", "pooled"),
        pooled_centers="<results>/evaluation/pooled_centers.csv",
    log:
        "<logs>/pool_centers.log",
    benchmark:
        "<benchmarks>/pool_centers.tsv"
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(30),
    params:
        settings=config["evaluation"],
        code=code_version("pool_centers"),
    script:
        "../scripts/pool_centers.py"
