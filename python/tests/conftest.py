"""What every test may ask for: the shared test material beside the repository, and nothing hidden when it is absent."""

import signal
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Ctrl-C is heard also where the tests run in the background, whose jobs begin deaf to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def shared_folder(name: str) -> Path:
    """The folder `../shared/name`, or a skipped test that says which folder it missed."""
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"the shared test material is not here: no folder ../shared/{name} beside the repository")
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared test material."""
    return shared_folder("")


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Files that real programs wrote, with schemas and references."""
    return shared_folder("realdata")


@pytest.fixture(scope="session")
def conformance() -> Path:
    """The official conformance corpus and the adversarial cases."""
    return shared_folder("conformance")
