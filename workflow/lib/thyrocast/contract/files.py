"""Everything that a study writes, and the version of what is written."""

from thyrocast.contract import (
    cohort,
    controls,
    deployment,
    evaluation,
    explanation,
    learning_curve,
    splits,
    stability,
    updating,
)
from thyrocast.contract.table import File, Table

#: Counts released layouts: a release in which a name, a column or the meaning of one differs from the release before
#: has one more, however often they changed in between.
VERSION = 2

_SPLIT = "splits/{design}/{split}"

FILES = (
    File("check/{center}.html", "The check page of a center without patients: verdict, what to do, counts."),
    File("check/{center}.json", "The same as numbers; counts below `evaluation.minimum_count.patients` are missing."),
    File("approval.json", "The verdict of every center; no network is trained without this file."),
    File("cohort/{center}/jobs/{job}.npz", "Images, glands and pixel hashes of one standardization job."),
    File("cohort/images.npy", "float32, patients × size × size: the standardized images; unit according to `image.intensity`."),
    File("cohort/masks.npy", "uint8, patients × size × size: 1 in the gland."),
    File("cohort/flow.json", "Per center: patients found, matched, excluded by reason, and analyzed."),
    File(f"{_SPLIT}/network/{{member}}/weights.safetensors", "A trained network with its normalization."),
    File(f"{_SPLIT}/embeddings.npy", "float32, members × patients × features in the order of `splits.csv`: pooled features."),
    File(f"{_SPLIT}/signature/model.json", "Recalibration, the members' selected features, baselines and heads, and what prediction sets need, as plain numbers."),
    File(f"{_SPLIT}/signature/forest.skops", "The random forests of the signature, one for each member."),
    File(f"{_SPLIT}/explanation/maps.npy", "float32, test patients × cells × cells: maps of the network's evidence, 0 to 1, on the grid of the layer."),
    File(f"{_SPLIT}/explanation/randomized.npy", "float32, steps × test patients × cells × cells: maps of the first member's network, as it is and with random weights."),
    File(f"{_SPLIT}/explanation/compared.npz", "What maps are compared with: arrays `positions` of some test patients, their maps by `method/{{method}}`, areas of `deletion` and `insertion` (map, then moved maps), and the maps of all test patients by `members`."),
    File("explanation/{design}/pictures/", "One picture of the map per test patient, in a folder per split."),
    *deployment.FILES,
    File("exchange/{center}.json", "Exchange file: what may leave a center instead of its data (`docs/exchange.schema.json`)."),
    File("exchange/{center}.html", "Everything in the exchange file, as a page for those who decide whether it may leave."),
    File("provenance.json", "Contract version, code, config, versions, seeds, hashes of the inputs, SLURM job numbers."),
    File("report/pooled.html", "Exchange files that were pooled without data (`make pool`): one page."),
    File("report/report.html", "The report: one page without patients that works without an internet connection."),
    File("report/methods.md", "The methods section with references, to be copied into a manuscript."),
    File("crate/", "Workflow Run RO-Crate: aggregate results, workflow, machine, time and memory of every job."),
    File("splits/{design}/{split}/refits/{job}.npz", "Predictions of the models fitted again to bootstrap samples, by `snakemake stability`: arrays `draw`, `probability/{model}`, `threshold/{model}`, `selected/{member}`, and `members/{model}` of the fit to the training set itself."),
    File("splits/{design}/{split}/retrained/", "One folder for each training of the networks with another seed (`stability.network_seeds`): histories, embeddings, log-odds and, as in `refits/`, predictions of the models fitted to them. Weights are deleted."),
    File("logs/", "One log per job."),
    File("benchmarks/", "Time and memory of every job."),
)  # fmt: skip

PRIVATE_FILES = (
    File("{center}/check.html", "The check page for the center itself: identifiers, files, contact sheet.", private=True),
    File("report-internal.html", "The report with Grad-CAM pictures, pseudonyms, outcomes and probabilities of patients.", private=True),
    File("{center}/files.json", "Which patient each DICOM file belongs to.", private=True),
    File("{center}/index/", "Index of the headers that were already read.", private=True),
    File("{center}/understanding.json", "What was understood of the center's table, column by column: `Understanding` in `contract/documents.py`.", private=True),
    File("{center}/ledger.txt", "Pseudonyms in the order in which patients joined the study.", private=True),
    File("{center}/jobs/{job}", "Hash of everything that a standardization job was computed from.", private=True),
    File("key-fingerprint.txt", "Identifies the key of the pseudonyms, without revealing it.", private=True),
    File("model/", "A verified copy of the locked model that is applied.", private=True),
    File("looks.jsonl", "Append-only log of the evaluations of locked models; each line has the hash of the one before.", private=True),
    File("frozen.jsonl", "Append-only ledger of the first prediction of every prospective patient; each line has the hash of the one before.", private=True),
    File("{center}/prospective/sheets/", "A one-page sheet of every patient of a prospective center, as HTML and PDF.", private=True),
    File("{center}/prospective/dicom/", "The same as DICOM objects, a structured report and a picture for each patient.", private=True),
    File("training/", "State of unfinished trainings.", private=True),
)  # fmt: skip

TABLES: tuple[Table, ...] = (
    *cohort.TABLES,
    *splits.TABLES,
    *evaluation.TABLES,
    *deployment.TABLES,
    *deployment.OF_APPLICATION,
    *updating.TABLES,
    *controls.TABLES,
    *stability.TABLES,
    *learning_curve.TABLES,
    *explanation.TABLES,
)
