"""Names of folders, files, tags and experiments that hold markup; some would set a page's title."""

import json
import shutil
from pathlib import Path

from checkouts import run
from in_process import dvc_main

FOLDER = 'of: "odd" #1'
CLASS = "<!--<script> & <b>|: <img src=x onerror=document.title='ran'>"
OTHER = "dog: 'x'"
FIRST = "000 \t<img src=x onerror=alert(1)>.jpg"
BAD = "<b>bad<b>.jpg"
TITLED = "x</script><img src=x onerror=document.title='ran'>.jpg"
REVISION = "v1</script><img/src='x'/onerror=document.title='ran'>"
EXPERIMENT = "<b>#1&\"'%20"


def run_odd(miniature: Path, project: Path) -> None:
    """An experiment of a copy of the miniature project, on such names."""
    pictures = project.parent / FOLDER
    shutil.copytree(miniature, project, symlinks=True)
    for old, new in (("cat", CLASS), ("dog", OTHER)):
        shutil.copytree(miniature.parent / "pictures" / old, pictures / new)
    first = min((pictures / CLASS).iterdir())
    first.rename(first.with_name(FIRST))
    (pictures / CLASS / BAD).write_bytes(b"no picture")
    (pictures / OTHER / TITLED).parent.mkdir()
    (pictures / OTHER / TITLED).write_bytes(b"no picture")
    run(project, "git", "tag", REVISION)
    data = f"data.dir={json.dumps(str(pictures))}"
    dvc_main(project, "exp", "run", "--name", EXPERIMENT, "-S", data)
