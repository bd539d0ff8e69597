"""Installation is never silent, shows pip's errors in full and accepts only what was locked."""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "requirements" / "install.py"


@pytest.fixture(scope="module")
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_progress_is_reported_while_pip_works(
    install: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "package.py").write_bytes(b"x" * 60_000_000)
    work = "import os, time; print('many lines'); "
    work += "open(os.environ['TMPDIR'] + '/wheel', 'wb').write(b'x' * 70_000_000); time.sleep(0.7)"
    assert install.run([sys.executable, "-c", work], tmp_path, interval=0.2) == 0
    *progress, last = capsys.readouterr().out.splitlines()
    assert progress[-1].endswith(" s: 0.1 GB downloaded, 0.1 GB unpacked")
    assert last.startswith("  done in ")


def install_lock(folder: Path, lock: str) -> subprocess.CompletedProcess[str]:
    """Install a lock from the wheels in a folder, into its subfolder `installed`."""
    (folder / "install.py").write_text(SCRIPT.read_text())
    (folder / "lock.txt").write_text(lock)
    variables = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}
    return subprocess.run(
        [sys.executable, str(folder / "install.py"), "lock", "a package"],
        env=os.environ | variables | {"PIP_TARGET": str(folder / "installed")},
        capture_output=True,
        text=True,
    )


def test_an_error_of_pip_is_shown_in_full(tmp_path: Path) -> None:
    (tmp_path / "install.py").write_text(SCRIPT.read_text())
    done = install_lock(tmp_path, f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n")
    assert done.returncode != 0
    first = done.stdout.splitlines()[0]
    assert first == "Installing a package (1 packages of requirements/lock.txt)"
    assert "No matching distribution found for no-such-package==1.0" in done.stderr


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A package of one module."""
    file = tmp_path / "scinti-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("scinti.py", "")
        metadata = "Metadata-Version: 2.1\nName: scinti\nVersion: 1.0\n"
        archive.writestr("scinti-1.0.dist-info/METADATA", metadata)
        archive.writestr("scinti-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("scinti-1.0.dist-info/RECORD", "")
    return file


def test_only_the_file_that_was_locked_is_installed(wheel: Path) -> None:
    """An index may offer another file under the same name and version; an unlocked one has no hash."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for line, fault in (
        (f"scinti==1.0 --hash=sha256:{'0' * 64}\n", "DO NOT MATCH THE HASHES"),
        ("scinti==1.0\n", "Hashes are required in --require-hashes mode"),
    ):
        done = install_lock(wheel.parent, line)
        assert done.returncode != 0
        assert fault in done.stderr
        assert not (wheel.parent / "installed" / "scinti.py").exists()
    done = install_lock(wheel.parent, f"scinti==1.0 \\\n    --hash=sha256:{digest}\n")
    assert done.returncode == 0, done.stderr
    assert (wheel.parent / "installed" / "scinti.py").exists()


@pytest.mark.parametrize("name", ["launcher", "local", "onnx", "dev"])
def test_every_locked_package_has_hashes_and_no_lock_names_an_index(name: str) -> None:
    lock = (ROOT / "requirements" / f"{name}.txt").read_text()
    packages = [part for part in re.split(r"^(?=\w)", lock, flags=re.MULTILINE) if "==" in part]
    assert len(packages) > 60
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}\n", package) for package in packages)
    assert not re.search(r"://|--index|--find", lock)


def test_each_lock_is_part_of_the_larger_one() -> None:
    """Otherwise an environment would change when another one is installed into it."""
    pins = {
        name: set(
            re.findall(r"^\w\S*==\S+", (ROOT / "requirements" / f"{name}.txt").read_text(), re.M)
        )
        for name in ("launcher", "local", "onnx", "dev")
    }
    assert pins["launcher"] < pins["local"] < pins["onnx"] < pins["dev"]
