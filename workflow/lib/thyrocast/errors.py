"""The error that is raised for wrong input from the user."""


class InputError(ValueError):
    """Wrong input from the user; the message is one sentence that says where and what to do."""
