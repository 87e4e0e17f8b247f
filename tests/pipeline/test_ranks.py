"""Several processes or machines train one network: the same bits, and one line if one is lost."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from checkouts import changed_stages, commit, has_loaded, run, with_environment

TRAIN = ("docker/run", "python", "stages/train.py", "deep")
MADE = (
    "models/deep.pt",
    "results/deep/answers.npy",
    "results/deep/fold_0.safetensors",
    "results/deep/history.csv",
)


def set_parameters(project, **wanted):
    path = project / "params.yaml"
    lines = path.read_text().splitlines()
    for key, value in wanted.items():
        (at,) = (i for i, line in enumerate(lines) if line.startswith(f"{key}:"))
        lines[at] = f"{key}: {value}"
    path.write_text("\n".join(lines) + "\n")


def made(project):
    return {name: (project / name).read_bytes() for name in MADE}


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_any_number_of_ranks_gives_the_same_bits(project, solver):
    """By hand and under DVC, whose lock stays; 20 runs of primal, three groups of dual's."""
    with_environment(project)
    set_parameters(project, solver=solver, runs=6 if solver == "dual" else 2)
    run(project, "dvc", "repro", "train-deep")
    commit(project)
    expected = made(project)
    for ranks in (1, 2):
        for name in MADE:
            (project / name).unlink()
        said = run(project, "env", f"STAGE_RANKS={ranks}", *TRAIN)
        assert (f", {ranks} ranks, " in said) == (ranks > 1)
        assert len(said.splitlines()) == 1, said
        assert made(project) == expected
    command = ("dvc", "repro", "--force", "--no-run-cache", "--single-item", "train-deep")
    assert ", 3 ranks, " in run(project, "env", "STAGE_RANKS=3", *command)
    assert made(project) == expected
    assert run(project, "git", "status", "--porcelain") == ""


def started(project, ranks, **variables):
    """The stage under way on some ranks, all of which have begun to train."""
    process = subprocess.Popen(
        TRAIN,
        cwd=project,
        env=os.environ | {"STAGE_RANKS": str(ranks)} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    record = project / "results/provenance/train-deep.json"
    children = []
    while (
        record.exists()
        or len(children) < ranks
        or not all(has_loaded(child.pid) for child in children)
    ):
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.05)
        children = psutil.Process(process.pid).children()
    time.sleep(3)
    return process, children


def rank_of(child):
    return int(child.environ()["RANK"])


@pytest.mark.parametrize(("lost", "number"), [(0, signal.SIGKILL), (2, signal.SIGTERM)])
def test_a_killed_rank_is_one_line(project, lost, number):
    """Which one and by what; nothing is written, nobody lives on, and the next run is whole."""
    with_environment(project)
    before, text = made(project), (project / "params.yaml").read_text()
    set_parameters(project, solver="primal", epochs=100_000)
    run(project, "dvc", "repro", "prepare")
    process, children = started(project, 3)
    next(child for child in children if rank_of(child) == lost).send_signal(number)
    said = process.communicate(timeout=60)[0]
    expected = f"rank {lost} was ended by {number.name}; nothing was written, `dvc repro` goes on"
    assert said == f"train-deep: {expected}\n"
    assert process.returncode == 1
    assert not any(child.is_running() for child in children)
    assert made(project) == before
    (project / "params.yaml").write_text(text)
    run(project, "env", "STAGE_RANKS=1", "dvc", "repro")
    assert changed_stages(project) == set()
    assert made(project) == before


def addresses(process, status):
    """Local addresses of a process and its children, of connections with this status."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    found = [one for each in family for one in each.net_connections("inet")]
    return {one.laddr.ip for one in found if one.status == status}


def test_ctrl_c_ends_all_ranks_with_one_line(project):
    """As it ends one process. Until then no other machine can reach them."""
    with_environment(project)
    set_parameters(project, solver="primal", epochs=100_000)
    run(project, "dvc", "repro", "prepare")
    process, children = started(project, 2)
    assert addresses(process, psutil.CONN_ESTABLISHED) == {"127.0.0.1"}
    assert addresses(process, psutil.CONN_LISTEN) <= {"127.0.0.1"}
    for child in children:  # gloo would take the address of the machine's name
        assert child.environ()["GLOO_SOCKET_IFNAME"].startswith("lo")
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "train-deep: interrupted\n"
    assert process.returncode == 128 + signal.SIGINT
    assert not any(child.is_running() for child in children)


@pytest.mark.parametrize("asked", ["0", "-1", "two", "2.0", "1000000"])
def test_a_number_of_ranks_that_is_none_is_one_line(project, asked):
    """It says what is allowed."""
    with_environment(project)
    said = run(project, "env", f"STAGE_RANKS={asked}", *TRAIN, status=1)
    expected = f"STAGE_RANKS: {asked!r} is no whole number from 1 to 1,024"
    assert said == f"train-deep: {expected}\n"


def test_more_ranks_than_work_is_one_line(project):
    """Five runs at least train in step: of ten runs there is nothing for a third rank."""
    with_environment(project)
    set_parameters(project, runs=1)
    before = made(project)
    said = run(project, "env", "STAGE_RANKS=3", *TRAIN, status=1)
    assert said.startswith("train-deep: 3 ranks for 2 groups of runs: ")
    assert said.endswith(" would have nothing to do; take at most 2\n")
    assert len(said.splitlines()) == 1
    assert made(project) == before


def test_what_is_wrong_with_every_rank_is_said_once(project):
    """All see it at the same time."""
    with_environment(project)
    set_parameters(project, folds=5)
    said = run(project, "env", "STAGE_RANKS=3", *TRAIN, status=1)
    assert said.startswith("train-deep: params.yaml: folds: 5 needs data.split: ")
    assert len(said.splitlines()) == 1


def on_two_machines(first, second):
    """Two ranks, each of a checkout of its own; what each prints, and how it ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    meeting = {"PET_NNODES": "2", "PET_MASTER_ADDR": "127.0.0.1", "PET_MASTER_PORT": str(port)}
    processes = [
        subprocess.Popen(
            TRAIN,
            cwd=folder,
            env=os.environ | meeting | {"STAGE_RANKS": "1", "PET_NODE_RANK": str(number)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number, folder in enumerate((first, second))
    ]
    return [(process.communicate(timeout=120)[0], process.returncode) for process in processes]


def test_two_machines_train_what_one_does_if_they_read_the_same(project, tmp_path):
    """The first one writes. Where they read other things, both say which, and nobody writes."""
    with_environment(project)
    set_parameters(project, solver="primal")
    run(project, "dvc", "repro", "train-deep")
    expected = made(project)
    other = tmp_path / "other machine"
    run(tmp_path, "cp", "-r", str(project), str(other))
    for name in MADE:
        (project / name).unlink()
        (other / name).unlink()
    (said, status), (nothing, well) = on_two_machines(project, other)
    assert (status, well, nothing) == (0, 0, ""), said + nothing
    assert ", 2 ranks, " in said
    assert made(project) == expected
    assert not any((other / name).exists() for name in MADE)

    set_parameters(other, lr="0.02")
    for said, status in on_two_machines(project, other):
        assert status == 1
        assert said == "train-deep: rank 1 reads another params.yaml than rank 0; give all of" + (
            " them the same\n"
        )
    assert made(project) == expected
    assert not list(Path(project).glob("models/.*.tmp*"))
