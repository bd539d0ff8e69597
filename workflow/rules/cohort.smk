rule register_center:
    """Include or exclude, with the reason, every patient of a center's table or images."""
    input:
        clinical=lambda wildcards: center_block(wildcards.center)["clinical"],
    output:
        register="<results>/cohort/{center}/register.csv",
        scans="<private>/{center}/scans.csv",
        outcomes="<private>/{center}/outcomes.csv",
        understanding="<private>/{center}/understanding.json",
        files="<private>/{center}/files.csv",
        contradictions="<private>/{center}/contradictions.csv",
    log:
        "<logs>/register_center/{center}.log",
    benchmark:
        "<benchmarks>/register_center/{center}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 2
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(60),
    params:
        center=lambda wildcards: center_block(wildcards.center),
        cohort=config["cohort"],
        key=key_file,
        # Index and ledger are kept from run to run. They can't be outputs, because Snakemake
        # deletes outputs before a job.
        index=f"{PRIVATE}/{{center}}/index",
        ledger=f"{PRIVATE}/{{center}}/ledger.txt",
        files=lambda wildcards: center_export(wildcards.center).version(),
        code=code_version("register_center"),
    script:
        "../scripts/register_center.py"


rule apply_definitions:
    """Decide the outcomes of a center's patients under every definition of the outcome."""
    input:
        clinical=lambda wildcards: center_block(wildcards.center)["clinical"],
    output:
        definitions="<results>/cohort/{center}/definitions.csv",
    log:
        "<logs>/apply_definitions/{center}.log",
    benchmark:
        "<benchmarks>/apply_definitions/{center}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1_000),
        runtime=escalating(10),
    params:
        center=lambda wildcards: STUDY.center(wildcards.center).plain(),
        cohort=config["cohort"],
        key=key_file,
        definitions=[definition.name for definition in STUDY.definitions()],
        code=code_version("apply_definitions"),
    script:
        "../scripts/apply_definitions.py"


rule assemble_cohort:
    """Combine the centers' patients and images into one cohort."""
    input:
        registers=collect("<results>/cohort/{center}/register.csv", center=CENTERS),
        scans=collect("<private>/{center}/scans.csv", center=CENTERS),
        images=all_jobs("<results>/cohort/{center}/jobs/{job}.npz"),
        records=all_jobs("<results>/cohort/{center}/jobs/{job}.csv"),
    output:
        cohort="<results>/cohort/cohort.csv",
        images="<results>/cohort/images.npy",
        masks="<results>/cohort/masks.npy",
        patients="<results>/cohort/patients.csv",
        follow_up="<results>/cohort/follow_up.csv",
        without_outcome="<results>/cohort/without_outcome.csv",
        flow="<results>/cohort/flow.json",
    log:
        "<logs>/assemble_cohort.log",
    benchmark:
        "<benchmarks>/assemble_cohort.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(30),
    params:
        roles={center["name"]: center["role"] for center in config["centers"]},
        settings=config["cohort"],
        outcomes=config["outcomes"],
        seed=config["seed"],
        smallest=lookup("evaluation/minimum_count/patients", within=config),
        code=code_version("assemble_cohort"),
    script:
        "../scripts/assemble_cohort.py"
