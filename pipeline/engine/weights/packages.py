"""Packages that read or keep weights in fewer bits. Each is an extra of its own, since few owners need one."""

from importlib.util import find_spec

from pipeline.engine.failures import ModelUnavailable


def need_package(package: str, what: str) -> None:
    """Check that the package of an extra is installed.

    Args:
        package: name of the package, which is that of its extra.
        what: begin of the sentence that tells what needs it.

    Raises:
        ModelUnavailable: it is not installed.
    """
    if find_spec(package) is None:
        raise ModelUnavailable(
            f"{what} needs the package {package}, which is not installed; install it with `uv sync --extra {package}`."
        )
