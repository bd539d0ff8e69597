rule write_provenance:
    """Record code, config, versions, seeds and the hashes of the inputs."""
    input:
        cohort=rules.assemble_cohort.output,
        clinical=[center["clinical"] for center in config["centers"]],
        # the last jobs of every environment: their logs say which versions they ran with
        sample_size=rules.plan_sample_size.output.sample_size,
        predictions=rules.pool_centers.output.predictions,
        explanations=all_splits(rules.explain_network.output.gradcam),
    output:
        provenance="<results>/provenance.json",
    log:
        "<logs>/write_provenance.log",
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1_000,
        runtime=10,
    params:
        config=config,
        logs=f"results/{config['study']}/logs",
        environments=lambda wildcards: environments(),
        code=code_version("write_provenance"),
    script:
        "../scripts/write_provenance.py"


rule render_report:
    """Render the page that clinicians, statisticians and reviewers read."""
    input:
        cohort=rules.assemble_cohort.output,
        splits=rules.make_splits.output.splits,
        sample_size=rules.plan_sample_size.output.sample_size,
        evaluation=rules.pool_centers.output,
        histories=all_splits(rules.train_network.output.history, member=MEMBERS),
        signatures=all_splits(rules.fit_signature.output.signature),
        explanations=all_splits(rules.explain_network.output.gradcam),
        provenance=rules.write_provenance.output.provenance,
        simulation=branch(config["simulation"], then=config["simulation"] or ""),
    output:
        report="<results>/report/report.html",
    log:
        "<logs>/render_report.log",
    benchmark:
        "<benchmarks>/render_report.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(30),
    params:
        config=config,
        designs=SPLITS,
        members=MEMBERS,
        code=code_version("render_report"),
    script:
        "../scripts/render_report.py"
