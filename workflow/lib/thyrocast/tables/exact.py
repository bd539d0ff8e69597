"""Text of cells that a workbook stores as a number."""


class Exact(str):
    """Text of a cell that a workbook stores as a number: its point is the decimal mark."""

    __slots__ = ()
