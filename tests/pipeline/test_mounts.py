"""Folders outside of the checkout reach a container whatever their names."""

import csv

import pytest
import yaml
from checkouts import run

ENGINE = """#!/bin/sh
if [ "$1" = run ]; then printf '%s\\0' "$@"; else echo an-image; fi
"""


@pytest.mark.parametrize("name", ["a:b", "a, b", 'a "b" c', "a,readonly", "plain"])
def test_a_folder_of_pictures_is_mounted_for_reading(project, tmp_path, name):
    """At its own path, also if that has a colon, a comma or quotes."""
    pictures = tmp_path / name
    pictures.mkdir()
    settings = yaml.safe_load((project / "params.yaml").read_text())
    settings["data"]["dir"] = str(pictures)
    (project / "params.yaml").write_text(yaml.safe_dump(settings, width=1_000))
    (tmp_path / "docker").write_text(ENGINE)
    (tmp_path / "docker").chmod(0o755)
    shell = f"PATH='{tmp_path}':$PATH STAGE_ENGINE=docker docker/run true"
    options = run(project, "bash", "-c", shell).split("\0")
    mounts = [options[i + 1] for i, option in enumerate(options) if option == "--mount"]
    assert not any("--volume" in option for option in options)
    assert list(csv.reader(mounts)) == [
        ["type=bind", f"source={project}", f"target={project}"],
        ["type=bind", f"source={pictures}", f"target={pictures}", "readonly"],
    ]
