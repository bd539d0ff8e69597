rule describe_sources:
    """State where the pooled results of each center come from; stop if one is about another model."""
    input:
        performance=rules.pool_centers.output.performance,
        exchanged=[center["exchange"] for center in config["exchanged"]],
        # Names the model that exchange files must be about.
        manifest=branch(bool(config["exchanged"]), then=MANIFEST, otherwise=[]),
    output:
        sources=shown("<results>/evaluation/sources.csv", "table", "Results", "sources"),
    log:
        "<logs>/describe_sources.log",
    localrule: True
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=1_000,
        runtime=10,
    params:
        exchanged=config["exchanged"],
        code=code_version("describe_sources"),
    script:
        "../scripts/describe_sources.py"


rule write_exchange:
    """Write what may leave a center instead of its data: results without a row of a patient."""
    input:
        performance=lambda wildcards: f"<results>/evaluation/{exchange_design(wildcards)}/performance.csv",
        predictions=lambda wildcards: f"<results>/evaluation/{exchange_design(wildcards)}/predictions.csv",
        cohort=rules.assemble_cohort.output.cohort,
        patients=rules.assemble_cohort.output.patients,
        scans="<private>/{center}/scans.csv",
        manifest=MANIFEST,
    output:
        exchange="<results>/exchange/{center}.json",
        page="<results>/exchange/{center}.html",
    log:
        "<logs>/write_exchange/{center}.log",
    benchmark:
        "<benchmarks>/write_exchange/{center}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(10),
    params:
        config=config,
        code=code_version("write_exchange"),
    script:
        "../scripts/write_exchange.py"
