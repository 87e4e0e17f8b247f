"""models, data/prepared -> results/{metrics.json,scores.csv,plots,report.html,model_cards}."""

import json
from pathlib import Path

from shallowdeep.files.imports import importing
from shallowdeep.files.progress import Progress
from shallowdeep.provenance.records import Run
from shallowdeep.provenance.stage import stage


@stage("evaluate")
def evaluate(run: Run) -> None:
    """Compare the networks of params.yaml."""
    with importing():
        from threadpoolctl import threadpool_limits

        from shallowdeep.evaluation.verdict import QUESTION, familywise_note
        from shallowdeep.prepared import prepared_set
        from shallowdeep.provenance.experiment_count import METRICS, count_experiments
        from shallowdeep.report import outputs, records_page, terminal_lines
        from shallowdeep.settings import params
        from shallowdeep.trained import former, trained_network

    settings = params.read(Path("params.yaml"))
    threadpool_limits(1)  # on any number of cores the same bits
    notes = former.remove_former_networks(settings.networks)
    with Progress("reading the networks") as progress:
        prepared = prepared_set.read(
            Path("data/prepared"), share=settings.share, seed=settings.seed
        )
        tested = len(prepared.tested())
        networks = {
            name: trained_network.read(name, settings, tested=tested) for name in settings.networks
        }
        identity = records_page.identity(run.inputs)
        done = outputs.outputs(networks, prepared, settings, identity=identity, progress=progress)
        run.check_unchanged()
        outputs.write(done)
        run.finish()
    seconds = None
    if run.stage:
        experiments = count_experiments(
            run.stage.repo, json.loads(Path(METRICS).read_text()), QUESTION
        )
        notes.append(familywise_note(experiments, alpha=settings.alpha))
        records_page.write(notes[-1])
        seconds = records_page.training_seconds()
    lines = terminal_lines.lines(done.found, settings, seconds=seconds)
    for line in (*notes, *done.cautions, *lines):
        print("evaluate:", line)


if __name__ == "__main__":
    evaluate()
