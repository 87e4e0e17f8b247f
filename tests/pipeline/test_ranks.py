"""Several processes or machines train one network: the same bits, and one line if one is lost."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from checkouts import commit, run, start, with_environment
from in_process import dvc_main
from remotes import free_port

from shallowdeep.files.errors import InputError
from shallowdeep.training import launching

TRAIN = ("docker/run", "python", "stages/train.py", "deep")
BY_DVC = ("dvc", "repro", "--force", "--no-run-cache", "--single-item", "train-deep")
FILES = ("weights.safetensors", "predictions.safetensors", "history.csv")
PRIMAL = {"solver": "primal", "epochs": 100_000}


def set_parameters(project, **wanted):
    path = with_environment(project) / "params.yaml"
    lines = path.read_text().splitlines()
    for key, value in wanted.items():
        (at,) = (i for i, line in enumerate(lines) if line.startswith(f"{key}:"))
        lines[at] = f"{key}: {value}"
    path.write_text("\n".join(lines) + "\n")


def trained(project):
    return [(project / "models/deep" / name).read_bytes() for name in FILES]


def remove_network(project):
    for name in FILES:
        (project / "models/deep" / name).unlink()


@pytest.mark.parametrize(
    ("wanted", "ranks", "command"),
    [
        ({"solver": "primal", "runs": 2}, 2, TRAIN),
        ({"solver": "dual", "runs": 6}, 3, BY_DVC),
        ({"solver": "dual", "runs": 2, "lr": "[0.01, 0.1, 0.5]", "keep": "best"}, 3, BY_DVC),
    ],
)
def test_any_number_of_ranks_gives_the_same_bits(project, wanted, ranks, command):
    """By hand and under DVC, whose lock stays; 20 runs of primal, three groups of dual's."""
    set_parameters(project, **wanted)
    dvc_main(project, "repro", "train-deep")
    commit(project)
    expected = trained(project)
    remove_network(project)
    printed = run(project, "env", f"STAGE_RANKS={ranks}", *command)
    assert f", {ranks} ranks, " in printed
    assert command != TRAIN or len(printed.splitlines()) == 1
    assert trained(project) == expected
    assert run(project, "git", "status", "--porcelain") == ""


def started(project, ranks):
    """The stage under way on some ranks, all of which are connected."""
    process = start(project, *TRAIN, env={"STAGE_RANKS": str(ranks)}, start_new_session=True)
    children = []
    while len(children) < ranks or not all(map(connected, children)):
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.05)
        children = psutil.Process(process.pid).children()
    return process, children


def connected(process):
    return any(one.status == psutil.CONN_ESTABLISHED for one in process.net_connections("inet"))


def test_a_killed_rank_is_one_line(project):
    """Which one and by what; nothing is written, nobody lives on, and the next run is whole."""
    before, text = trained(project), (project / "params.yaml").read_text()
    set_parameters(project, **PRIMAL)
    for lost, number in ((0, signal.SIGKILL), (1, signal.SIGTERM)):
        process, children = started(project, 2)
        next(one for one in children if one.environ()["RANK"] == str(lost)).send_signal(number)
        printed = process.communicate(timeout=60)[0]
        expected = f"rank {lost} was ended by {number.name}; nothing was written; `dvc repro`"
        assert printed == f"train-deep: {expected} continues\n"
        assert process.returncode == 1
        assert not any(child.is_running() for child in children)
        assert trained(project) == before
    (project / "params.yaml").write_text(text)
    run(project, "env", "STAGE_RANKS=1", *TRAIN)
    assert run(project, "git", "status", "--porcelain") == ""
    assert trained(project) == before


def addresses(process, status):
    """Local addresses of a process and its children, of connections with this status."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    found = [one for each in family for one in each.net_connections("inet")]
    return {one.laddr.ip for one in found if one.status == status}


def test_ctrl_c_ends_all_ranks_with_one_line(project):
    """As it ends one process. Until then no other machine can reach them."""
    set_parameters(project, **PRIMAL)
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
def test_a_number_of_ranks_that_is_none_is_refused(monkeypatch, asked):
    """The message tells what is allowed."""
    monkeypatch.setenv("STAGE_RANKS", asked)
    with pytest.raises(InputError, match=f"^STAGE_RANKS: '{asked}' is no whole number from 1 to 1"):
        launching.wanted_ranks()


def test_an_error_of_all_ranks_is_printed_once(project):
    """Five runs at least train in step: ten are too few for a third rank. Nothing is written."""
    set_parameters(project, runs=1)
    before = trained(project)
    (line,) = run(project, "env", "STAGE_RANKS=3", *TRAIN, status=1).splitlines()
    assert line.startswith("train-deep: 3 ranks for 2 groups of runs: ")
    assert line.endswith(" nothing to do; take at most 2")
    assert trained(project) == before


def on_two_machines(first, second, command):
    """Train as docs/scale.md has it, on two checkouts; what each prints, and how it ends."""
    port = str(free_port())
    variables = {"PET_NNODES": "2", "PET_MASTER_ADDR": "127.0.0.1", "PET_MASTER_PORT": port}
    variables |= {"STAGE_RANKS": "1"}
    processes = [
        start(folder, *words, env=variables | {"PET_NODE_RANK": str(number)})
        for number, (folder, words) in enumerate(((first, command), (second, TRAIN)))
    ]
    return [(process.communicate(timeout=120)[0], process.returncode) for process in processes]


def test_two_machines_train_what_one_does_if_they_read_the_same(project, tmp_path):
    """The first one writes. Where they read other things, both say which, and nobody writes."""
    expected = trained(project)
    set_parameters(project)
    other = tmp_path / "other machine"
    run(tmp_path, "cp", "-r", str(project), str(other))
    remove_network(other)
    (printed, status), (nothing, well) = on_two_machines(project, other, BY_DVC)
    assert (status, well, nothing) == (0, 0, ""), printed + nothing
    assert ", 2 ranks, " in printed
    assert trained(project) == expected
    assert not any((other / "models/deep").iterdir())

    params = other / "params.yaml"
    params.write_text(params.read_text().replace("lr: 0.01", "lr: 0.02"))
    line = "train-deep: rank 1 reads another params.yaml than rank 0; give all of them the same\n"
    assert on_two_machines(project, other, TRAIN) == [(line, 1)] * 2
    assert trained(project) == expected
    assert not any((other / "models/deep").iterdir())
    assert not list(Path(project).glob("models/**/.*.tmp*"))
