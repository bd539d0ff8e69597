# A locked model is applied (key `model`): nothing is trained, its files take the place of what
# training would have written.
from thyrocast.contract import deployment as applied


# The rules of training can't run: they have no training patients.
ruleorder: apply_model > fit_signature


rule verify_model:
    """Verify the locked model, and copy exactly the bytes that were verified."""
    input:
        model=model_file(),
    output:
        manifest="<private>/model/manifest.json",
        weights=[f"<private>/model/{applied.weights(member)}" for member in MEMBERS],
        signature=f"<private>/model/{applied.SIGNATURE}",
        forest=f"<private>/model/{applied.FOREST}",
        domain=f"<private>/model/{applied.DOMAIN}",
        card=f"<private>/model/{applied.CARD}",
        license=f"<private>/model/{applied.LICENSE}",
        tables=[f"<private>/{table.path}" for table in applied.TABLES],
    log:
        "<logs>/verify_model.log",
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(20),
    params:
        model=config["model"],
        hash=MODEL.hash,
        code=code_version("verify_model"),
    script:
        "../scripts/verify_model.py"


rule apply_model:
    """Predict all patients by the locked model, and flag those unlike its training patients."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        images=rules.assemble_cohort.output.images,
        splits=rules.make_splits.output.splits,
        embeddings="<results>/splits/external/all/embeddings.npy",
        network="<results>/splits/external/all/network.csv",
        model=rules.verify_model.output.manifest,
        signature=rules.verify_model.output.signature,
        # Stops here if a center is not ready, like training.
        approval=ancient(rules.approve_centers.output.approval),
        # The copy has further files, which are read by their names.
        files=rules.verify_model.output,
        outcomes=collect("<private>/{center}/outcomes.csv", center=CENTERS),
        scans=collect("<private>/{center}/scans.csv", center=CENTERS),
    output:
        signature="<results>/splits/external/all/signature/model.json",
        path="<results>/splits/external/all/signature/path.csv",
        features="<results>/splits/external/all/signature/features.csv",
        correlates="<results>/splits/external/all/signature/correlates.csv",
        activating="<results>/splits/external/all/signature/activating.csv",
        optimism="<results>/splits/external/all/signature/optimism.csv",
        predictions="<results>/splits/external/all/predictions.csv",
        member_predictions="<results>/splits/external/all/member_predictions.csv",
        applied="<results>/deployment/predictions.csv",
        patients="<results>/deployment/patients.csv",
        ledger="<results>/deployment/ledger.csv",
    log:
        "<logs>/apply_model.log",
    benchmark:
        "<benchmarks>/apply_model.tsv"
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(30),
    params:
        members=MEMBERS,
        error=lookup("evaluation/prediction_sets/error", within=config),
        # Not an output: nothing may delete the ledger.
        ledger=f"{PRIVATE}/frozen.jsonl",
        withdrawn=lookup("prospective/withdrawn", within=config),
        code=code_version("apply_model"),
    script:
        "../scripts/apply_model.py"


rule score_apart:
    """Score the patients whose prediction was not frozen before the outcome, apart from the others."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        predictions=rules.apply_model.output.predictions,
        member_predictions=rules.apply_model.output.member_predictions,
        applied=APPLIED,
    output:
        apart="<results>/deployment/apart.csv",
    log:
        "<logs>/score_apart.log",
    benchmark:
        "<benchmarks>/score_apart.tsv"
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
        code=code_version("score_apart"),
    script:
        "../scripts/score_apart.py"


rule lock_update:
    """Write the locked model as it is updated at a center, by the step that closed testing chooses."""
    input:
        # In the report, the ladder; an update is not written without it.
        updates=rules.update_model.output.updates,
        predictions=rules.update_model.input.predictions,
        performance=rules.update_model.input.performance,
        splits=rules.make_splits.output.splits,
        embeddings="<results>/splits/external/all/embeddings.npy",
        cohort=rules.assemble_cohort.output.cohort,
        scans="<private>/{center}/scans.csv",
        model=rules.verify_model.output.manifest,
        # The copy has further files, which are read by their names.
        files=rules.verify_model.output,
    output:
        manifest="<results>/updated/{center}/manifest.json",
        parent=f"<results>/updated/{{center}}/{applied.PARENT}",
        files=[
            f"<results>/updated/{{center}}/{name}"
            for name in sorted(applied.contents(MEMBERS))
        ],
    log:
        "<logs>/lock_update/{center}.log",
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(20),
    params:
        config=config,
        code=code_version("lock_update"),
    script:
        "../scripts/lock_update.py"


rule record_look:
    """Add the evaluation of the locked model to the append-only log."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        performance="<results>/evaluation/performance.csv",
        patients=rules.apply_model.output.patients,
        # Who was used to update a model, is recorded by the hashes of identifiers.
        scans=rules.assemble_cohort.input.scans,
    output:
        looks="<results>/deployment/looks.csv",
    log:
        "<logs>/record_look.log",
    localrule: True
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=1_000,
        runtime=10,
    params:
        model=MODEL.hash,
        key=key_file,
        # Not an output: Snakemake deletes outputs, and nothing may delete the log.
        journal=f"{PRIVATE}/looks.jsonl",
        least=lookup("evaluation/minimum_count/cells", within=config),
        code=code_version("record_look"),
    script:
        "../scripts/record_look.py"
