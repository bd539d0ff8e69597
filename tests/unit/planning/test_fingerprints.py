"""An edited module reruns the rules whose scripts import it, and no other."""

import subprocess
from pathlib import Path

import pytest

from thyrocast.planning import fingerprints


def test_code_version_follows_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "thyrocast"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "low.py").write_text("x = 1\n")
    (package / "middle.py").write_text("def f():\n    from thyrocast import low\n")
    (package / "other.py").write_text("y = 1\n")
    (package / "log.py").write_text("z = 1\n")
    (tmp_path / "job.py").write_text("from thyrocast import log, middle\n")
    for name in ("WORKFLOW", "SCRIPTS", "LIBRARY"):
        monkeypatch.setattr(fingerprints, name, tmp_path)

    def version() -> str:
        fingerprints.code_version.cache_clear()
        return fingerprints.code_version("job")

    start = version()
    (package / "other.py").write_text("y = 2\n")
    (package / "log.py").write_text("z = 2\n")
    assert version() == start
    (package / "low.py").write_text("x = 2\n")
    assert version() != start
    fingerprints.code_version.cache_clear()


def test_the_commit_is_none_of_a_repository_around_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hospital keeps its study in git and the code below it, ignored."""
    workflow = tmp_path / "code" / "workflow"
    workflow.mkdir(parents=True)
    (workflow / "Snakefile").touch()
    (tmp_path / "note").touch()
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    monkeypatch.setattr(fingerprints, "WORKFLOW", workflow)
    assert fingerprints.commit() == ""
    for step in (["init", "-q"], ["add", "note"], ["commit", "-qm", "note"]):
        subprocess.run([*git, *step], check=True)
    assert fingerprints.commit() == ""
    for step in (["add", "code"], ["commit", "-qm", "code"]):
        subprocess.run([*git, *step], check=True)
    assert len(fingerprints.commit()) == 12
    (workflow / "Snakefile").write_text("edited")
    assert fingerprints.commit().endswith("+")
