"""params.yaml -> params.schema.json: a wrong value ends here, before DVC removes any output."""

from pathlib import Path

from shallowdeep.files.imports import importing
from shallowdeep.provenance.records import Run
from shallowdeep.provenance.stage import stage


@stage("check")
def check(_: Run) -> None:
    """Check params.yaml and the names of the files of its data.dir."""
    with importing():
        from shallowdeep.commands.check import check_pictures
        from shallowdeep.files.atomic import write_text
        from shallowdeep.settings import params

    check_pictures(params.read(Path("params.yaml")))
    write_text(Path("params.schema.json"), params.schema() + "\n")


if __name__ == "__main__":
    check()
