"""docs/output.md, written from the declarations: ``python -m thyrocast.contract.documentation``."""

from collections.abc import Iterable, Iterator

from thyrocast.contract import files
from thyrocast.contract.table import Column, File, Kind, Table

_HEAD = """# What a run writes

<!-- Generated from workflow/lib/thyrocast/contract/ by `make output-docs`; a test checks that it is up to date. -->

Contract version {version}. Results are in `results/<study>/`. Nothing there identifies a patient: pseudonyms are
keyed hashes, dates are intervals. File names, identifiers and dates stay in `.thyrocast/<study>/` (readable only
by its owner); keep this folder with the data.

Tables are comma-separated UTF-8. An empty cell is a missing value. A flag is 1 or 0. Text that a spreadsheet
program would run as a formula begins with an apostrophe. Each table of `evaluation/` is also written for each
design, in `evaluation/<design>/`.
"""
_KINDS = {Kind.TEXT: "text", Kind.INTEGER: "integer", Kind.NUMBER: "number", Kind.FLAG: "flag"}


def document() -> str:
    """Return the text of docs/output.md."""
    public = [table for table in files.TABLES if not table.private]
    private = [table for table in files.TABLES if table.private]
    parts = [
        _HEAD.format(version=files.VERSION),
        "## Files\n",
        *_listed([*public, *files.FILES]),
        "\n## Private files\n\nIn `.thyrocast/<study>/`.\n",
        *_listed([*private, *files.PRIVATE_FILES]),
        "\n## Columns\n",
        *(line for table in [*public, *private] for line in _table(table)),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _listed(entries: Iterable[Table | File]) -> Iterator[str]:
    yield "| file | content |"
    yield "| --- | --- |"
    for entry in sorted(entries, key=lambda entry: entry.path):
        yield f"| `{entry.path}` | {entry.meaning} |"


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.path}\n"
    key = f" One row per {', '.join(f'`{name}`' for name in table.key)}." if table.key else ""
    yield f"{table.meaning}{key}\n"
    yield "| column | type | unit | meaning |"
    yield "| --- | --- | --- | --- |"
    yield from (_column(column) for column in table.columns)
    yield ""


def _column(column: Column) -> str:
    kind = _KINDS[column.kind] + (", may be missing" if column.missing else "")
    values = f" {', '.join(f'`{value}`' for value in column.allowed)}." if column.allowed else ""
    return f"| `{column.name}` | {kind} | {column.unit} | {column.meaning}{values} |"


if __name__ == "__main__":
    print(document(), end="")
