"""Finding and running a ``protoc``, for texts in an edition, which the built-in compiler does not read."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from wirearray._errors import SchemaError

# Before release 22 the number began with 3.
_FIRST_WITH_EDITIONS = 27

# "file.proto:3:7: text", as protoc prints errors.
_PLACED = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+):(?P<column>\d+): (?P<text>.*)$", re.MULTILINE)


def compile_files(paths: Sequence[Path], include: Sequence[Path]) -> bytes | None:
    """Compile `.proto` files to a ``FileDescriptorSet``; ``None`` where no ``protoc`` is found."""
    command = _command()
    if command is None:
        return None
    paths, include = [Path(path) for path in paths], [Path(path) for path in include]
    # protoc wants every file to lie in an import directory; one that does not brings its own.
    own = [path.parent for path in paths if not any(_lies_in(path, directory) for directory in include)]
    directories = [*include, *own, *_bundled()]
    names = [_as_argument(path if path.exists() else _found(path, include)) for path in paths]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "descriptors.binpb"
        arguments = [f"-I{directory}" for directory in dict.fromkeys(directories)]
        arguments += ["--include_imports", f"--descriptor_set_out={output}", *names]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise _schema_error(done.stderr, directories)
        return output.read_bytes()


def compile_source(name: str, text: str, include: Sequence[Path]) -> bytes | None:
    """Compile `.proto` text to a ``FileDescriptorSet``; ``None`` where no ``protoc`` is found."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        return compile_files([path], [Path(folder), *include])


def _command() -> list[str] | None:
    found = _own_protoc()
    if found is not None:
        return [found]
    if importlib.util.find_spec("grpc_tools") is not None:
        return [sys.executable, "-m", "grpc_tools.protoc"]
    return None


def _own_protoc() -> str | None:
    """The ``protoc`` on the path, unless it is too old to read editions, as the one of Debian 12 is."""
    found = shutil.which("protoc")
    if found is None:
        return None
    shown = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"(\d+)\.", shown)
    return found if version is not None and int(version[1]) >= _FIRST_WITH_EDITIONS else None


def _bundled() -> list[Path]:
    """The directory of the well-known types that ``grpc_tools`` brings; ``protoc`` knows where its own are."""
    spec = importlib.util.find_spec("grpc_tools")
    if spec is None or spec.origin is None or _own_protoc() is not None:
        return []
    return [Path(spec.origin).parent / "_proto"]


def _found(path: Path, include: Sequence[Path]) -> Path:
    candidates = (directory / path for directory in include)
    return next((candidate for candidate in candidates if candidate.exists()), path)


def _as_argument(path: Path) -> str:
    """A file's name that protoc cannot take for an option or for a file of options."""
    name = str(path)
    return f"./{name}" if name.startswith(("-", "@")) else name


def _lies_in(path: Path, directory: Path) -> bool:
    return path.resolve().is_relative_to(directory.resolve()) or (directory / path).exists()


def _schema_error(text: str, directories: Sequence[Path]) -> SchemaError:
    """What protoc says, with files named as imports name them."""
    for directory in directories:
        text = text.replace(f"{directory}/", "")
    placed = _PLACED.search(text)
    if placed is None:
        return SchemaError(f"protoc: {text.strip()}")
    line, column = int(placed["line"]), int(placed["column"])
    return SchemaError(placed[0], placed["file"], line, column)
