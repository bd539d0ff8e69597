rule check_center:
    """Show a center what was understood of its data, with a verdict and what to do first."""
    input:
        register="<results>/cohort/{center}/register.csv",
        scans="<private>/{center}/scans.csv",
        outcomes="<private>/{center}/outcomes.csv",
        files="<private>/{center}/files.csv",
        understanding="<private>/{center}/understanding.json",
        contradictions="<private>/{center}/contradictions.csv",
        images=lambda wildcards: collect(
            "<results>/cohort/{center}/jobs/{job}.npz",
            center=wildcards.center,
            job=center_jobs(wildcards.center),
        ),
        records=lambda wildcards: collect(
            "<results>/cohort/{center}/jobs/{job}.csv",
            center=wildcards.center,
            job=center_jobs(wildcards.center),
        ),
        other_registers=of_compared("<results>/cohort/{center}/register.csv"),
        other_scans=of_compared("<private>/{center}/scans.csv"),
        other_images=images_of_compared,
    output:
        page="<private>/{center}/check.html",
        public_page=shown(
            "<results>/check/{center}.html", "check", "Centers", "{center}"
        ),
        document="<results>/check/{center}.json",
    log:
        "<logs>/check_center/{center}.log",
    benchmark:
        "<benchmarks>/check_center/{center}.tsv"
    # The page is needed before anything that takes long, and when duplicates stop the cohort.
    priority: 100
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(30),
    params:
        study=config["study"],
        center=lambda wildcards: center_block(wildcards.center),
        check=config["check"],
        cohort=config["cohort"],
        image=config["image"],
        smallest=lookup("evaluation/minimum_count/patients", within=config),
        others=compared_centers,
        code=code_version("check_center"),
    script:
        "../scripts/check_center.py"


rule approve_centers:
    """Let training begin if every center is ready, or if the config says so."""
    input:
        checks=collect("<results>/check/{center}.json", center=CENTERS),
    output:
        approval="<results>/approval.json",
    log:
        "<logs>/approve_centers.log",
    priority: 100
    localrule: True
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        study=config["study"],
        not_ready=lookup("check/not_ready", within=config),
        code=code_version("approve_centers"),
    script:
        "../scripts/approve_centers.py"
