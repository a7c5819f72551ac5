"""What `bench/` says about speed follows from its records. No time is measured here."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
FOUNDING = "2 series, unpacked doubles"


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("verdicts")


def test_the_section_on_speed_is_what_its_record_gives() -> None:
    command = [sys.executable, str(BENCH / "speed_section.py"), "--check"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_ratio_is_held_against_its_limit_whichever_way_that_points(verdicts: ModuleType) -> None:
    """The founding case may take 1.2 copies, and has to be 20 times faster than the official package."""
    found = _judge_founding(verdicts, {"wirearray": 1.5, "copy": 1.0, "protobuf": 60.0})
    assert found["wirearray / copy"].best == 1.5
    assert not found["wirearray / copy"].met
    assert found["wirearray / copy"].share == pytest.approx(1.25)
    assert found["protobuf / wirearray"].best == 40
    assert found["protobuf / wirearray"].met
    assert found["protobuf / wirearray"].share == pytest.approx(0.5)


def test_what_was_not_measured_is_neither_met_nor_missed(verdicts: ModuleType) -> None:
    found = _judge_founding(verdicts, {"wirearray": 1.0, "copy": 1.0})
    assert found["wirearray / copy"].met
    assert found["protobuf / wirearray"].met is None
    assert found["protobuf / wirearray"].outcome == "protobuf was not measured"


def test_every_record_is_complete_enough_to_be_judged(verdicts: ModuleType) -> None:
    records = sorted((BENCH / "results").glob("*.json"))
    assert records, "bench/results has no records"
    for path in records:
        found = verdicts.judge(json.loads(path.read_text(encoding="utf-8")))
        assert any(verdict.best for verdict in found), path.name
        assert path.with_suffix(".png").is_file(), f"{path.name} has no chart"


def _judge_founding(verdicts: ModuleType, seconds: dict[str, float]) -> dict[str, object]:
    times = {way: {"min": time, "median": time} for way, time in seconds.items()}
    record = {"decoding": [{"name": FOUNDING, "seconds": times}]}
    return {verdict.limits.ratio: verdict for verdict in verdicts.judge(record) if verdict.case == FOUNDING}
