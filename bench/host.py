"""The machine and the packages that a measurement was made with: a time without them means nothing."""

import hashlib
import importlib.metadata
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import wirearray as wa
from wirearray import _core

PACKAGES = ("wirearray", "protobuf", "ptars", "pyarrow", "numpy")


def describe() -> dict[str, Any]:
    """Everything a reader needs to judge a result."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name)) is not None},
    }


def build() -> str:
    """Tells one build of the extension from another: a checkout's may be replaced while cases run."""
    return hashlib.sha256(Path(_core.__file__).read_bytes()).hexdigest()[:16]


def is_build_for_tests() -> bool:
    """True where checks are on, so that times say nothing."""
    return hasattr(wa.MessageType, "_decode_reference")


def cpu() -> str:
    """The processor's name; where it hides its model, family and model numbers tell generations apart."""
    facts = _cpu_facts()
    name = facts.get("model name") or platform.processor() or platform.machine()
    if re.search(r"\d", name) or "cpu family" not in facts:
        return name
    return f"{name} (family {facts['cpu family']}, model {facts['model']})"


def cpu_slug() -> str:
    """The processor's name as a file name."""
    return re.sub(r"[^a-z0-9]+", "-", cpu().lower()).strip("-")


def _cpu_facts() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return {}
    first = path.read_text().split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
