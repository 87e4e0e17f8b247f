"""A large file is read once for all its checksums, and again as soon as it may be another."""

import hashlib
import os
from pathlib import Path

import pytest

from shallowdeep.files import known_digests
from shallowdeep.files.known_digests import known_md5, known_sha256

MEBIBYTE = 2**20


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A file of 17 MiB in a project's folder, of which no process knows anything."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(known_digests, "_known", {})
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    path = tmp_path / "large"
    path.write_bytes(os.urandom(17 * MEBIBYTE))
    return path


def read_by(path, work):
    """Share of a file that the process reads, by the system's count."""
    before, _, after = read_bytes(), work(path), read_bytes()
    return (after - before) / path.stat().st_size


def read_bytes():
    return int(Path("/proc/self/io").read_text().split()[1])


def test_they_are_pythons(large):
    """Both, of a large file and of a small one; the bytes are counted as they come."""
    small = large.with_name("small")
    small.write_bytes(b"small")
    for path in (large, small):
        content, seen = path.read_bytes(), []
        assert known_md5(path, seen.append) == hashlib.md5(content).hexdigest()
        assert sum(seen) == len(content)
        assert known_sha256(path, seen.append) == hashlib.sha256(content).hexdigest()
        assert sum(seen) == 2 * len(content)


def test_one_reading_does_for_both_and_for_the_next_process(large, monkeypatch):
    """The next one finds them in the checkout; outside of one, it reads."""
    assert read_by(large, known_md5) == pytest.approx(1, abs=0.01)
    assert read_by(large, known_sha256) == pytest.approx(0, abs=0.01)
    monkeypatch.setattr(known_digests, "_known", {})
    assert read_by(large, known_sha256) == pytest.approx(0, abs=0.01)
    monkeypatch.setattr(known_digests, "_known", {})
    monkeypatch.chdir("/")
    assert read_by(large, known_sha256) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("change", ["byte", "byte, and its time put back", "another file"])
def test_a_changed_file_is_read_again(large, change):
    """Also where size and time are those of before."""
    before, about, content = known_sha256(large), large.stat(), large.read_bytes()
    if change == "another file":
        large.unlink()
    large.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    if "time" in change:
        os.utime(large, ns=(about.st_atime_ns, about.st_mtime_ns))
        assert large.stat().st_mtime_ns == about.st_mtime_ns
    after = known_sha256(large)
    assert after != before
    assert after == hashlib.sha256(large.read_bytes()).hexdigest()


@pytest.mark.parametrize("damage", ["{", "[]", '{"1 2": 3}', '{"1": ["a"]}'])
def test_a_damaged_memory_is_no_memory(large, damage):
    """Nothing is taken from it, and nothing fails."""
    (large.parent / known_digests.MEMORY).write_text(damage)
    assert known_md5(large) == hashlib.md5(large.read_bytes()).hexdigest()
