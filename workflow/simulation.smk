# Simulated hospitals for the demo, for tests and for planning a study; not part of a study itself:
#   snakemake -s workflow/simulation.smk --configfile config/simulation/demo.yaml --cores 2

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.11")

sys.path.insert(0, str(Path(workflow.current_basedir) / "lib"))

from thyrocast.config.reading import check_file, read_simulation
from thyrocast.planning.fingerprints import code_version
from thyrocast.errors import InputError

if not workflow.overwrite_configfiles:
    raise WorkflowError(
        "No cohort is given: add --configfile config/simulation/demo.yaml (or a file of your own)."
    )

try:
    for file in workflow.configfiles:
        check_file(file)
    config.update(read_simulation(config).plain())
except InputError as fault:
    raise WorkflowError(f"The simulation's config needs a change: {fault}") from None


pathvars:
    data=f"data/{config['cohort']}",
    logs=f"data/{config['cohort']}/logs",


wildcard_constraints:
    center="|".join(config["centers"]),


localrules:
    all,
    summarize_truth,


rule all:
    """Every center's export, and the discrimination of the true risk."""
    default_target: True
    input:
        collect("<data>/{center}", center=config["centers"]),
        "<data>/summary.json",


rule simulate_center:
    """Simulate a center: DICOM files, a clinical table and, separately, the truth."""
    output:
        folder=directory("<data>/{center}"),
        truth="<data>/truth/{center}.csv",
    log:
        "<logs>/simulate_center/{center}.log",
    conda:
        "../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=1_000,
        runtime=30,
    params:
        center=lambda wildcards: config["centers"][wildcards.center],
        outcome=config["outcome"],
        seed=config["seed"],
        code=code_version("simulate_center"),
    script:
        "scripts/simulate_center.py"


rule summarize_truth:
    """Summarize the discrimination of the true risk, which no model can exceed."""
    input:
        truths=collect("<data>/truth/{center}.csv", center=config["centers"]),
    output:
        summary="<data>/summary.json",
    log:
        "<logs>/summarize_truth.log",
    conda:
        "../envs/imaging.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        centers=list(config["centers"]),
        outcome=config["outcome"],
        seed=config["seed"],
        code=code_version("summarize_truth"),
    script:
        "scripts/summarize_truth.py"
