"""Stages run on the nodes of a cluster, with the same results."""

import getpass
import os
import re
import signal
import socket
import time
from contextlib import ExitStack

import pytest
import yaml
from checkouts import ROOT, run, start, with_environment
from in_process import dvc_main
from remotes import free_port, served, tool


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A cluster of one node, this machine: its controller and its daemon."""
    folder, name = tmp_path_factory.mktemp("slurm"), socket.gethostname().partition(".")[0]
    controller, node = free_port(), free_port()
    (folder / "slurm.conf").write_text(f"""\
ClusterName=one
SlurmctldHost={name}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={getpass.getuser()}
SlurmdUser={getpass.getuser()}
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
NodeName={name} NodeAddr=127.0.0.1 CPUs={os.cpu_count()} State=UNKNOWN
PartitionName=all Nodes={name} Default=YES State=UP
""")
    with ExitStack() as stack:
        for program, port in (("slurmctld", controller), ("slurmd", node)):
            command = [tool(program, program), "-D", "-f", f"{folder}/slurm.conf"]
            stack.enter_context(served(command, port, folder / f"{program}.log"))
        yield folder / "slurm.conf"


@pytest.fixture
def cluster(slurm, monkeypatch):
    """The variables by which a user's shell finds the cluster, and stages go there."""
    monkeypatch.setenv("SLURM_CONF", str(slurm))
    monkeypatch.setenv("STAGE_ENGINE", "slurm")
    monkeypatch.setenv("STAGE_SLURM", "--partition all --cpus-per-task 1")


@pytest.mark.usefixtures("cluster")
def test_a_stage_runs_on_a_node_and_writes_the_same_bits(project):
    """Neither dvc.lock nor any result differs from those of a run without Slurm."""
    run(with_environment(project), "dvc", "repro", "--force", "--single-item", "train-deep")
    assert run(project, "git", "status", "--porcelain") == ""
    assert "JobName=train-deep" in run(project, "scontrol", "show", "jobs")


@pytest.mark.usefixtures("cluster")
def test_statuses_and_output_pass_through(project):
    """As docker/README.md says of every engine."""
    said = run(with_environment(project), "docker/run", "bash", "-c", "pwd; exit 7", status=7)
    assert str(project) in said.splitlines()


@pytest.mark.usefixtures("cluster")
def test_an_interrupted_stage_leaves_no_job(project):
    """Ctrl-C ends it on its node."""
    with_environment(project)
    process = start(project, "docker/run", "sleep", "100")
    while "R" not in run(project, "squeue", "--noheader", "--format", "%t"):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode != 0
    for _ in range(50):
        if not (left := run(project, "squeue", "--noheader")):
            break
        time.sleep(0.2)
    assert left == ""


@pytest.mark.usefixtures("cluster")
def test_a_partition_that_is_none_is_told(project, monkeypatch):
    """By srun, in a line."""
    monkeypatch.setenv("STAGE_SLURM", "--partition none")
    said = run(with_environment(project), "docker/run", "true", status=1)
    assert re.search("srun: error: .*invalid partition", said, re.IGNORECASE)


JOB = yaml.safe_load((ROOT / "docker/kubernetes.yaml").read_text())


VALIDATE = """
import sys, yaml, kubernetes_validate
kubernetes_validate.validate(yaml.safe_load(open(sys.argv[1])), sys.argv[2], strict=True)
"""


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_the_job_is_one_of_kubernetes(version, publishing, tmp_path):
    """By its schema; a field that there is not would be found."""
    validate = (f"{publishing}/python", "-c", VALIDATE)
    run(tmp_path, *validate, str(ROOT / "docker/kubernetes.yaml"), version)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((ROOT / "docker/kubernetes.yaml").read_text().replace("args:", "argz:"))
    assert "'argz' was unexpected" in run(tmp_path, *validate, str(wrong), version, status=1)


def test_a_pod_shares_its_experiment(project, tmp_path, monkeypatch):
    """What it runs, run here: a clone of its own, and the experiment comes back through git."""
    with_environment(project)
    remote = str(tmp_path / "git remote")
    run(project, "git", "clone", "--quiet", "--bare", str(project), remote)
    run(project, "git", "remote", "add", "origin", remote)
    for name, value in (
        ("REPOSITORY", remote),
        ("REMOTE", str(tmp_path / "storage")),
        ("JOB_COMPLETION_INDEX", "3"),
        ("TMPDIR", str(tmp_path)),
    ):
        monkeypatch.setenv(name, value)
    (container,) = JOB["spec"]["template"]["spec"]["containers"]
    run(tmp_path, *container["command"], *container["args"])
    dvc_main(project, "remote", "add", "--local", "--default", "there", str(tmp_path / "storage"))
    dvc_main(project, "exp", "pull", "origin", "seed-3")
    dvc_main(project, "exp", "apply", "seed-3")
    assert "\nseed: 3" in (project / "params.yaml").read_text()
