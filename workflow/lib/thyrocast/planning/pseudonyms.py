"""The key of a study's pseudonyms: one key from the first run to the last, for every user.

With another key, every patient would have another pseudonym, and nothing of the study would match.
Standard library only: every job imports this while parsing.
"""

from pathlib import Path

from thyrocast import fileio, identity
from thyrocast.config.study import StudyConfig
from thyrocast.errors import InputError

# Keys of new studies, by file, until their first run starts: a dry run writes no key.
_NEW: dict[Path, bytes] = {}


def _file(study: StudyConfig) -> Path:
    return Path(study.pseudonym_key).expanduser()


def fingerprint_file(study: StudyConfig) -> Path:
    """Return the file with the fingerprint of the key with which the study was started."""
    return Path(fileio.PRIVATE) / study.study / "key-fingerprint.txt"


def key(study: StudyConfig) -> bytes:
    """Return the study's key.

    Raises
    ------
    InputError
        If there is none that can be read.
    """
    return _NEW.get(_file(study)) or identity.read_key(study.pseudonym_key)


def check(study: StudyConfig, main: bool) -> None:
    """Stop if the key is not the one with which the study was started.

    Parameters
    ----------
    study
        The study's config.
    main
        Whether this is the process that controls the run: only there, a study that has no key
        gets a new one, which `record` writes.

    Raises
    ------
    InputError
        If the key is another one, missing, too short or not readable.
    """
    file, recorded = _file(study), fingerprint_file(study)
    started = recorded.read_text(encoding="utf-8").strip() if recorded.exists() else ""
    if not file.exists() and not main:
        return  # most jobs do not need the key; those that do say that it is missing
    if not file.exists() and not started:
        _NEW.setdefault(file, identity.new_key())
    advice = (
        f"The results of study {study.study} belong to the key with fingerprint {started}. Put that "
        "key there, or set pseudonym_key to a file that all users and nodes of the study share. "
        f"To start again with another key, delete results/{study.study} and {recorded.parent}"
    )
    if started and not file.exists():
        raise InputError(f"there is no pseudonym key {file}. {advice}")
    found = identity.fingerprint(key(study))
    if started and found != started:
        raise InputError(f"pseudonym key {file} has fingerprint {found}. {advice}")


def record(study: StudyConfig) -> None:
    """Write a new study's key, and the fingerprint of the key that the study uses.

    Raises
    ------
    InputError
        If another process has just written another key, or a group shares the study and could not
        change what this run writes.
    """
    file, recorded = _file(study), fingerprint_file(study)
    if mask := fileio.unshared_by_umask(recorded):
        raise InputError(
            f"a group shares this study (mode of {fileio.PRIVATE}), but with your umask {mask} it could "
            "not change what this run writes: run `umask 002` and start again"
        )
    if file in _NEW:
        identity.write_key(file, _NEW.pop(file))
    if not recorded.exists():
        fileio.private_folder(recorded.parent)
        with fileio.atomic(recorded, mode=fileio.private_mode(recorded)) as temporary:
            temporary.write_text(f"{identity.fingerprint(key(study))}\n", encoding="utf-8")
