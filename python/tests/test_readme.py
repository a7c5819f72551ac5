"""The README's Python lines, typed in as they stand."""

import re
from pathlib import Path

import numpy as np
import pytest

README = Path(__file__).resolve().parents[2] / "README.md"
FIELDS = "repeated double times = 1; repeated double values = 2;"
TIMESERIES = f'syntax = "proto2"; package timeseries; message TimeSeries {{ {FIELDS} }}'


def test_the_lines_of_the_readme_run_as_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("timeseries.proto").write_text(TIMESERIES)
    times, values = np.arange(5.0), np.arange(5.0) ** 2
    Path("ts.bin").write_bytes(_unpacked(1, times) + _unpacked(2, values))
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks, "the README shows no Python"
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(README), "exec"), names)
    assert np.array_equal(names["t"], times)
    assert np.array_equal(names["v"], values)


def _unpacked(number: int, values: np.ndarray) -> bytes:
    """A repeated double as proto2 writes it: a tag before each value."""
    records = np.zeros(len(values), dtype=[("tag", "u1"), ("value", "<f8")])
    records["tag"], records["value"] = number << 3 | 1, values
    return records.tobytes()
