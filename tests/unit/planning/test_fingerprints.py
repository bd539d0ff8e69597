"""An edited module reruns the rules whose scripts import it, and no other."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from thyrocast.planning import fingerprints, imports


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
        fingerprints.forget()
        return fingerprints.code_version("job")

    start = version()
    (package / "other.py").write_text("y = 2\n")
    (package / "log.py").write_text("z = 2\n")
    assert version() == start
    (package / "low.py").write_text("x = 2\n")
    assert version() != start
    fingerprints.forget()


def test_kept_imports_give_the_same_versions_and_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs of a run read what its first process found, by the content of each source file."""
    monkeypatch.chdir(tmp_path)
    fingerprints.forget()
    before = fingerprints.code_versions()
    imports.save()
    fingerprints.forget()
    with monkeypatch.context() as without:
        without.setattr(imports.ast, "parse", lambda source: pytest.fail("it was parsed again"))
        assert fingerprints.code_versions() == before
    fingerprints.forget()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"reader": "', '"reader": "0'),
        lambda text: "[]",
        lambda text: '{"reader": 1}',
    ],
)
def test_damaged_or_foreign_kept_imports_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[str], str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "module.py"
    file.write_text("import os\n")
    imports.forget()
    assert imports.imports(file, "") == ("os",)
    imports.save()
    imports.forget()
    imports.KEPT.write_text(damage(imports.KEPT.read_text()))
    assert imports._kept() == {}
    assert imports.imports(file, "") == ("os",)
    imports.forget()


def test_an_edited_file_is_parsed_again_even_with_its_old_date_and_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "module.py"
    file.write_text("import os\n")
    date = file.stat().st_mtime_ns
    imports.forget()
    assert imports.imports(file, "") == ("os",)
    imports.save()
    imports.forget()
    file.write_text("import re\n")
    os.utime(file, ns=(date, date))
    assert imports.imports(file, "") == ("re",)
    imports.forget()


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
