"""The examples of docs/arrow.md, typed in as they stand."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "arrow.md"


def test_the_examples_run_as_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    blocks = list(re.finditer(r"```python\n(.*?)```", page, re.DOTALL))
    assert len(blocks) >= 8
    names: dict[str, object] = {}
    for block in blocks:
        # An error is reported at its line of the page.
        lines = page[: block.start(1)].count("\n")
        exec(compile("\n" * lines + block[1], str(PAGE), "exec"), names)
