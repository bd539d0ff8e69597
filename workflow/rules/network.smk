rule pretrain_network:
    """Pretrain a network on scintigrams that are simulated without end (on a GPU if the config requests one)."""
    output:
        weights=ensure(PRETRAINED, non_empty=True),
    log:
        f"{PRETRAINED}.log",
    benchmark:
        f"{PRETRAINED}.tsv"
    conda:
        "../../envs/deep.yaml"
    envmodules:
        "thyrocast/deep",
    threads: lookup("network/threads", within=config)
    resources:
        gpu=one_gpu,
        nodes=1,
        mem_mb=escalating(requests.Work.pretrain_mb),
        runtime=escalating(requests.Work.pretrain_minutes),
    params:
        **PRETRAINING,
    script:
        "../scripts/pretrain_network.py"


rule train_network:
    """Train one network on a split's training patients (on GPUs if the config requests them)."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        images=rules.assemble_cohort.output.images,
        masks=rules.assemble_cohort.output.masks,
        splits=rules.make_splits.output.splits,
        pretrained=branch(
            STUDY.network.needs_pretraining(STUDY.image), then=PRETRAINED, otherwise=[]
        ),
        # Stops here if a center is not ready; a finished network is not trained again for it.
        approval=ancient(rules.approve_centers.output.approval),
    output:
        weights=ensure(
            "<results>/splits/{design}/{split}/network/{member}/weights.safetensors",
            non_empty=True,
        ),
        history="<results>/splits/{design}/{split}/network/{member}/history.csv",
    log:
        "<logs>/train_network/{design}/{split}/{member}.log",
    benchmark:
        "<benchmarks>/train_network/{design}/{split}/{member}.tsv"
    conda:
        "../../envs/deep.yaml"
    envmodules:
        "thyrocast/deep",
    threads: lookup("network/threads", within=config)
    resources:
        gpu=lookup("network/gpus", within=config),
        # All processes of a training run on one node.
        nodes=1,
        mem_mb=escalating(requests.Work.train_mb),
        runtime=escalating(requests.Work.train_minutes),
    params:
        settings=NETWORK,
        seed=config["seed"],
        # Not an output: Snakemake deletes outputs before a retry, which resumes from this folder.
        state=f"{PRIVATE}/training",
        code=code_version("train_network"),
    script:
        "../scripts/train_network.py"


rule extract_embeddings:
    """Apply the networks of a split to its patients: globally pooled features and logits."""
    input:
        cohort=rules.assemble_cohort.output.cohort,
        images=rules.assemble_cohort.output.images,
        splits=rules.make_splits.output.splits,
        weights=collect(WEIGHTS, member=MEMBERS, allow_missing=True),
    output:
        embeddings="<results>/splits/{design}/{split}/embeddings.npy",
        network="<results>/splits/{design}/{split}/network.csv",
    log:
        "<logs>/extract_embeddings/{design}/{split}.log",
    benchmark:
        "<benchmarks>/extract_embeddings/{design}/{split}.tsv"
    conda:
        "../../envs/deep.yaml"
    envmodules:
        "thyrocast/deep",
    threads: lookup("network/threads", within=config)
    resources:
        gpu=one_gpu,
        mem_mb=escalating(requests.Work.embed_mb),
        runtime=escalating(requests.Work.apply_minutes),
    params:
        settings=NETWORK,
        code=code_version("extract_embeddings"),
    script:
        "../scripts/extract_embeddings.py"
