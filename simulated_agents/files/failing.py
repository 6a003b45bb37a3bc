"""How the real agent words what the operating system refused."""

from os import PathLike, fspath

from simulated_agents.worker import WorkError


def refused(operation: str, path: str | PathLike[str], error: OSError) -> str:
    """Return an error as Go words it: `open /x: permission denied`."""
    reason = (error.strerror or str(error)).lower()
    return f"{operation} {fspath(path)}: {reason}"


def failed(doing: str, operation: str, path: str | PathLike[str], error: OSError) -> WorkError:
    """Return the failure of some work for a reason of the operating system's."""
    text = refused(operation, path, error)
    return WorkError(f"{doing}: {text}" if doing else text)
