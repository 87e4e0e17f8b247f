"""Any machine that README.md names: macOS, a clone with other line ends, an odd .venv."""

import os
import shutil
import subprocess

import pytest
from checkouts import ROOT, clone, run, with_environment

# What Python has on Linux and not on macOS, and the files of /proc.
MACOS = '''
import builtins, io, os, select, signal
for module, names in {
    os: """copy_file_range eventfd eventfd_read eventfd_write fdatasync getrandom getresgid
        getresuid getxattr listxattr memfd_create pidfd_open pipe2 posix_fadvise posix_fallocate
        removexattr
        sched_getaffinity sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity
        sched_setparam sched_setscheduler setns setresgid setresuid setxattr splice unshare
        O_DIRECT O_LARGEFILE O_NOATIME O_PATH O_RSYNC O_TMPFILE""",
    select: "epoll",
    signal: "SIGCLD SIGPOLL SIGPWR SIGSTKFLT SIGRTMIN SIGRTMAX sigtimedwait sigwaitinfo",
}.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)

def without_proc(function):
    def call(path, *rest, **options):
        if isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith("/proc"):
            raise FileNotFoundError(2, "No such file or directory", path)
        return function(path, *rest, **options)
    return call

os.stat, io.open, builtins.open = map(without_proc, (os.stat, io.open, builtins.open))
'''


def test_the_pipeline_runs_with_what_macos_has(project, pictures_folder):
    """Every script, and a model's answer, without what only Linux has; the same results."""
    site = project / "src/sitecustomize.py"
    site.write_text(MACOS)
    lacks = "import os; print(hasattr(os, 'sched_getaffinity'), os.path.exists('/proc/cpuinfo'))"
    assert run(project, "docker/run", "python", "-c", lacks) == "False False\n"
    picture = next((pictures_folder / "cat").iterdir())
    command = ("docker/run", "python", "-m", "shallowdeep")
    said = run(project, *command, "predict", "models/deep/weights.safetensors", str(picture))
    assert said.startswith(f"{picture}\t")
    stages = ("prepare", "train-deep", "evaluate")
    run(project, "dvc", "repro", "--force", "--no-run-cache", "--single-item", *stages)
    changed = run(project, "git", "status", "--porcelain", "results", "dvc.lock")
    assert changed == ""


def test_a_clone_with_windows_line_ends_works(tmp_path):
    """With core.autocrlf, which Git for Windows sets, the working tree has Unix line ends."""
    origin = clone(tmp_path / "origin")
    path = tmp_path / "clone"
    run(tmp_path, "git", "clone", "--quiet", "-c", "core.autocrlf=true", str(origin), str(path))
    assert "w/crlf" not in run(path, "git", "ls-files", "--eol")
    assert run(path, "git", "status", "--porcelain") == ""
    with_environment(path)
    assert run(path, "docker/run", "python", "-c", "print('works')") == "works\n"


def broken(venv):
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python").symlink_to("/nowhere/python")


def moved(venv):
    elsewhere = venv.with_name("elsewhere")
    run(venv.parent, "python3", "-m", "venv", "--without-pip", str(elsewhere))
    elsewhere.rename(venv)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda venv: venv.symlink_to("/nowhere"), ".venv does not work: type rm -rf .venv"),
        (lambda venv: venv.write_text("a file"), ".venv does not work: type rm -rf .venv"),
        (broken, ".venv does not work: type rm -rf .venv"),
        (moved, ".venv does not work: type rm -rf .venv"),
        (lambda venv: venv.symlink_to(ROOT / ".venv"), ".venv is a link to another environment"),
    ],
    ids=["dangling", "file", "broken", "moved", "link"],
)
def test_an_odd_environment_gets_a_line(tmp_path, spoil, message):
    """What it is and what to type; nothing is installed into it."""
    shutil.copy2(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").write_text("")  # newer than any environment
    (tmp_path / "requirements-development.txt").write_text("")
    (tmp_path / "pyproject.toml").write_text("")
    spoil(tmp_path / ".venv")
    done = subprocess.run(
        ["make", "setup"],
        cwd=tmp_path,
        env={name: os.environ[name] for name in ("PATH", "HOME")},  # not of a make above
        capture_output=True,
        text=True,
        check=False,
    )
    first, *rest = done.stderr.splitlines()
    assert first.startswith(f"make: {message}")
    assert rest == [line for line in rest if line.startswith("make: ***")]
    assert done.returncode == 2
