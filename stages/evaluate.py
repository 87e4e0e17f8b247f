"""models, data/prepared -> results/{metrics.json,scores.csv,plots,report.html,model_cards}."""

from pathlib import Path

from shallowdeep.files.imports import imported
from shallowdeep.files.progress import Progress
from shallowdeep.provenance.records import Run
from shallowdeep.provenance.stage import stage

PREPARED, RESULTS, PLOTS = Path("data/prepared"), Path("results"), Path("results/plots")


@stage("evaluate")
def evaluate(run: Run) -> None:
    """Compare the networks of params.yaml."""
    from threadpoolctl import threadpool_limits

    from shallowdeep.evaluation import csv_file, metrics
    from shallowdeep.evaluation.findings import conclude
    from shallowdeep.evaluation.score_table import write_scores
    from shallowdeep.evaluation.split_predictions import by_split
    from shallowdeep.evaluation.tables import chart_tables
    from shallowdeep.evaluation.verdict import familywise_note, verdict
    from shallowdeep.files.atomic import write_text
    from shallowdeep.files.yaml_file import parse
    from shallowdeep.prepared import data_report, prepared_set
    from shallowdeep.provenance.experiment_count import count
    from shallowdeep.report import (
        charts,
        model_card,
        page,
        picture_sheets,
        records_page,
        terminal_lines,
    )
    from shallowdeep.settings import params
    from shallowdeep.trained import former, history, trained_network

    imported()
    settings = params.read(Path("params.yaml"))
    threadpool_limits(1)  # on any number of cores the same bits
    notes = former.remove_former_networks(settings.networks)
    with Progress("reading the networks") as progress:
        prepared = prepared_set.read(PREPARED)
        tested = len(prepared.tested())
        networks = {
            name: trained_network.read(name, settings, tested=tested) for name in settings.networks
        }
        predictions = {name: one.predictions for name, one in networks.items()}
        progress.now("computing scores and intervals")
        splits = by_split(predictions, prepared)
        found = conclude(splits, predictions, settings)
        histories = {name: one.history for name, one in networks.items()}
        tables = chart_tables(
            found.epochs, splits["test"], histories, history.MEASURES, prepared.classes
        )
        progress.now("drawing")
        shown = charts.Shown(tables, list(networks), found)
        weights = {name: one.model.first_layer(0) for name, one in networks.items()}
        pictures = picture_sheets.chosen(weights, prepared, splits["test"])
        facts = page.Facts(
            found=found,
            data=data_report.read_counts(RESULTS / "data.json"),
            counts=prepared.counts(),
            left_out=data_report.read_listing(RESULTS / "rejected.csv"),
            settings=settings,
            parameters=page.flat(parse(Path("params.yaml"))),
            identity=records_page.identity(run.inputs),
        )
        run.check_unchanged()
        for name, table in tables.items():
            csv_file.write(table, PLOTS / f"{name}.csv")
        write_scores(found.scores, RESULTS / "scores.csv")
        metrics.write(
            metrics.at_a_glance(found.scores, verdict(found.question)), RESULTS / "metrics.json"
        )
        picture_sheets.write(pictures.first_layer, PLOTS / "first_layer.jpg")
        picture_sheets.write(pictures.most_wrong, PLOTS / "most_wrong.jpg")
        write_text(PLOTS / "learning_curves.svg", charts.learning_curves(shown))
        write_text(RESULTS / "report.html", page.render(facts, shown, pictures))
        write_text(RESULTS / "report.md", page.summarised(facts))
        for name in networks:
            write_text(RESULTS / "model_cards" / f"{name}.md", model_card.card(facts, name))
        run.finish()
        seconds = None
        if run.stage:
            experiments = count(run.stage.repo, parse(RESULTS / "metrics.json"))
            notes.append(familywise_note(experiments, alpha=settings.alpha))
            records_page.write(notes[-1])
            seconds = records_page.training_seconds()
    for line in notes + terminal_lines.lines(found, settings, seconds=seconds):
        print("evaluate:", line)


if __name__ == "__main__":
    evaluate()
