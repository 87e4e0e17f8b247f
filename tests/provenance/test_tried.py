"""How many experiments were tried, by DVC's run cache."""

import contextlib

from checkouts import run

from shallowdeep.commands import lock
from shallowdeep.provenance.tried import experiments


def count(project):
    with contextlib.chdir(project):
        read = lock.hashes(lock.locked(project / "dvc.lock").stages["evaluate"].deps)
        return experiments(read, read["data/prepared"])


def test_each_experiment_on_the_same_pictures_counts_once(longer_project):
    """Queued ones and other seeds too; not what is evaluated again, and not other pictures."""
    assert count(longer_project) == 2
    text = (longer_project / "stages/evaluate.py").read_text()
    (longer_project / "stages/evaluate.py").write_text(f"{text}# the same\n")
    run(longer_project, "dvc", "repro")
    assert count(longer_project) == 2
    run(longer_project, "dvc", "exp", "run", "--temp", "-S", "seed=7")
    assert count(longer_project) == 3
    run(longer_project, "dvc", "exp", "run", "-S", "data.size=12")
    assert count(longer_project) == 1


def test_the_terminal_and_the_records_page_say_so(longer):
    """Where the report's link leads; the report itself has the same bits."""
    page = (longer / "results/provenance/index.html").read_text()
    assert "tried 2 experiments on these pictures" in page
    assert "tried 2" not in (longer / "results/report.html").read_text()


def test_a_broken_or_foreign_run_counts_nothing(tmp_path):
    """Files that are no runs; no cache at all."""
    assert experiments({"results/deep/answers.npy": "a"}, "b", root=tmp_path) == 1
    folder = tmp_path / ".dvc/cache/runs/aa/bb"
    folder.mkdir(parents=True)
    (folder / "cc").write_bytes(b"\xff\xfe")
    (folder / "dd").write_text("cmd: python stages/evaluate.py\ndeps: []\n")
    (tmp_path / ".dvc/config").write_text("[core\n")
    assert experiments({"results/deep/answers.npy": "a"}, "b", root=tmp_path) == 1
