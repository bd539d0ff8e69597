rule standardize_images:
    """Convert the anterior frames of a job's patients to comparable images of one field of view."""
    input:
        scans=job_scans,
    output:
        images="<results>/cohort/{center}/jobs/{job}.npz",
        records="<results>/cohort/{center}/jobs/{job}.csv",
        # In the next run, `job_scans` compares its content with the job's new version.
        done="<private>/{center}/jobs/{job}",
    log:
        "<logs>/standardize_images/{center}/{job}.log",
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1_500),
        runtime=escalating(30),
    params:
        center=lambda wildcards: center_block(wildcards.center),
        patients=job_patients,
        settings=config["image"],
        version=job_version,
    script:
        "../scripts/standardize_images.py"
