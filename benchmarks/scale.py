"""Cost of the workflow for 10,000 patients in 20 centers: planning, overhead, memory.

    make bench-scale
    python benchmarks/scale.py --patients 2000 --centers 4 --folder /tmp/scale

Tables, DICOM headers and registration are real; images are small (64 x 64), so that most of the
cost is that of the workflow itself. Writes scale.json into the folder and prints which
limits are met.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

COLUMNS = {
    "patient": "id",
    "sex": "sex",
    "age": "age",
    "gland_mass": "mass",
    "uptake_24h": "uptake",
    "activity": "i131",
    "therapy_date": "therapy",
    "outcome": "result",
}


def center_blocks(names: list[str], patients: int) -> dict[str, Any]:
    """The simulation's config of some centers."""
    return {
        name: {
            "patients": patients,
            "camera": {"manufacturer": "Simulated", "model": "S", "matrix": 64, "pixel_mm": 4.4},
            "header": {"identifier": f"{name[-3:]}-{{number}}"},
            "table": {
                "file": "clinical.csv",
                "identifier": f"{name[-3:]}-{{number}}",
                "columns": COLUMNS,
                "outcome": {"cured": [1], "not_cured": [0]},
            },
        }
        for name in names
    }


def simulate(task: tuple[str, int, str]) -> None:
    """Simulate one center, unless its files exist already."""
    name, patients, folder = task
    home = Path(folder) / "data" / name
    if (home / "clinical.csv").exists():
        return
    from thyrocast.config.reading import read_simulation
    from thyrocast.simulation import center

    config = read_simulation(
        {"cohort": "scale", "seed": 1, "centers": center_blocks([name], patients)}
    ).plain()
    truth = Path(folder) / "truth" / f"{name}.csv"
    truth.parent.mkdir(parents=True, exist_ok=True)
    center.simulate(name, config["centers"][name], config["outcome"], 1, home, truth)


def write_config(folder: Path, names: list[str], per_job: int) -> None:
    """The study's config: the simulated centers, one in five of them external."""
    config = {
        "study": "scale",
        "folds": 2,
        "patients_per_job": per_job,
        # 10,000 people share birth dates; that they are different people is known here
        "cohort": {"duplicates": "keep"},
        "pseudonym_key": str(folder / "key"),
        "image": {"size": 32},
        "network": {"threads": 1},
        "centers": [
            {
                "name": name,
                "role": "external" if number % 5 == 4 else "development",
                "dicom": f"data/{name}/dicom",
                "clinical": f"data/{name}/clinical.csv",
                "columns": COLUMNS,
                "outcome": {"rule": "given", "cured": [1], "not_cured": [0]},
            }
            for number, name in enumerate(names)
        ],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def snakemake(folder: Path, cores: int, *words: str) -> tuple[str, float, float]:
    """Run Snakemake; return its output, its wall time and its CPU time (children included), in s."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile")]
    command += ["--workflow-profile=none", "--configfile", "config.yaml", f"--cores={cores}"]
    done = subprocess.run(
        [*command, *words],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = done.stdout + done.stderr
    if done.returncode:
        raise SystemExit(output[-4000:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return output, wall, cpu


def planned(output: str) -> dict[str, int]:
    """Number of jobs by rule in the output of a dry run."""
    table = output.split("count", 1)[-1].split("total", 1)[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


def work(folder: Path, name: str, patients: int) -> float:
    """CPU time of one center's registration and standardization without any workflow, in s."""
    script = f"""
import sys, time
sys.path.insert(0, {str(ROOT / "workflow" / "lib")!r})
from pathlib import Path
from thyrocast import identity
from thyrocast.cohort import registration as cohort
from thyrocast.contract import io
from thyrocast.contract.cohort import SCANS
from thyrocast.image import standardize
from thyrocast.config.reading import read_file, read_study
config = read_study(read_file("config.yaml"))
center = config.center({name!r})
here = Path("direct"); here.mkdir(exist_ok=True)
start = time.process_time()
found = cohort.register_center(
    center, config.cohort, identity.read_key(config.pseudonym_key), here / "index", 1)
cohort.write(found, here / "register.csv", here / "scans.csv", here / "outcomes.csv")
patients = found.register["patient"].tolist()
results = standardize.standardize_job(
    patients, io.read(SCANS, here / "scans.csv"), Path(center.dicom), center, config.image)
standardize.write_job(results, config.image.size, here / "i.npz", here / "r.csv")
print(time.process_time() - start)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return float(done.stdout.split()[-1]) / patients


def peak_memory(folder: Path) -> dict[str, float]:
    """Largest resident memory of each rule's jobs in MB, from Snakemake's benchmarks."""
    found: dict[str, float] = {}
    for file in (folder / "results/scale/benchmarks").rglob("*.tsv"):
        rule = file.relative_to(folder / "results/scale/benchmarks").parts[0].removesuffix(".tsv")
        header, *rows = [line.split("\t") for line in file.read_text().splitlines()]
        for row in rows:
            value = dict(zip(header, row, strict=True))["max_rss"]
            if value != "-":
                found[rule] = max(found.get(rule, 0.0), float(value))
    return found


def main() -> None:
    """Simulate, run, measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--centers", type=int, default=20)
    parser.add_argument("--per-job", type=int, default=250, help="patients per standardization job")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, default=ROOT / ".cache" / "scale")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    each = options.patients // options.centers
    # the last one joins later
    names = [f"center{number:03d}" for number in range(1, options.centers + 2)]
    start = time.perf_counter()
    with Pool(options.cores) as pool:
        pool.map(simulate, [(name, each, str(folder)) for name in names], chunksize=1)
    print(f"simulated {each * len(names)} patients in {time.perf_counter() - start:.0f} s")
    for stale in ("results", ".thyrocast", ".snakemake", "key", "direct"):
        subprocess.run(["rm", "-rf", str(folder / stale)], check=True)

    found: dict[str, Any] = {"patients": each * options.centers, "centers": options.centers}
    write_config(folder, names[:-1], options.per_job)
    output, wall, _ = snakemake(folder, 1, "--dry-run", "--quiet", "rules")
    found["dry_run_s"] = round(wall, 1)
    found["jobs"] = sum(planned(output).values())

    target = "results/scale/cohort/flow.json"
    _, wall, cpu = snakemake(folder, options.cores, "--quiet", "all", "--", target)
    found["register_standardize_assemble_s"] = round(wall, 1)
    direct = work(folder, names[0], each)
    found["work_ms_per_patient"] = round(1000 * direct, 2)
    found["overhead_ms_per_patient"] = round(1000 * (cpu / (each * options.centers) - direct), 2)
    found["memory_mb"] = peak_memory(folder)

    output, wall, _ = snakemake(folder, 1, "--dry-run", "--quiet", "rules", "--", target)
    found["dry_run_of_a_finished_cohort_s"] = round(wall, 1)
    write_config(folder, names, options.per_job)
    output, wall, _ = snakemake(folder, 1, "--dry-run", "--quiet", "rules", "--", target)
    found["new_center_dry_run_s"] = round(wall, 1)
    found["new_center_jobs"] = planned(output)

    (folder / "scale.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
    wanted = {
        "dry run under 20 s": found["dry_run_s"] < 20,
        "a new center plans in under 20 s": found["new_center_dry_run_s"] < 20,
        "at most 10 ms of overhead a patient": found["overhead_ms_per_patient"] <= 10,
        "a new center runs only its own jobs": found["new_center_jobs"].get("register_center") == 1
        and found["new_center_jobs"].get("standardize_images") == -(-each // options.per_job),
    }
    for what, holds in wanted.items():
        print(f"{'met' if holds else 'NOT MET'}: {what}")
    sys.exit(not all(wanted.values()))


if __name__ == "__main__":
    main()
