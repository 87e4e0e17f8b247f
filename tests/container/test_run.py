"""docker/run: what a command meets in the image, and what a user meets who lacks something."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml
from checkouts import ROOT, run
from containers import A_CONTAINER_PER_STAGE, ENGINE, IN_CONTAINER, image

from shallowdeep.provenance.requirements import differing_packages
from shallowdeep.settings import params

pytestmark = pytest.mark.container


@pytest.fixture(autouse=True, scope="module")
def _image():
    image()


def said(text):
    """The lines that docker/run itself wrote."""
    return [line for line in text.splitlines() if line.startswith("docker/run: ")]


def test_the_image_holds_the_environment_and_no_code():
    """It runs as a user of its own, its packages are compiled, and its label says what made it."""
    (about,) = json.loads(run(ROOT, ENGINE, "image", "inspect", image()))
    assert about["Config"]["User"] == "1000"
    assert about["Config"]["Labels"]["shallowdeep.inputs"] == image().partition(":")[2]
    assert f"SHALLOWDEEP_IMAGE={image()}" in about["Config"]["Env"]
    python = (
        "import importlib.util, pathlib, torch\n"
        "print(pathlib.Path(torch.__cached__).exists(), importlib.util.find_spec('shallowdeep'))"
    )
    bare = (ENGINE, "run", "--rm", "--network", "none", image(), "python", "-c", python)
    assert run(ROOT, *bare).split() == ["True", "None"]


def test_the_image_is_as_the_lock_says():
    """Every package that requirements.txt names for this platform, at its version, and no other."""
    script = (
        "import sys; from shallowdeep.provenance.requirements import installed;"
        " [print(name, version) for name, version in installed(sys.path).items()]"
    )
    said = run(ROOT, *IN_CONTAINER, "env", "PYTHONPATH=src", "python", "-c", script)
    here = dict(line.split() for line in said.splitlines())
    text = (ROOT / "requirements.txt").read_text()
    assert differing_packages(text, here) == []
    assert set(here) <= set(re.findall(r"^([\w.-]+)==", text.replace("_", "-"), re.MULTILINE))


def test_a_training_of_several_ranks_meets_without_a_network(project):
    """The container's own name leads nowhere; the bits are those of one process."""
    train = ("python", "stages/train.py", "deep")
    run(project, *IN_CONTAINER, *train)
    weights = project / "models/deep/weights.safetensors"
    made = weights.read_bytes()
    weights.unlink()
    said = run(project, "env", "STAGE_RANKS=2", *IN_CONTAINER, *train)
    assert ", 2 ranks, " in said
    assert weights.read_bytes() == made


def test_the_image_brings_what_dvc_plots_draws_with(project):
    """A fresh clone has not got it."""
    page = project / ".dvc/plots/page.local.html"
    page.unlink(missing_ok=True)
    assert run(project, *IN_CONTAINER, "true") == ""
    assert page.stat().st_size > 100_000


def test_nothing_but_the_checkout_can_be_written_and_no_network_be_reached(project):
    """Only the loopback interface is there."""
    assert "Read-only file system" in run(project, *IN_CONTAINER, "touch", "/x", status=1)
    assert run(project, *IN_CONTAINER, "ls", "/sys/class/net").split() == ["lo"]
    flags = run(project, *IN_CONTAINER, "grep", "NoNewPrivs", "/proc/self/status")
    assert flags.split() == ["NoNewPrivs:", "1"]


def test_a_command_is_its_caller_in_a_place_of_its_own(project):
    """The caller's groups, a home in the checkout, a /tmp that goes; a network only on request."""
    groups = (set(run(project, *command, "id", "-G").split()) for command in ((), IN_CONTAINER))
    assert set.issubset(*groups)
    home = run(project, *IN_CONTAINER, "sh", "-c", "echo $HOME && touch /tmp/x && df /tmp")
    assert home.startswith(f"{project}/.dvc/tmp/home\n")
    assert "tmpfs" in home
    run(project, *IN_CONTAINER, "test", "!", "-e", "/tmp/x")
    there = run(project, "env", "STAGE_NETWORK=host", *IN_CONTAINER[1:], "ls", "/sys/class/net")
    assert there == run(project, "ls", "/sys/class/net")


def test_the_image_brings_matplotlibs_list_of_fonts(project):
    """Charts are drawn without making one, and without a word on folders that are read-only."""
    python = "import logging; logging.basicConfig(level='INFO'); import matplotlib.font_manager"
    assert run(project, *IN_CONTAINER, "python", "-c", python) == ""
    home = "test -e ~/.cache/matplotlib/fontlist-*.json && echo $HOME"
    assert run(project, *IN_CONTAINER, "bash", "-c", home).strip().startswith(str(project))


@pytest.mark.parametrize("engine", ["none", ENGINE])
@pytest.mark.parametrize(
    ("command", "status"), [("exit 0", 0), ("exit 7", 7), ("no-such-command", 127), ("/tmp", 126)]
)
def test_exit_codes_pass_through(engine, command, status):
    """Alike with and without a container, and a command keeps its working directory."""
    shell = f'[ "$PWD" = {ROOT}/data ] && {command}'
    run(
        ROOT / "data",
        "env",
        f"STAGE_ENGINE={engine}",
        "../docker/run",
        "sh",
        "-c",
        shell,
        status=status,
    )


def test_an_unknown_engine_is_one_line(project):
    """It says what is allowed."""
    text = run(project, "env", "STAGE_ENGINE=dokcer", "docker/run", "true", status=2)
    assert text == "docker/run: STAGE_ENGINE: dokcer is none of none, docker, podman, slurm\n"


def test_no_command_is_one_line(project):
    """As any script does, it says how to use it."""
    assert run(project, "docker/run", status=2) == "docker/run: usage: docker/run CMD...\n"


def test_no_engine_is_one_line(project, tmp_path):
    """One for an engine that is not installed, one for an engine that does not run."""
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "env"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool))
    bare = ("env", f"PATH={tmp_path}/bin", f"STAGE_ENGINE={ENGINE}", "docker/run", "true")
    assert f"there is no {ENGINE} on PATH" in run(project, *bare, status=127)
    if ENGINE == "docker":
        stopped = ("env", f"DOCKER_HOST=unix://{tmp_path}/no.sock", *IN_CONTAINER[1:], "true")
        text = run(project, *stopped, status=125)
        assert len(text.splitlines()) == 1
        assert "no docker engine answers" in text


def test_an_image_of_another_lock_is_a_warning_and_none_an_error(project):
    """Both say what to type, and an error leaves the outputs as they were."""
    with (project / "requirements.txt").open("a") as file:
        file.write("# another lock\n")
    rebuild = f"type `STAGE_ENGINE={ENGINE} make image`"
    run(ROOT, ENGINE, "tag", image(), "shallowdeep:latest")
    (line,) = run(project, *IN_CONTAINER, "true").splitlines()
    assert "warning" in line
    assert line.endswith(rebuild)
    run(ROOT, ENGINE, "image", "rm", "--no-prune", "shallowdeep:latest")
    try:
        before = run(project, "git", "status", "--porcelain")
        stage = run(project, *A_CONTAINER_PER_STAGE, "docker/run", "true", status=125)
        assert stage.endswith(f"{rebuild}\n")
        assert "there is no image" in stage
        assert run(project, "git", "status", "--porcelain") == before
    finally:
        run(ROOT, ENGINE, "tag", image(), "shallowdeep:latest")


def test_a_gpu_asked_for_where_there_is_none_is_one_line(project):
    """The stage says so before it touches an output."""
    if shutil.which("nvidia-smi"):
        pytest.skip("there is a GPU here")
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("device: auto", "device: cuda"))
    stage = ("python", "stages/train.py", "shallow")
    (line,) = run(project, *IN_CONTAINER, *stage, status=1).splitlines()
    assert "device: cuda" in line
    assert run(project, "git", "status", "--porcelain").split() == ["M", "params.yaml"]


def test_a_working_directory_outside_of_the_checkout_is_one_line(project, tmp_path):
    """The container would not see it."""
    command = ("env", f"STAGE_ENGINE={ENGINE}", str(project / "docker/run"), "true")
    assert said(run(tmp_path, *command, status=2))


def test_input_and_output_pass_through(project):
    """A pipe into docker/run is a pipe into the command."""
    shell = f"echo one line | STAGE_ENGINE={ENGINE} docker/run cat"
    assert run(project, "sh", "-c", shell) == "one line\n"
    assert os.getuid() == int(run(project, *IN_CONTAINER, "id", "-u"))


@pytest.mark.parametrize("name", ["a:b", "a,b", "it's'", "'it is'", "a #b", 'a "b", c: \\d'])
def test_pictures_in_a_folder_of_any_name_are_seen(project, pictures_folder, name):
    """Whatever quotes it needs in params.yaml."""
    folder, path = pictures_folder.parent / name, project / "params.yaml"
    shutil.copytree(pictures_folder, folder)
    text = path.read_text().replace(
        f"dir: {pictures_folder}", yaml.safe_dump({"dir": str(folder)}, width=1000).strip()
    )
    path.write_text(text)
    assert params.read(path).data.dir == str(folder)
    assert "prepare: 40 pictures" in run(project, *IN_CONTAINER, "python", "stages/prepare.py")


def mounted_in(project, *setting):
    """Where the container can write, but for what every container has."""
    listed = run(project, "env", *setting, *IN_CONTAINER[1:], "cat", "/proc/mounts").splitlines()
    fields = [line.split() for line in listed]
    writable = {where for _, where, _, options, *_ in fields if options.split(",")[0] == "rw"}
    return {where.replace("\\040", " ") for where in writable}


def test_only_storage_that_is_not_from_git_is_mounted(project, tmp_path):
    """What git tracks may be another's, and name any folder; the rest is the user's."""
    storage = tmp_path / "storage"
    storage.mkdir()
    setting = f"[cache]\n    dir = {storage}\n"
    tracked, own = project / ".dvc/config", project / ".dvc/config.local"
    tracked.write_text(tracked.read_text() + setting)
    assert str(storage) not in mounted_in(project)
    assert str(storage) in mounted_in(project, f"STAGE_STORAGE=/nowhere:{storage}")
    own.write_text(setting)
    assert str(storage) in mounted_in(project)
    run(project, "git", "add", "--force", str(own))
    assert str(storage) not in mounted_in(project)
    own.unlink()
    (project / ".dvc/cache").rename(storage / "cache")
    (project / ".dvc/cache").symlink_to(storage / "cache")
    assert str(storage / "cache") in mounted_in(project)
    run(project, "git", "add", "--force", ".dvc/cache")
    assert str(storage / "cache") not in mounted_in(project)


def test_a_stage_sees_its_own_processes_only(project):
    """DVC runs outside of its container, and holds the locks; STAGE_PIDS=own is for all."""
    count = ("sh", "-c", "ls -d /proc/[0-9]* | wc -l")
    for setting in ("DVC_STAGE=x", "STAGE_PIDS=own"):
        assert int(run(project, "env", setting, *IN_CONTAINER[1:], *count)) < 10
    here = len(list(Path("/proc").glob("[0-9]*")))
    assert int(run(project, *IN_CONTAINER, *count)) > here / 2
    said = run(project, "env", "STAGE_PIDS=some", *IN_CONTAINER[1:], "true", status=2)
    assert said == "docker/run: STAGE_PIDS: some is none of host, own\n"
