"""`prepare` has pictures decoded by a Dask cluster: the same bits, whatever becomes of a worker."""

import gc
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest
from checkouts import ROOT, run, start
from distributed import Client
from distributed.security import Security
from in_process import call_alone, told
from remotes import free_port, served

from shallowdeep.pictures import cluster


@contextmanager
def scheduled(log, *options):
    """A scheduler without workers: its address and its process."""
    port = free_port()
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
    with served(
        [*command, "--host", "127.0.0.1", "--port", str(port), *options], port, log
    ) as process:
        yield f"tcp://127.0.0.1:{port}", process


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """The address of one that stays."""
    with scheduled(tmp_path_factory.mktemp("dask") / "scheduler") as (address, _):
        yield address


@contextmanager
def workers(address, folder, *, count, source=ROOT / "src"):
    """Processes that decode, once the scheduler knows them."""
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-dashboard"]
    command += ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(source)}
    logs = [folder / f"{number}.log" for number in range(count)]
    with ExitStack() as stack:
        started = []
        for log in logs:
            file = stack.enter_context(log.open("wb"))
            named = [*command, "--name", log.stem]
            started.append(subprocess.Popen(named, env=environment, stdout=file, stderr=file))
            stack.enter_context(started[-1])
            stack.callback(started[-1].kill)
        while not all("Registered to" in log.read_text() for log in logs):
            assert all(one.poll() is None for one in started), logs[0].read_text()
            time.sleep(0.1)
        yield started


def prepared(project):
    """All that `prepare` has written."""
    paths = [*(project / "data/prepared").iterdir(), project / "results/rejected.csv"]
    return {path.name: path.read_bytes() for path in paths}


# The stage, by itself, as DVC would start it; but for the seconds in which a worker may come back.
STAGE = """
import runpy
from shallowdeep.pictures import cluster
cluster.RETURN_TIMEOUT = 3
runpy.run_path("stages/prepare.py", run_name="__main__")
"""


def prepare(project, address):
    environment, command = {cluster.ADDRESS: address}, (sys.executable, "-c", STAGE)
    return start(project, *command, env=environment, stderr=subprocess.PIPE)


def held_up(project, address, worker):
    """The stage under way, waiting for worker 0, which was given chunks and holds them."""
    worker.send_signal(signal.SIGSTOP)
    stage = prepare(project, address)
    with Client(address, set_as_default=False) as client:
        while client.run_on_scheduler(
            lambda dask_scheduler: [
                worker.name for worker in dask_scheduler.workers.values() if worker.processing
            ]
        ) != [0]:
            assert stage.poll() is None
            time.sleep(0.1)
    return stage


@pytest.fixture
def larger(project):
    """A project with 200 pictures and 4 files that are none: a chunk or two for each worker."""
    pictures = project.parent / "more pictures"
    assert told("sample", str(pictures), "--per-class", "100") == ""
    for i in range(4):
        shutil.copy(ROOT / "README.md", pictures / "cat" / f"{i}.jpg")
    params = project / "params.yaml"
    params.write_text(re.sub(r"\n  dir: .*", f"\n  dir: {pictures}", params.read_text()))
    return project


def test_two_workers_one_of_them_killed(larger, scheduler, tmp_path):
    """What it was at is done by the other; pictures, manifest, what is left out: the same bits."""
    assert call_alone(larger, "prepare").status == 0
    expected = prepared(larger)
    shutil.rmtree(larger / "data/prepared")
    with workers(scheduler, tmp_path, count=2) as (first, _):
        process = held_up(larger, scheduler, first)
        first.kill()
        said, errors = process.communicate(timeout=100)
    assert (process.returncode, errors) == (0, "")
    assert "; 4 rejected (results/rejected.csv)" in said
    assert prepared(larger) == expected


def refused(project, address):
    """The one line that the stage ends with; the old outputs stay."""
    before = prepared(project)
    ended = call_alone(project, "prepare")
    assert (ended.status, ended.out, ended.err.count("\n")) == (1, "", 1), ended.err
    assert prepared(project) == before
    return ended.err.removeprefix(f"prepare: DASK_SCHEDULER_ADDRESS: {address}: ")


def test_a_worker_with_other_code_is_refused(project, scheduler, tmp_path, monkeypatch):
    """It would give other pixels, and nobody would know."""
    shutil.copytree(ROOT / "src", tmp_path / "src")
    with (tmp_path / "src/shallowdeep/pictures/decoding.py").open("a") as file:
        file.write("# an edit\n")
    monkeypatch.setenv(cluster.ADDRESS, scheduler)
    with workers(scheduler, tmp_path, count=1, source=tmp_path / "src"):
        line = refused(project, scheduler)
    assert re.search(r"DASK_SCHEDULER_ADDRESS: a worker on \S+ has code \w+ instead", line)


NO_CLUSTERS = {
    "tcp://127.0.0.1:1": "OSError: Timed out trying to connect to tcp://127.0.0.1:1",
    "tcp://127.0.0.1": "ValueError: missing port",
    "nonsense:at:all": "ValueError: ",
    "http://127.0.0.1:1": "ValueError: unknown address scheme 'http'",
    "ucx://127.0.0.1:1": "TypeError: ",
    "tls://127.0.0.1:1": "TypeError: TLS expects a `ssl_context`",
}


@pytest.mark.parametrize("address", NO_CLUSTERS)
def test_an_address_of_nobody_is_told(project, monkeypatch, address, capfd):
    """Also one that Dask's client would try again and again, or at the end of the process."""
    monkeypatch.setattr(cluster, "CONNECT_TIMEOUT", 1)
    monkeypatch.setenv(cluster.ADDRESS, address)
    assert refused(project, address).startswith(NO_CLUSTERS[address])
    gc.collect()
    assert capfd.readouterr() == ("", "")


def test_a_scheduler_that_speaks_tls_is_told(project, tmp_path):
    """To `tcp:` it gives no answer; nothing follows at the end of the process either."""
    keys, options = Security.temporary(), ["--protocol", "tls"]
    for option, content in (
        ("ca-file", keys.tls_ca_file),
        ("cert", keys.tls_scheduler_cert),
        ("key", keys.tls_scheduler_key),
    ):
        (tmp_path / option).write_text(content)
        options += [f"--tls-{option}", str(tmp_path / option)]
    with scheduled(tmp_path / "log", *options) as (address, _):
        command = ("env", f"DASK_SCHEDULER_ADDRESS={address}", "python", "stages/prepare.py")
        (line,) = run(project, *command, status=1).splitlines()
    assert line.startswith(f"prepare: DASK_SCHEDULER_ADDRESS: {address}: CommClosedError: ")


def test_who_is_no_scheduler_or_has_no_workers_is_told(project, scheduler, monkeypatch):
    """A port that accepts and is silent; a scheduler alone."""
    monkeypatch.setattr(cluster, "CONNECT_TIMEOUT", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        silent = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv(cluster.ADDRESS, silent)
        assert refused(project, silent) == "TimeoutError: no scheduler answers\n"
    monkeypatch.setenv(cluster.ADDRESS, scheduler)
    assert refused(project, scheduler).endswith("Error: Only 0/1 workers arrived after 1\n")


def test_a_scheduler_that_goes_is_told(project, tmp_path):
    """In the middle of the work, with the old outputs left as they are."""
    before = prepared(project)
    with (
        scheduled(tmp_path / "scheduler") as (address, process),
        workers(address, tmp_path, count=1) as (worker,),
    ):
        stage = held_up(project, address, worker)
        process.kill()
        _, error = stage.communicate(timeout=100)
    line = f"prepare: DASK_SCHEDULER_ADDRESS: {address}: CancelledError: the scheduler has gone\n"
    assert (stage.returncode, error) == (1, line)
    assert prepared(project) == before


def test_workers_that_have_all_gone_are_told(larger, scheduler, tmp_path, monkeypatch):
    """Some seconds later, in case one comes back; with a worker the next run is whole."""
    before = prepared(larger)
    with workers(scheduler, tmp_path, count=1) as (worker,):
        stage = held_up(larger, scheduler, worker)
        worker.kill()
        _, error = stage.communicate(timeout=100)
    line = f"prepare: DASK_SCHEDULER_ADDRESS: {scheduler}: all workers have gone; start one, then"
    assert (stage.returncode, error) == (1, f"{line} `dvc repro` decodes anew\n")
    assert prepared(larger) == before
    monkeypatch.setenv(cluster.ADDRESS, scheduler)
    with workers(scheduler, tmp_path, count=1):
        assert call_alone(larger, "prepare").status == 0
    assert prepared(larger) != before
