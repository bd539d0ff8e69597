"""Rules that run the entry script of another rule (`use rule ... as ... with`); standard library only."""

from collections.abc import Mapping

#: Entry script of each rule that does not have the name of its script.
SCRIPTS: Mapping[str, str] = {
    "retrain_network": "train_network",
    "embed_retrained": "extract_embeddings",
    "refit_retrained": "refit_models",
    "train_permuted": "train_network",
    "embed_permuted": "extract_embeddings",
    "train_on_part": "train_network",
    "embed_part": "extract_embeddings",
}


def script_of(rule: str) -> str:
    """Return the name of the entry script that a rule runs."""
    return SCRIPTS.get(rule, rule)


def rules_of(script: str) -> list[str]:
    """Return the names of all rules that run an entry script, its own first."""
    return [script, *(rule for rule, other in SCRIPTS.items() if other == script)]
