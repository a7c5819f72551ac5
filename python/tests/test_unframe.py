"""The un-framing of the real files itself, against the counts of the references; it needs no decoder."""

from pathlib import Path
from typing import Any

import pytest

import unframe
from realdata_index import reference, stream_name, streams


@pytest.mark.parametrize(("entry", "stream"), streams(), ids=stream_name)
def test_every_message_of_a_real_file_is_found(realdata: Path, entry: dict[str, Any], stream: dict[str, Any]) -> None:
    found = unframe.messages(realdata, entry, stream)
    expected = reference(entry, stream)
    assert len(found) == expected["n_messages"]
    assert sum(map(len, found)) == expected["message_bytes"]


def test_a_length_beyond_the_file_is_refused() -> None:
    cut_off = (1000).to_bytes(8, "little") + bytes(4) + b"short"
    with pytest.raises(ValueError, match="ends beyond"):
        list(unframe.FRAMINGS["tfrecord"](cut_off, {}))
