"""Physical constants that several subpackages need."""

#: Half-life of technetium-99m, min: 6.007 h, rounded from the 6.0067 h of the Decay Data Evaluation
#: Project (Laboratoire National Henri Becquerel, table of Tc-99m).
TC99M_HALF_LIFE_MIN = 360.42


def tc99m_left(minutes: float) -> float:
    """Return the fraction of technetium-99m that remains after this many minutes."""
    return float(2.0 ** (-minutes / TC99M_HALF_LIFE_MIN))
