"""Installation is never silent for long, and shows pip's errors in full."""

import importlib.util
import os
import subprocess
import sys
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


def test_an_error_of_pip_is_shown_in_full(tmp_path: Path) -> None:
    (tmp_path / "install.py").write_text(SCRIPT.read_text())
    (tmp_path / "lock.txt").write_text("no-such-package==1.0\n")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "install.py"), "lock", "a package"],
        env=os.environ | {"PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    first = done.stdout.splitlines()[0]
    assert first == "Installing a package (1 packages of requirements/lock.txt)"
    assert "No matching distribution found for no-such-package==1.0" in done.stderr
