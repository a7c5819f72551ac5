"""The list of Rust crates that is installed with the package, which says what the module is made of."""

import json
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from conftest import REPOSITORY


@pytest.fixture(scope="module")
def crates() -> dict[tuple[str, str], dict[str, Any]]:
    """What the list says of each crate, by name and version."""
    files = metadata.files("wirearray") or []
    (found,) = [file for file in files if file.parent.name == "sboms" and file.parent.parent.suffix == ".dist-info"]
    listed = json.loads(found.read_text())
    assert (listed["bomFormat"], listed["metadata"]["component"]["name"]) == ("CycloneDX", "wirearray-python")
    return {(crate["name"], crate["version"]): crate for crate in listed["components"]}


def read_toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


def test_each_crate_is_listed_as_it_is_locked(crates: dict[tuple[str, str], dict[str, Any]]) -> None:
    locked = {(each["name"], each["version"]): each for each in read_toml(REPOSITORY / "Cargo.lock")["package"]}
    assert crates.keys() <= locked.keys()
    for name, crate in crates.items():
        hashes = [each["content"] for each in crate.get("hashes", []) if each["alg"] == "SHA-256"]
        assert hashes == ([locked[name]["checksum"]] if "checksum" in locked[name] else []), name


@pytest.mark.parametrize("manifest", ["crates/wirearray/Cargo.toml", "python/Cargo.toml"])
def test_all_that_the_module_is_built_upon_is_listed(
    manifest: str, crates: dict[tuple[str, str], dict[str, Any]]
) -> None:
    required = {name for (name, _), crate in crates.items() if crate["scope"] == "required"}
    assert read_toml(REPOSITORY / manifest)["dependencies"].keys() <= required
    # Those that they are built upon in turn, and the C library among them.
    assert {"zlib-rs", "zstd-sys", "prost-reflect", "pyo3-ffi"} <= required
