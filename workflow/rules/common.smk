# Functions and names that the rules share.

import functools
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

# The package of this workflow, also if another workflow imports it.
LIBRARY = Path(str(workflow.current_basedir)).parent / "lib"
if not LIBRARY.is_dir():
    raise WorkflowError(
        f"thyrocast is imported from {workflow.current_basedir}, from where Snakemake fetches "
        "single files, but its jobs import the package next to its Snakefile: clone the repository "
        "to a folder that all nodes share, and give `snakefile:` the path of workflow/Snakefile there."
    )
sys.path.insert(0, str(LIBRARY))

from thyrocast import fileio, seeds
from thyrocast.cluster import slurm
from thyrocast.planning import (
    budget,
    controller,
    ledger,
    locked,
    pseudonyms,
    requests,
    study,
)
from thyrocast.contract.control_names import ImagePart
from thyrocast.contract.controls import TABLES as CONTROLS
from thyrocast.contract.stability import TABLES as STABILITY
from thyrocast.contract.evaluation import AGGREGATE
from thyrocast.contract.explanation import IMPORTANCE
from thyrocast.contract.learning_curve import LEARNING_CURVE
from thyrocast.config.reading import check_file, read_study
from thyrocast.planning.exports import check_archives, look
from thyrocast.planning.fingerprints import SCRIPTS, code_version, digest
from thyrocast.errors import InputError


def checked(config):
    """Return the study's config with its defaults, and the manifest of the locked model that it applies.

    Stops if the config or its inputs are wrong.
    """
    # Snakemake would also put the prefix before the inputs, but not before paths in params.
    modifier = workflow.modifier.path_modifier
    if modifier.prefix or modifier.modifies_prefixes:
        raise WorkflowError(
            "thyrocast is imported with `prefix` or `replace_prefix`, which Snakemake applies to inputs "
            "and outputs, not to paths among params: import it without; rules may have any name (`as my_*`)."
        )
    try:
        for file in workflow.configfiles:
            check_file(file)
        given, manifest = locked.applied(read_study(config))
        pseudonyms.check(given, workflow.is_main_process)
        if workflow.is_main_process:
            study.check_inputs(given)
        else:
            controller.check_unchanged(
                given.study,
                digest(given.plain()),
                controller.rules_of_job(sys.argv),
                functools.partial(controller.rule_of, workflow.modifier),
            )
    except RuntimeError as fault:
        raise WorkflowError(str(fault)) from None
    except InputError as fault:
        raise WorkflowError(f"The study's config needs a change: {fault}") from None
    return given, manifest


def record_key():
    """Write the study's pseudonym key, if it is new, and its fingerprint."""
    try:
        pseudonyms.record(STUDY)
    except InputError as fault:
        raise WorkflowError(str(fault)) from None


def escalating(base):
    """Return a resource that doubles with each attempt, for jobs that failed for lack of it.

    `base` is a number, or a method of `requests.Work`, which is called when a job needs it.
    """
    return lambda wildcards, attempt: (
        (base(study_work()) if callable(base) else base) * 2 ** (attempt - 1)
    )


@functools.cache
def study_work():
    """Return the size of the study, on which memory and time of its jobs depend."""
    size = config["image"]["size"]
    images = Path(f"results/{config['study']}/cohort/images.npy")
    patients = requests.patients_of(images, size) or 0
    # Before there is a cohort, and for centers that have joined since, the tables count.
    if workflow.is_main_process or not patients:
        patients = max(
            patients, sum(len(center_patients(center)) for center in CENTERS)
        )
    network = config["network"]
    return requests.Work(
        size=size,
        patients=patients,
        members=len(MEMBERS),
        batch=network["batch_size"],
        explained=config["explanation"]["batch_size"],
        cells=STUDY.explanation.grid_at(size, STUDY.network.architecture),
        epochs=network["epochs"],
        gpus=network["gpus"],
        threads=network["threads"],
        refits=config["stability"]["refits_per_job"],
        compact=network["architecture"] == "compact",
        phantoms=network["simulation"]["phantoms"],
        phantoms_at_once=network["simulation"]["batch_size"],
    )


def one_gpu(wildcards):
    """Return 1 GPU for a job that only applies a network, if the config trains on GPUs, else 0."""
    return min(1, config["network"]["gpus"])


def key_file(wildcards, threads):
    """Return the pseudonym key's file: a param that does not run jobs again, as it depends on `threads`.

    The same key in another file changes nothing, and another key is refused (`pseudonyms.check`).
    """
    return config["pseudonym_key"]


def shown(path, caption, category, name):
    """Return an output that `snakemake --report` shows, except for a table with rows of patients."""
    if caption == "table" and name not in [
        t.name
        for t in (*AGGREGATE, *CONTROLS, *STABILITY, LEARNING_CURVE)
        if "patient" not in t.names
    ]:
        return path
    return report(
        path,
        caption=f"../report/{caption}.rst",
        category=category,
        labels={"what": name},
    )


def center_block(center):
    """Return a center's block as plain data, which Snakemake can store and compare as a param.

    Of the definitions of its outcome it contains the main one only.
    """
    return STUDY.main_block(center).plain()


@functools.cache
def center_export(center):
    """Return the files of a center's export, each with its patients."""
    block = STUDY.center(center)
    return look(block.dicom, f"{PRIVATE}/{center}/files.json", block.identifiers)


def report_archives():
    """Log which files of the exports are not read because they are packed; stop if none is read."""
    for center in STUDY.centers:
        export = center_export(center.name)
        try:
            note = check_archives(center.name, export, center.accept.exports)
        except InputError as fault:
            raise WorkflowError(str(fault)) from None
        if note:
            logger.warning(note)


@functools.cache
def center_patients(center):
    """Return the patients of a center's table, each with a hash of row and files."""
    return study.patients(STUDY, center, center_export(center))


@functools.cache
def center_jobs(center):
    """Return the standardization jobs of a center: patients by job."""
    joined = ledger.read_ledger(f"{PRIVATE}/{center}/ledger.txt")
    return ledger.assign_jobs(joined, center_patients(center), STUDY.patients_per_job)


def job_patients(wildcards):
    """Return the patients of a standardization job, each with a hash of row and files."""
    return {
        patient: center_patients(wildcards.center)[patient]
        for patient in center_jobs(wildcards.center)[wildcards.job]
    }


def job_version(wildcards):
    """Return a hash of everything on which the result of a standardization job depends."""
    return digest(
        job_patients(wildcards),
        center_block(wildcards.center),
        config["cohort"],
        config["image"],
        code_version("register_center"),
        code_version("standardize_images"),
    )


def job_scans(wildcards):
    """Return the center's scans, as `ancient` if the job's own patients did not change.

    Every change of a center runs its registration again. Snakemake (9.27) would then run all of
    the center's jobs. If the scans were always `ancient`, it would not notice changed params.
    """
    scans = f"{PRIVATE}/{wildcards.center}/scans.csv"
    done = Path(f"{PRIVATE}/{wildcards.center}/jobs/{wildcards.job}")
    same = done.exists() and done.read_text() == job_version(wildcards)
    return ancient(scans) if same else scans


def environments():
    """Return the environment of each entry script: the name of its file in envs/."""
    return {
        Path(rule.script).stem: Path(str(rule.conda_env)).stem
        for rule in workflow.rules
        if rule.script and rule.conda_env
        # not of a workflow that imports this one
        if (SCRIPTS / Path(rule.script).name).is_file()
    }


def model_file():
    """Return the file of a locked model whose change runs its verification again."""
    path = Path(config["model"])
    return str(path / "manifest.json" if path.is_dir() else path)


def all_jobs(pattern):
    """Return a file of every standardization job of every center, in the order of the config."""
    return lambda wildcards: [
        path
        for center in CENTERS
        for path in collect(pattern, center=center, job=center_jobs(center))
    ]


def records_of_center(wildcards):
    """Return the records of all standardization jobs of a center."""
    center = wildcards.center
    pattern = f"results/{STUDY.study}/cohort/{center}/jobs/{{job}}.csv"
    return collect(pattern, job=center_jobs(center))


def all_splits(pattern, **wildcards):
    """Return a file of every split of every design."""
    return [
        path
        for design, splits in SPLITS.items()
        for path in collect(pattern, design=design, split=splits, **wildcards)
    ]


def exchange_design(wildcards):
    """Return the design that scores a center for its exchange file: no model of it saw the center."""
    from thyrocast.planning import exchanges

    try:
        return exchanges.unseen_design(STUDY, wildcards.center).value
    except InputError as fault:
        raise WorkflowError(str(fault)) from None


def therapies_of(wildcards):
    """Return the private files with dates of therapy for the temporal design, none for others."""
    if wildcards.design != "temporal":
        return []
    return collect("<private>/{center}/outcomes.csv", center=DEVELOPMENT)


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


slurm.install()
STUDY, MODEL = checked(config)
config.update(STUDY.plain())
# Files that identify patients, and the state of trainings, are kept out of the results.
PRIVATE = f".thyrocast/{STUDY.study}"
CENTERS = STUDY.names()
DEVELOPMENT = STUDY.names("development")
SPLITS = STUDY.splits()
# The design whose splits the controls use.
CONTROLS_DESIGN = STUDY.controls_design()
# The design whose models are explained by permutation importance.
EXPLAINED_DESIGN = STUDY.explained_design()
# The design whose models are fitted again.
STABILITY_DESIGN = STUDY.stability_design()
# The design of whose largest training set the learning curve is measured.
LEARNING_DESIGN = STUDY.learning_design()
# All that determines a pretrained network; a hash of it is in the name of its file, which studies can share.
PRETRAINING = study.pretraining(STUDY)
PRETRAINED = study.pretrained_file(STUDY, PRETRAINING)
# With a locked model, its members predict and nothing is trained.
MEMBERS = MODEL.members if MODEL else STUDY.members()
# Settings of the network among params: where pretrained networks are is no reason to train again.
NETWORK = STUDY.network.model_dump(mode="json", exclude={"simulation": {"folder"}})
# Weights of a member: of the locked model, or as they are trained.
WEIGHTS = (
    f"{PRIVATE}/model/network/{{member}}/weights.safetensors"
    if MODEL
    else "<results>/splits/{design}/{split}/network/{member}/weights.safetensors"
)
# The manifest that names the model: of the locked model that is applied, or that the study locks.
MANIFEST = branch(
    config["lock_model"], then="<results>/model/manifest.json", otherwise=[]
)
if MODEL:
    MANIFEST = f"{PRIVATE}/model/manifest.json"
# What the evaluation needs of a locked model that is applied, in the order of evaluation/applied.py.
APPLIED = (
    [
        f"{PRIVATE}/model/thresholds.csv",
        "<results>/deployment/predictions.csv",
        "<results>/deployment/patients.csv",
    ]
    if MODEL
    else []
)
# Centers whose patients get sheets.
PROSPECTIVE = STUDY.names("prospective") if MODEL else []
# Definitions under which the evaluation is repeated; permuted outcomes have none.
DEFINITIONS = (
    [definition.name for definition in STUDY.definitions()[1:]]
    if config["outcomes"] == "observed"
    else []
)
if workflow.is_main_process:
    report_archives()


wildcard_constraints:
    center="|".join(CENTERS),
    design="|".join(SPLITS),
    split="[^/]+",
    member="|".join(MEMBERS),
    definition="|".join(DEFINITIONS) or "none",
    job=r"\d+",
    training=r"\d+",
    permutation=r"\d+",
    part="|".join(ImagePart),
