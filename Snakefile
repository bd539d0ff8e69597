# thyrocast: will the first radioiodine therapy of Graves' disease succeed?
# From pretreatment scintigrams to a report, across hospitals. Start reading at rule all.

from snakemake.utils import min_version

min_version("9.11")


# A config given on the command line stands alone; nothing of the default one shines through.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"


pathvars:
    results=f"results/{config['study']}",
    logs=f"results/{config['study']}/logs",
    benchmarks=f"results/{config['study']}/benchmarks",
    private=PRIVATE,


include: "workflow/rules/cohort.smk"
include: "workflow/rules/images.smk"
include: "workflow/rules/splits.smk"
include: "workflow/rules/network.smk"
include: "workflow/rules/signature.smk"
include: "workflow/rules/explanation.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/model.smk"
include: "workflow/rules/report.smk"


localrules:
    all,
    make_splits,
    plan_sample_size,
    write_provenance,


rule all:
    """The study's report and, where one is wanted, its locked model."""
    default_target: True
    input:
        "<results>/report/report.html",
        branch(config["lock_model"], then="<results>/model/manifest.json"),


onstart:
    clock.mend(f"results/{config['study']}", PRIVATE)
    slurm.begin(workflow, digest(config))


onerror:
    print(failures.describe(log), file=sys.stderr)
