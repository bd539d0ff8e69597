# Networks that are trained for the controls: on permuted outcomes, and on parts of the images.


rule permute_outcomes:
    """Permute the outcomes of a split's training patients, on which a network is then trained."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        splits=rules.make_splits.output.splits,
    output:
        cohort=temp(
            "<results>/splits/{design}/{split}/permuted/{permutation}/cohort.csv"
        ),
    log:
        "<logs>/permute_outcomes/{design}/{split}/{permutation}.log",
    benchmark:
        "<benchmarks>/permute_outcomes/{design}/{split}/{permutation}.tsv"
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1_000),
        runtime=escalating(10),
    params:
        strata=lookup("controls/strata", within=config),
        seed=config["seed"],
        code=code_version("permute_outcomes"),
    script:
        "../scripts/permute_outcomes.py"


use rule train_network as train_permuted with:
    input:
        cohort=rules.permute_outcomes.output.cohort,
        images=rules.assemble_cohort.output.images,
        masks=rules.assemble_cohort.output.masks,
        splits=rules.make_splits.output.splits,
        pretrained=branch(
            STUDY.network.needs_pretraining(STUDY.image), then=PRETRAINED, otherwise=[]
        ),
        approval=ancient(rules.approve_centers.output.approval),
    output:
        weights=temp(
            "<results>/splits/{design}/{split}/permuted/{permutation}/network/{member}/weights.safetensors"
        ),
        history="<results>/splits/{design}/{split}/permuted/{permutation}/network/{member}/history.csv",
    log:
        "<logs>/train_permuted/{design}/{split}/{permutation}/{member}.log",
    benchmark:
        "<benchmarks>/train_permuted/{design}/{split}/{permutation}/{member}.tsv"


use rule extract_embeddings as embed_permuted with:
    input:
        cohort=rules.assemble_cohort.output.cohort,
        images=rules.assemble_cohort.output.images,
        splits=rules.make_splits.output.splits,
        weights=collect(
            "<results>/splits/{design}/{split}/permuted/{permutation}/network/{member}/weights.safetensors",
            member=MEMBERS[:1],
            allow_missing=True,
        ),
    output:
        embeddings=temp(
            "<results>/splits/{design}/{split}/permuted/{permutation}/embeddings.npy"
        ),
        network="<results>/splits/{design}/{split}/permuted/{permutation}/network.csv",
    log:
        "<logs>/embed_permuted/{design}/{split}/{permutation}.log",
    benchmark:
        "<benchmarks>/embed_permuted/{design}/{split}/{permutation}.tsv"


rule hide_part:
    """Write the images with the gland alone, without the gland, or with the background alone."""
    input:
        images=rules.assemble_cohort.output.images,
        masks=rules.assemble_cohort.output.masks,
    output:
        images=temp("<results>/controls/parts/{part}/images.npy"),
        masks=temp("<results>/controls/parts/{part}/masks.npy"),
    log:
        "<logs>/hide_part/{part}.log",
    benchmark:
        "<benchmarks>/hide_part/{part}.tsv"
    conda:
        "../../envs/stats.yaml"
    threads: 1
    resources:
        mem_mb=escalating(2_000),
        runtime=escalating(30),
    params:
        field_mm=lookup("image/field_mm", within=config),
        code=code_version("hide_part"),
    script:
        "../scripts/hide_part.py"


use rule train_network as train_on_part with:
    input:
        cohort=rules.assemble_cohort.output.cohort,
        images=rules.hide_part.output.images,
        masks=rules.hide_part.output.masks,
        splits=rules.make_splits.output.splits,
        pretrained=branch(
            STUDY.network.needs_pretraining(STUDY.image), then=PRETRAINED, otherwise=[]
        ),
        approval=ancient(rules.approve_centers.output.approval),
    output:
        weights=temp(
            "<results>/splits/{design}/{split}/parts/{part}/network/{member}/weights.safetensors"
        ),
        history="<results>/splits/{design}/{split}/parts/{part}/network/{member}/history.csv",
    log:
        "<logs>/train_on_part/{design}/{split}/{part}/{member}.log",
    benchmark:
        "<benchmarks>/train_on_part/{design}/{split}/{part}/{member}.tsv"


use rule extract_embeddings as embed_part with:
    input:
        cohort=rules.assemble_cohort.output.cohort,
        images=rules.hide_part.output.images,
        splits=rules.make_splits.output.splits,
        weights=collect(
            "<results>/splits/{design}/{split}/parts/{part}/network/{member}/weights.safetensors",
            member=MEMBERS,
            allow_missing=True,
        ),
    output:
        embeddings=temp("<results>/splits/{design}/{split}/parts/{part}/embeddings.npy"),
        network="<results>/splits/{design}/{split}/parts/{part}/network.csv",
    log:
        "<logs>/embed_part/{design}/{split}/{part}.log",
    benchmark:
        "<benchmarks>/embed_part/{design}/{split}/{part}.tsv"
