# What the patients of a prospective center get from a locked model.


rule write_sheets:
    """Write a prospective center's predictions: a table, and a one-page sheet for each patient."""
    input:
        predictions=rules.apply_model.output.applied,
        patients=rules.apply_model.output.patients,
        members=rules.apply_model.output.member_predictions,
        thresholds=f"<private>/{applied.THRESHOLDS.path}",
        manifest=rules.verify_model.output.manifest,
        scans="<private>/{center}/scans.csv",
        records=records_of_center,
        pictures="<results>/explanation/external/pictures",
    output:
        table="<private>/{center}/prospective/predictions.csv",
        sheets=directory("<private>/{center}/prospective/sheets"),
    log:
        "<logs>/write_sheets/{center}.log",
    benchmark:
        "<benchmarks>/write_sheets/{center}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(30),
    params:
        main=lookup("evaluation/primary_model", within=config),
        error=lookup("evaluation/prediction_sets/error", within=config),
        code=code_version("write_sheets"),
    script:
        "../scripts/write_sheets.py"


rule write_dicom:
    """Write a prospective center's predictions as DICOM objects, for its own archive."""
    input:
        table=rules.write_sheets.output.table,
        patients=rules.apply_model.output.patients,
        scans="<private>/{center}/scans.csv",
        records=records_of_center,
        pictures=rules.write_sheets.input.pictures,
    output:
        objects=directory("<private>/{center}/prospective/dicom"),
    log:
        "<logs>/write_dicom/{center}.log",
    benchmark:
        "<benchmarks>/write_dicom/{center}.tsv"
    conda:
        "../../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(30),
    params:
        export=lambda wildcards: STUDY.center(wildcards.center).dicom,
        about=lookup("prospective/dicom_patient", within=config),
        simulated=MODEL.simulated,
        code=code_version("write_dicom"),
    script:
        "../scripts/write_dicom.py"
