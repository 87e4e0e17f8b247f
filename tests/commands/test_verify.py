"""verify runs a clean clone from nothing, and finds what is not what was committed."""

import json
import re

from checkouts import commit, run, with_environment

from shallowdeep.commands.verify import edited_meanwhile, held_together, randomized

VERIFY = ("python", "-m", "shallowdeep", "verify")


def test_a_clean_run_gives_the_committed_bits_whatever_is_varied(project, tmp_path):
    """Threads, locale, time zone, umask, path and instruction sets: every output is the same."""
    report = tmp_path / "findings.json"
    shown = run(with_environment(project), *VERIFY, "--randomize", "7", "--json", str(report))
    assert re.search(r"verify: 23 outputs: same bits", shown)
    content = json.loads(report.read_text())
    assert {finding["verdict"] for finding in content["findings"]} == {"same bits"}
    assert content["randomized"]["seed"] == 7
    assert content["randomized"]["varied"]["TZ"] == randomized(7)[0]["TZ"]
    assert content["edited_meanwhile"] == []


def test_a_committed_result_that_the_code_does_not_give_is_found(project):
    """Here someone has tuned a parameter and committed old results with a mended lock."""
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("lr: 0.01", "lr: 0.011"))
    lock = project / "dvc.lock"
    lock.write_text(lock.read_text().replace("lr: 0.01\n", "lr: 0.011\n"))
    commit(project)
    shown = run(with_environment(project), *VERIFY, status=1)
    assert re.search(r"train-deep +models/deep.pt +(different|within)", shown)
    assert re.search(r"prepare +data/prepared +same bits", shown)
    assert re.search(r"verify: \d+ of 23 outputs are different", shown)


def fake(folder, *, metrics, md5):
    (folder / "results").mkdir(parents=True)
    (folder / "results/metrics.json").write_text(metrics)
    out = f"{{path: results/metrics.json, md5: {md5}}}"
    (folder / "dvc.lock").write_text(f"stages: {{evaluate: {{outs: [{out}]}}}}\n")
    return folder


def test_numbers_may_be_within_tolerance(tmp_path):
    """And it is said by how much; another text is different, however small its numbers are."""
    from hashlib import md5

    text = '{"accuracy": 0.5, "verdict": "deep"}'
    old = fake(tmp_path / "old", metrics=text, md5=md5(text.encode()).hexdigest())
    for number, (metrics, verdict) in enumerate(
        [
            (text.replace("0.5", "0.5003"), "within tolerance"),
            (text.replace("0.5", "0.6"), "different"),
            (text.replace("deep", "shallow"), "different"),
        ]
    ):
        new = fake(tmp_path / str(number), metrics=metrics, md5="0")
        (finding,) = held_together(old, new)
        assert finding.verdict == verdict
        assert (finding.difference is None) == ("shallow" in metrics)


def test_an_input_that_was_edited_meanwhile_is_named(project):
    """What a stage has read is not what DVC hashed afterwards."""
    assert edited_meanwhile(project) == []
    path = project / "results/provenance/train-deep.json"
    content = json.loads(path.read_text())
    content["inputs"]["stages/train.py"] = "0" * 32
    path.write_text(json.dumps(content))
    assert edited_meanwhile(project) == ["train-deep: stages/train.py"]


def test_outside_of_a_project_it_is_one_line(tmp_path):
    """It says where to run it."""
    assert "no dvc.yaml here" in run(tmp_path, *VERIFY, status=1)
