"""How much memory a process may have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shallowdeep.files.memory import memory_limit


def test_it_is_no_more_than_the_machine_has():
    """And no less than these tests use."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 2**28 < memory_limit() <= machine


def test_a_cgroup_leaves_less():
    """As a container does, or Slurm; seen by a process in a cgroup below the limited one too."""
    top, name = Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"
    if not top.exists():
        top, name = Path("/sys/fs/cgroup"), "memory.max"
    group = top / f"shallowdeep-test-{os.getpid()}"
    try:
        (group / "below").mkdir(parents=True)
        (group / name).write_text(str(2**30))
    except OSError:
        pytest.skip("no cgroup can be made here")
    code = f"import os; open('{group}/below/cgroup.procs', 'w').write(str(os.getpid())); "
    code += "from shallowdeep.files.memory import memory_limit; print(memory_limit())"
    try:
        assert int(subprocess.check_output([sys.executable, "-c", code])) == 2**30
    finally:
        (group / "below").rmdir()
        group.rmdir()
