rule refit_models:
    """Fit a split's models again to bootstrap samples of its training patients."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        splits=rules.make_splits.output.splits,
        embeddings=rules.extract_embeddings.output.embeddings,
        network=rules.extract_embeddings.output.network,
    output:
        refits="<results>/splits/{design}/{split}/refits/{job}.npz",
    log:
        "<logs>/refit_models/{design}/{split}/{job}.log",
    benchmark:
        "<benchmarks>/refit_models/{design}/{split}/{job}.tsv"
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(requests.Work.signature_mb),
        runtime=escalating(requests.Work.refit_minutes),
    params:
        stability={
            key: config["stability"][key]
            for key in ("resamples", "refits_per_job", "heads")
        },
        signature=config["signature"],
        threshold=STUDY.evaluation.thresholds[0].plain(),
        seed=config["seed"],
        code=code_version("refit_models"),
    script:
        "../scripts/refit_models.py"


use rule train_network as retrain_network with:
    output:
        weights=temp(
            "<results>/splits/{design}/{split}/retrained/{training}/network/{member}/weights.safetensors"
        ),
        history="<results>/splits/{design}/{split}/retrained/{training}/network/{member}/history.csv",
    log:
        "<logs>/retrain_network/{design}/{split}/{training}/{member}.log",
    benchmark:
        "<benchmarks>/retrain_network/{design}/{split}/{training}/{member}.tsv"
    params:
        settings=NETWORK,
        seed=lambda wildcards: seeds.derive(
            config["seed"], "stability", "training", wildcards.training
        ),
        state=f"{PRIVATE}/training",
        code=code_version("train_network"),


use rule extract_embeddings as embed_retrained with:
    input:
        cohort=rules.assemble_cohort.output.cohort,
        images=rules.assemble_cohort.output.images,
        splits=rules.make_splits.output.splits,
        weights=collect(
            "<results>/splits/{design}/{split}/retrained/{training}/network/{member}/weights.safetensors",
            member=MEMBERS,
            allow_missing=True,
        ),
    output:
        # Kept: another version of the signature's code must not train the networks again.
        embeddings="<results>/splits/{design}/{split}/retrained/{training}/embeddings.npy",
        network="<results>/splits/{design}/{split}/retrained/{training}/network.csv",
    log:
        "<logs>/embed_retrained/{design}/{split}/{training}.log",
    benchmark:
        "<benchmarks>/embed_retrained/{design}/{split}/{training}.tsv"


use rule refit_models as refit_retrained with:
    input:
        cohort=rules.assemble_cohort.output.cohort,
        splits=rules.make_splits.output.splits,
        embeddings="<results>/splits/{design}/{split}/retrained/{training}/embeddings.npy",
        network="<results>/splits/{design}/{split}/retrained/{training}/network.csv",
    output:
        refits="<results>/splits/{design}/{split}/retrained/{training}/refits.npz",
    log:
        "<logs>/refit_retrained/{design}/{split}/{training}.log",
    benchmark:
        "<benchmarks>/refit_retrained/{design}/{split}/{training}.tsv"


rule assess_stability:
    """Assess how far predictions, selected features and performance move if models are fitted again."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        splits=rules.make_splits.output.splits,
        refits=collect(
            f"<results>/splits/{STABILITY_DESIGN}/{{split}}/refits/{{job}}.npz",
            split=SPLITS[STABILITY_DESIGN],
            job=STUDY.stability.jobs(),
        ),
        retrained=retrained_files,
    output:
        **{
            table.name: shown(
                f"<results>/{table.path}", "table", "Stability", table.name
            )
            for table in STABILITY
        },
    log:
        "<logs>/assess_stability.log",
    benchmark:
        "<benchmarks>/assess_stability.tsv"
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(60),
    params:
        design=STABILITY_DESIGN,
        splits=SPLITS[STABILITY_DESIGN],
        minimum_count=lookup("evaluation/minimum_count", within=config),
        code=code_version("assess_stability"),
    script:
        "../scripts/assess_stability.py"


rule stability:
    """The stability of the models, without the rest of the study."""
    input:
        rules.assess_stability.output,
    localrule: True
