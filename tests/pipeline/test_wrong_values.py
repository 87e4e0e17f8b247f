"""A wrong value costs a line: DVC has removed no output by then."""

import pytest
from in_process import dvc_main

WRONG = {
    "epochs=ten": "params.yaml: epochs: 'ten' is not a whole number",
    "folds=0": "params.yaml: folds: 0 is below 1",
    "+epoch=3": "params.yaml: unknown key 'epoch'; did you mean epochs?",
    "models.deep.hidden=[0]": "params.yaml: models: deep: hidden[0]: 0 is below 1",
    "device=gpu": "params.yaml: device: 'gpu' is not one of auto, cpu, cuda",
    "alpha=2": "params.yaml: alpha: 2 is above 0.5",
    "data.dir=/nowhere": "data.dir: /nowhere: no such folder",
    "share=0.01": "params.yaml: share: 0.01 leaves 0 of 16 training pictures of a class in fold 0",
    "data.classes=[cat,cow]": "data.classes: cow is no subfolder of",
}


def outputs(project):
    """All files that stages have written, and when."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for top in ("data", "models", "results", "params.schema.json", "dvc.lock")
        for path in [project / top, *(project / top).rglob("*")]
        if path.is_file() and path.name != "check.json"
    }


@pytest.mark.parametrize("wrong", WRONG)
def test_no_output_goes_for_a_wrong_value(project, wrong):
    """Of whatever stage; DVC itself refuses what is no YAML."""
    before = outputs(project)
    printed = dvc_main(project, "exp", "run", "-S", wrong, status=255)
    assert f"check: {WRONG[wrong]}" in printed
    assert "Traceback" not in printed and "Running stage 'prepare'" not in printed
    assert outputs(project) == before


@pytest.mark.parametrize(
    ("text", "line"),
    [("epochs: ten", "check: params.yaml: epochs: 'ten'"), ("epochs: [", "'params.yaml'")],
)
def test_no_output_goes_for_a_slip_in_an_editor(project, text, line):
    """Nor if one stage is asked for."""
    path, before = project / "params.yaml", outputs(project)
    path.write_text(path.read_text().replace("\nepochs: 2 ", f"\n{text} "))
    for command in (["repro"], ["repro", "train-deep"]):
        printed = dvc_main(project, *command, status=255)
        assert line in printed and "Traceback" not in printed
    assert outputs(project) == before
