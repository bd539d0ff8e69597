"""What is raised for a fault of the user's input."""


class InputError(ValueError):
    """Something that a user gave is wrong; the message is one sentence that says where and what to do."""
