rule write_provenance:
    """Record code, config, versions, seeds and the hashes of the inputs."""
    input:
        cohort=rules.assemble_cohort.output,
        clinical=[center["clinical"] for center in config["centers"]],
        # The last jobs of every environment: their logs contain the versions of packages.
        sample_size=rules.plan_sample_size.output.sample_size,
        predictions=rules.pool_centers.output.predictions,
        explanations=collect(rules.draw_maps.output.attention, design=SPLITS),
        # Only the report waits for these.
        sources=rules.describe_sources.output.sources,
        updates=branch(
            bool(STUDY.names("external")), then=rules.update_model.output.updates
        ),
        multiverse=branch(
            bool(DEFINITIONS), then=rules.compare_definitions.output.multiverse
        ),
        looks=branch(MODEL, then="<results>/deployment/looks.csv"),
        # Another study may have made it: its versions are in the log next to it.
        pretrained=branch(
            STUDY.network.needs_pretraining(STUDY.image) and not MODEL,
            then=[PRETRAINED],
            otherwise=[],
        ),
    output:
        provenance=shown(
            "<results>/provenance.json", "provenance", "Provenance", "provenance"
        ),
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
    """Render the page that clinicians, statisticians and reviewers read, and one with patients."""
    input:
        **{
            table.name: branch(
                bool(STUDY.names("external")),
                then=f"<results>/{table.path}",
            )
            for table in UPDATING
        },
        **controls_shown(),
        **stability_shown(),
        **learning_curve_shown(),
        **importance_shown(),
        cohort=rules.assemble_cohort.output.cohort,
        images=rules.assemble_cohort.output.images,
        flow=rules.assemble_cohort.output.flow,
        without_outcome=rules.assemble_cohort.output.without_outcome,
        splits=rules.make_splits.output.splits,
        sample_size=rules.plan_sample_size.output.sample_size,
        performance=rules.pool_centers.output.performance,
        roc=rules.pool_centers.output.roc,
        calibration=rules.pool_centers.output.calibration,
        calibration_groups=rules.pool_centers.output.calibration_groups,
        decision_curve=rules.pool_centers.output.decision_curve,
        comparisons=rules.pool_centers.output.comparisons,
        thresholds=rules.pool_centers.output.thresholds,
        predictions=rules.pool_centers.output.predictions,
        pooled=rules.pool_centers.output.pooled,
        pooled_centers=rules.pool_centers.output.pooled_centers,
        sources=rules.describe_sources.output.sources,
        multiverse=branch(
            bool(DEFINITIONS), then=rules.compare_definitions.output.multiverse
        ),
        histories=all_splits(rules.train_network.output.history, member=STUDY.members()),
        paths=all_splits(rules.fit_signature.output.path),
        features=all_splits(rules.fit_signature.output.features),
        correlates=all_splits(rules.fit_signature.output.correlates),
        activatings=all_splits(rules.fit_signature.output.activating),
        optimisms=all_splits(rules.fit_signature.output.optimism),
        gradcams=all_splits(rules.explain_network.output.gradcam),
        models=all_splits(rules.fit_signature.output.model),
        shares=collect(rules.draw_maps.output.shares, design=SPLITS),
        attention=collect(rules.draw_maps.output.attention, design=SPLITS),
        randomizations=collect(rules.draw_maps.output.randomization, design=SPLITS),
        curves=collect(rules.draw_maps.output.curves, design=SPLITS),
        agreements=collect(rules.draw_maps.output.agreement, design=SPLITS),
        pictures=collect(rules.draw_maps.output.pictures, design=SPLITS),
        provenance=rules.write_provenance.output.provenance,
        simulation=branch(config["simulation"], then=config["simulation"] or ""),
        # Of a locked model that is applied.
        manifest=branch(MODEL, then="<private>/model/manifest.json"),
        looks=branch(MODEL, then="<results>/deployment/looks.csv"),
        applied_patients=branch(MODEL, then="<results>/deployment/patients.csv"),
        ledger=branch(MODEL, then="<results>/deployment/ledger.csv"),
        apart=branch(MODEL, then="<results>/deployment/apart.csv"),
    output:
        report=shown("<results>/report/report.html", "page", "Report", "report"),
        methods="<results>/report/methods.md",
        internal="<private>/report-internal.html",
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
        code=code_version("render_report"),
    script:
        "../scripts/render_report.py"


rule write_crate:
    """Describe the run as a Workflow Run RO-Crate: aggregate results, workflow, every job."""
    input:
        provenance=rules.write_provenance.output.provenance,
        report=rules.render_report.output.report,
        tables=[
            f"<results>/evaluation/{table.name}.csv"
            for table in AGGREGATE
            # A study with one definition of the outcome has nothing to compare.
            if DEFINITIONS or table.name != "multiverse"
        ],
    output:
        crate=directory("<results>/crate"),
    log:
        "<logs>/write_crate.log",
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1_000,
        runtime=10,
    params:
        study=config["study"],
        logs=f"results/{config['study']}/logs",
        benchmarks=f"results/{config['study']}/benchmarks",
        environments=lambda wildcards: environments(),
        code=code_version("write_crate"),
    script:
        "../scripts/write_crate.py"
