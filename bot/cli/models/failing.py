"""What ends a command of `easel models`."""


class ModelsFailed(Exception):
    """The command failed; the text is one sentence about what happened and what to do."""
