rule standardize_images:
    """Turn the anterior frames of a job's patients into comparable images of one field of view."""
    input:
        # A registration done anew concerns this job only where its own patients changed, and
        # their rows and files have a version among the params.
        scans=ancient("<private>/{center}/scans.csv"),
    output:
        images="<results>/cohort/{center}/jobs/{job}.npz",
        records="<results>/cohort/{center}/jobs/{job}.csv",
    log:
        "<logs>/standardize_images/{center}/{job}.log",
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1_500),
        runtime=escalating(30),
    params:
        center=lambda wildcards: study.center(config, wildcards.center),
        patients=job_patients,
        cohort=config["cohort"],
        settings=config["image"],
        code=[code_version("register_center"), code_version("standardize_images")],
    script:
        "../scripts/standardize_images.py"
