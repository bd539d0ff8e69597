from thyrocast.contract.evaluation import OF_DESIGN

TABLES = [table.name for table in OF_DESIGN]


rule evaluate_design:
    """Evaluate a design: discrimination, calibration and net benefit with intervals."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        follow_up=rules.assemble_cohort.output.follow_up,
        therapies=therapies_of,
        predictions=collect(
            rules.fit_signature.output.predictions,
            split=lookup("{design}", within=SPLITS),
            allow_missing=True,
        ),
        member_predictions=collect(
            rules.fit_signature.output.member_predictions,
            split=lookup("{design}", within=SPLITS),
            allow_missing=True,
        ),
        external_predictions=[
            external["table"]
            for external in config["evaluation"]["external_predictions"]
        ],
        applied=APPLIED,
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
        outcomes=config["outcomes"],
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
        exchanged=[center["exchange"] for center in config["exchanged"]],
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
        exchanged=config["exchanged"],
        code=code_version("pool_centers"),
    script:
        "../scripts/pool_centers.py"


rule evaluate_definition:
    """Repeat the evaluation under another definition of the outcome, without training."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        predictions=rules.pool_centers.output.predictions,
        member_predictions=all_splits(rules.fit_signature.output.member_predictions),
        applied=APPLIED,
        outcomes=collect(rules.apply_definitions.output.definitions, center=CENTERS),
    output:
        **{
            table: f"<results>/evaluation/definitions/{{definition}}/{table}.csv"
            for table in (*TABLES, "pooled", "pooled_centers")
        },
    log:
        "<logs>/evaluate_definition/{definition}.log",
    benchmark:
        "<benchmarks>/evaluate_definition/{definition}.tsv"
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(2 * 60),
    params:
        settings=config["evaluation"],
        embeddings=config["signature"]["embeddings"],
        outcomes=config["outcomes"],
        seed=config["seed"],
        code=code_version("evaluate_definition"),
    script:
        "../scripts/evaluate_definition.py"


rule compare_definitions:
    """Compare discrimination and cure rate between the definitions of the outcome."""
    input:
        outcomes=collect(rules.apply_definitions.output.definitions, center=CENTERS),
        performance=rules.pool_centers.output.performance,
        predictions=rules.pool_centers.output.predictions,
        other_performance=collect(
            rules.evaluate_definition.output.performance, definition=DEFINITIONS
        ),
        other_pooled=collect(
            rules.evaluate_definition.output.pooled, definition=DEFINITIONS
        ),
        other_predictions=collect(
            rules.evaluate_definition.output.predictions, definition=DEFINITIONS
        ),
    output:
        multiverse="<results>/evaluation/multiverse.csv",
    log:
        "<logs>/compare_definitions.log",
    localrule: True
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=1_000,
        runtime=10,
    params:
        definitions=[definition.name for definition in STUDY.definitions()],
        confidence=lookup("evaluation/confidence", within=config),
        code=code_version("compare_definitions"),
    script:
        "../scripts/compare_definitions.py"
