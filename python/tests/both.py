"""One schema for both packages, so that what wirearray writes can be held against what the official package writes."""

import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import wirearray as wa
from google.protobuf.message import Message

import official


@dataclass(frozen=True)
class Both:
    """A message type of wirearray, and the official package's class of the same messages."""

    ours: wa.MessageType
    theirs: type[Message]

    def written(self, *args: Any, **fields: Any) -> bytes:
        """The bytes that the official package writes for these values."""
        return self.theirs(*args, **fields).SerializeToString(deterministic=True)

    def read(self, data: bytes) -> Message:
        """The message that the official package reads."""
        return self.theirs.FromString(data)


class BothSchemas:
    """The message types of a `.proto` text, which the official compiler reads."""

    def __init__(self, text: str) -> None:
        descriptor_set = compiled(text)
        self.schema = wa.Schema.from_descriptor_set(descriptor_set)
        self.pool = official.pool_of(descriptor_set)

    def __getitem__(self, name: str) -> Both:
        return Both(self.schema[name], official.message_class(self.pool, name))


def compiled(text: str) -> bytes:
    """The descriptor set of a `.proto` text and of what it imports."""
    protoc = pytest.importorskip("grpc_tools.protoc")
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "test.proto", Path(folder) / "test.binpb"
        source.write_text(text, encoding="utf-8")
        well_known = resources.files("grpc_tools") / "_proto"
        arguments = [f"-I{folder}", f"-I{well_known}", "--include_imports", f"--descriptor_set_out={output}"]
        assert protoc.main(["protoc", *arguments, str(source)]) == 0
        return output.read_bytes()
