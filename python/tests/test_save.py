"""Files are written whole or not at all: what was there stays until all of the new file is, whatever goes wrong."""

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa

SOURCE = """
syntax = "proto3";
message Series {
  string name = 1; repeated double values = 2; repeated sint64 steps = 3;
  repeated sint64 slow = 4 [packed = false];  // Written one by one, so that there is time to interrupt it.
}
"""
SERIES = wa.Schema.from_source(SOURCE)["Series"]
OLD = {"name": "old", "values": np.arange(5.0)}
NEW = {"name": "new", "values": np.arange(100.0)}
MEBIBYTE = 2**20

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="the system has other signals")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a message in it, alone in its folder."""
    path = tmp_path / "series.bin"
    SERIES.save(path, OLD)
    return path


def assert_alone(path: Path, message: dict[str, Any]) -> None:
    """The file holds the message, and nothing was left beside it."""
    assert path.read_bytes() == SERIES.encode(message)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


# ---------------------------------------------------------------------------------------------------------------------
# Where it goes


@pytest.mark.parametrize("align", [False, True, 8, 64])
def test_a_file_holds_what_encode_gives(tmp_path: Path, align: Any) -> None:
    for number, message in enumerate(({}, OLD, NEW, {"values": np.zeros(300_000), "steps": np.arange(-9, 200_000)})):
        path = tmp_path / f"{number}.bin"
        assert SERIES.save(path, message, align=align) is None
        assert path.read_bytes() == SERIES.encode(message, align=align)
        record = SERIES.load(path, copy=None)
        assert np.array_equal(record["values"], message.get("values", []))
    assert len(list(tmp_path.iterdir())) == 4


def test_a_path_is_whatever_names_a_file(path: Path) -> None:
    with os.scandir(path.parent) as entries:
        given = [str(path), path, *entries]
    assert len(given) == 3
    for kind in given:
        SERIES.save(path, OLD)
        SERIES.save(kind, NEW)
        assert_alone(path, NEW)


def test_a_path_may_be_relative(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    for given in ("series.bin", "./series.bin", f"../{path.parent.name}/series.bin"):
        SERIES.save(given, NEW)
        assert_alone(path, NEW)
        SERIES.save(given, OLD)


def test_an_old_file_is_replaced(path: Path) -> None:
    SERIES.save(path, NEW)
    assert_alone(path, NEW)
    SERIES.save(path, {})
    assert_alone(path, {})


def test_a_new_file_has_the_mode_of_new_files_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    (plain := tmp_path / "plain").write_bytes(b"")
    SERIES.save(tmp_path / "new", NEW)
    assert (tmp_path / "new").stat().st_mode == plain.stat().st_mode
    for mode in (0o600, 0o640, 0o444):
        plain.chmod(mode)
        SERIES.save(plain, NEW)
        assert stat.S_IMODE(plain.stat().st_mode) == mode


def test_a_link_stays_and_what_it_leads_to_is_replaced(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (second := folder / "second").symlink_to(folder / "first")
    (folder / "first").symlink_to(path)
    SERIES.save(second, NEW)
    assert second.is_symlink() and (folder / "first").is_symlink() and not path.is_symlink()
    assert path.read_bytes() == SERIES.encode(NEW)
    assert {file.name for file in folder.iterdir()} == {"first", "second"}


def test_a_link_that_leads_nowhere_stays_too(tmp_path: Path) -> None:
    (link := tmp_path / "link").symlink_to(tmp_path / "new")
    SERIES.save(link, NEW)
    assert link.is_symlink()
    assert (tmp_path / "new").read_bytes() == SERIES.encode(NEW)


def test_a_file_may_be_replaced_by_what_is_read_from_it(path: Path) -> None:
    SERIES.save(path, NEW, align=64)
    record = SERIES.load(path, copy=None)
    SERIES.save(path, record, align=8)
    SERIES.save(path, {"values": record["values"][::2]})
    assert_alone(path, {"values": NEW["values"][::2]})
    assert record["values"].tolist() == NEW["values"].tolist(), (
        "the file that is shown is still the one that was mapped"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_device_and_a_pipe_are_written_to(tmp_path: Path) -> None:
    SERIES.save("/dev/null", NEW)
    assert not Path("/dev/null").is_file()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    message = {"values": np.arange(100_000.0)}
    SERIES.save(pipe, message)
    reader.join()
    assert found == [SERIES.encode(message)]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


# ---------------------------------------------------------------------------------------------------------------------
# Where it cannot go


def test_a_place_that_is_none_is_refused_as_python_refuses_it(path: Path) -> None:
    folder = path.parent
    places: dict[str | Path, tuple[type[OSError], int]] = {
        folder / "missing" / "series.bin": (FileNotFoundError, errno.ENOENT),
        folder: (IsADirectoryError, errno.EISDIR),
        "/": (IsADirectoryError, errno.EISDIR),
        "": (FileNotFoundError, errno.ENOENT),
        path / "series.bin": (NotADirectoryError, errno.ENOTDIR),
        folder / ("x" * 300): (OSError, errno.ENAMETOOLONG),
    }
    for place, (error, number) in places.items():
        with pytest.raises(error) as refusal:
            SERIES.save(place, NEW)
        assert refusal.value.errno == number, place
        assert refusal.value.filename == str(place)
        assert_alone(path, OLD)
    with pytest.raises((ValueError, OSError), match=r"Invalid argument|null|NUL"):
        SERIES.save("nul \0 inside", NEW)
    for place in (5, None, NEW):
        with pytest.raises(TypeError):
            SERIES.save(place, NEW)


def test_a_folder_that_cannot_be_written_to_is_refused(path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("this is root, who may write everywhere")
    path.parent.chmod(0o555)
    try:
        with pytest.raises(PermissionError) as refusal:
            SERIES.save(path, NEW)
        assert refusal.value.filename == str(path)
        assert_alone(path, OLD)
    finally:
        path.parent.chmod(0o755)


def test_a_message_that_is_wrong_leaves_the_old_file(path: Path) -> None:
    for wrong in (
        {"values": [1, None]},
        {"name": b"\xff"},
        {"nothing": 1},
        5,
        {"values": np.zeros(10), "steps": [0.5]},
    ):
        with pytest.raises((ValueError, TypeError)):
            SERIES.save(path, wrong)
        assert_alone(path, OLD)
        with pytest.raises((ValueError, TypeError)):
            SERIES.save(path.parent / "new.bin", wrong)
        assert_alone(path, OLD)


# ---------------------------------------------------------------------------------------------------------------------
# A full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if mount is None or unmount is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small file system is not permitted here")
    yield folder
    subprocess.run([unmount, str(folder)], check=True)


def test_a_full_disk_leaves_the_old_file(small_disk: Path) -> None:
    path = small_disk / "series.bin"
    SERIES.save(path, OLD)
    for values in (np.zeros(MEBIBYTE), np.zeros(MEBIBYTE // 8)):
        for target in (path, small_disk / "new.bin"):
            with pytest.raises(OSError) as refusal:
                SERIES.save(target, {"values": values})
            assert refusal.value.errno == errno.ENOSPC
            assert refusal.value.filename == str(target)
            assert_alone(path, OLD)
    SERIES.save(path, NEW)
    assert_alone(path, NEW)


def test_a_disk_with_room_for_one_file_keeps_the_old_one(small_disk: Path) -> None:
    """Both exist for a moment, so there has to be room for both."""
    path = small_disk / "series.bin"
    large = {"values": np.arange(80_000.0)}
    SERIES.save(path, large)
    with pytest.raises(OSError) as refusal:
        SERIES.save(path, {"values": np.zeros(80_000)})
    assert refusal.value.errno == errno.ENOSPC
    assert_alone(path, large)


@needs_signals
def test_a_limit_of_file_sizes_leaves_the_old_file(path: Path) -> None:
    result = _run(
        """
        import errno, resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
        try:
            SERIES.save(path, {"values": np.zeros(2**20)})
        except OSError as error:
            print(error.errno == errno.EFBIG, error.filename == path)
        """,
        path,
    )
    assert result.communicate(timeout=60)[0].split() == ["True", "True"]
    assert_alone(path, OLD)


# ---------------------------------------------------------------------------------------------------------------------
# A save that does not end


@needs_signals
def test_a_save_that_is_killed_leaves_one_whole_file(path: Path) -> None:
    """Saves in turn two messages, so that whichever moment it is killed at, the file has to be one of them."""
    program = """
        messages = [{"name": name, "steps": np.full(4_000_000, step)} for name, step in (("a", -1), ("b", 2**40))]
        SERIES.save(path, messages[0])
        print("ready", flush=True)
        while True:
            for message in messages:
                SERIES.save(path, message)
        """
    whole = {"a": -1, "b": 2**40}
    for wait in (0.0, 0.02, 0.1):
        process = _run(program, path)
        assert process.stdout.readline() == "ready\n"
        time.sleep(wait)
        _wait_for_temporary(path)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        record = SERIES.load(path)
        assert np.array_equal(record["steps"], np.full(4_000_000, whole[record["name"]]))
        # What is left beside it, as no one could clear it away, does not stand in the way of the next.
        SERIES.save(path, NEW)
        assert path.read_bytes() == SERIES.encode(NEW)


@needs_signals
def test_a_save_that_is_interrupted_leaves_the_old_file_alone(path: Path) -> None:
    process = _run(
        """
        message = {"slow": np.full(30_000_000, 2**62)}
        print("ready", flush=True)
        try:
            SERIES.save(path, message)
        except KeyboardInterrupt:
            print("interrupted")
        """,
        path,
    )
    assert process.stdout.readline() == "ready\n"
    _wait_for_temporary(path)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0].split() == ["interrupted"]
    assert process.returncode == 0
    assert_alone(path, OLD)


@needs_signals
def test_what_a_signals_handler_raises_comes_out_of_save(path: Path) -> None:
    class Enough(Exception):
        pass

    def handler(number: int, frame: Any) -> None:
        raise Enough

    message = {"slow": np.full(20_000_000, 2**62)}
    before = signal.signal(signal.SIGUSR1, handler)
    waiting = threading.Thread(target=lambda: (_wait_for_temporary(path), os.kill(os.getpid(), signal.SIGUSR1)))
    try:
        waiting.start()
        with pytest.raises(Enough):
            SERIES.save(path, message)
            waiting.join()  # Too late: then the exception comes from here, and the old file is gone.
        assert_alone(path, OLD)
    finally:
        waiting.join()
        signal.signal(signal.SIGUSR1, before)


def test_a_message_that_changes_meanwhile_leaves_the_old_file(path: Path) -> None:
    """A varint that has grown since it was measured would push the rest out of its place."""
    steps = np.zeros(3_000_000, np.int64)
    message = {"steps": steps}
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            steps[:] = 0
            steps[:] = 2**60

    thread = threading.Thread(target=change)
    thread.start()
    outcomes = set()
    end = time.perf_counter() + 1.0
    try:
        while len(outcomes) < 2 and time.perf_counter() < end:
            SERIES.save(path, OLD)
            try:
                SERIES.save(path, message)
            except ValueError as error:
                assert "changed" in str(error)
                outcomes.add("refused")
                assert_alone(path, OLD)
            else:
                outcomes.add("written")
                assert len(SERIES.load(path)["steps"]) == len(steps)
    finally:
        stop.set()
        thread.join()
    assert outcomes


def test_saves_of_many_threads_to_one_place_give_one_of_their_files(path: Path) -> None:
    messages = [{"name": f"{number}", "values": np.full(20_000, float(number))} for number in range(8)]

    def save(message: dict[str, Any]) -> None:
        for _ in range(5):
            SERIES.save(path, message)

    threads = [threading.Thread(target=save, args=(message,)) for message in messages]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        record = SERIES.load(path)
        assert len(set(record["values"].tolist())) == 1 or record["name"] == "old"
    assert_alone(path, messages[int(SERIES.load(path)["name"])])


# ---------------------------------------------------------------------------------------------------------------------


def _run(program: str, path: Path) -> subprocess.Popen[str]:
    """Run a program of its own, with the schema and the path at hand."""
    lines = program.splitlines()
    margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    start = f"import numpy as np, wirearray as wa\npath = {str(path)!r}\n"
    start += f"SERIES = wa.Schema.from_source({SOURCE!r})['Series']\n"
    text = start + "\n".join(line[margin:] for line in lines)
    return subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)


def _wait_for_temporary(path: Path) -> None:
    """Wait until a file beside the path is being written to."""
    end = time.perf_counter() + 30
    while time.perf_counter() < end:
        if any(file.name != path.name for file in path.parent.iterdir()):
            return
        time.sleep(0.0005)
    raise AssertionError("no file is being written to")
