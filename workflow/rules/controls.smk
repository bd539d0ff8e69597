rule run_controls:
    """Run the negative and positive controls: what is found where nothing, or a known effect, is."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        splits=rules.make_splits.output.splits,
        embeddings=collect(
            f"<results>/splits/{CONTROLS_DESIGN}/{{split}}/embeddings.npy",
            split=SPLITS[CONTROLS_DESIGN],
        ),
        networks=collect(
            f"<results>/splits/{CONTROLS_DESIGN}/{{split}}/network.csv",
            split=SPLITS[CONTROLS_DESIGN],
        ),
        permuted=permuted_files,
        parts=part_files,
        images=rules.assemble_cohort.output.images,
        masks=rules.assemble_cohort.output.masks,
    output:
        **{
            table.name: shown(
                f"<results>/controls/{table.name}.csv", "table", "Controls", table.name
            )
            for table in CONTROLS
        },
    log:
        "<logs>/run_controls.log",
    benchmark:
        "<benchmarks>/run_controls.tsv"
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(4_000),
        runtime=escalating(4 * 60),
    params:
        design=CONTROLS_DESIGN,
        splits=SPLITS[CONTROLS_DESIGN],
        settings=STUDY.controls.model_dump(
            mode="json", exclude={"run": True, "networks": {"hours"}}
        ),
        signature=config["signature"],
        minimum_count=lookup("evaluation/minimum_count", within=config),
        field_mm=lookup("image/field_mm", within=config),
        seed=config["seed"],
        code=code_version("run_controls"),
    script:
        "../scripts/run_controls.py"


rule controls:
    """The negative and positive controls, without the rest of the study."""
    input:
        rules.run_controls.output,
    localrule: True
