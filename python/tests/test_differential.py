"""Some thousand cases of `make differential`, which runs as many as one likes."""

import subprocess
import sys
from pathlib import Path


def test_random_and_damaged_messages_are_read_as_the_official_package_reads_them() -> None:
    arguments = ["-m", "differential", "--seed", "11", "--cases", "6000", "--processes", "1"]
    folder = Path(__file__).parent
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6,000 cases" in done.stdout and "differences: none" in done.stdout
