def compared_centers(wildcards):
    """Return the other centers with which a center is compared, as `check.compare` says."""
    return [
        other
        for other in CENTERS
        if other != wildcards.center
        and (
            config["check"]["compare"] == "all"
            or (
                Path(f"results/{STUDY.study}/cohort/{other}/register.csv").exists()
                and Path(f"{PRIVATE}/{other}/scans.csv").exists()
            )
        )
    ]


def of_compared(pattern):
    """Return a file of every center with which a center is compared."""
    return lambda wildcards: collect(pattern, center=compared_centers(wildcards))


def images_of_compared(wildcards):
    """Return the images of the centers with which a center is compared: duplicates are found by pixels."""
    paths = [
        path
        for other in compared_centers(wildcards)
        for path in collect(
            f"results/{STUDY.study}/cohort/{{center}}/jobs/{{job}}.npz",
            center=other,
            job=center_jobs(other),
        )
    ]
    if config["check"]["compare"] == "all":
        return paths
    return [path for path in paths if Path(path).exists()]


rule check_center:
    """Show a center what was understood of its data, with a verdict and what to do first."""
    input:
        register="<results>/cohort/{center}/register.csv",
        scans="<private>/{center}/scans.csv",
        outcomes="<private>/{center}/outcomes.csv",
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
        public_page="<results>/check/{center}.html",
        document="<results>/check/{center}.json",
    log:
        "<logs>/check_center/{center}.log",
    benchmark:
        "<benchmarks>/check_center/{center}.tsv"
    # The page is needed before anything that takes long.
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
        approval="<results>/check/approval.json",
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
