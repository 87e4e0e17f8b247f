"""data/prepared -> models/NAME/: train one network, many runs on every fold."""

import os
import sys
from pathlib import Path

from shallowdeep.files.errors import InputError
from shallowdeep.files.imports import importing
from shallowdeep.provenance.records import Run
from shallowdeep.provenance.stage import stage


def start_ranks(name: str) -> None:
    """Start the ranks that STAGE_RANKS asks for; this process needs nothing that they import."""
    from shallowdeep.settings.params import QUESTION
    from shallowdeep.training import launching

    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # a page when the last but one rank ends
    if number := launching.wanted_ranks():
        if "PET_NNODES" in os.environ:  # DVC runs on the first machine, but all compare inputs
            os.environ.setdefault("DVC_STAGE", f"train{'-' if name in QUESTION else '@'}{name}")
        launching.launch(sys.argv, number)
        sys.exit()


@stage("train-{}", first=start_ranks)
def train(run: Run, name: str) -> None:
    """Train the network `name` of params.yaml."""
    with importing():
        from shallowdeep.prepared import prepared_set
        from shallowdeep.settings import params
        from shallowdeep.trained import trained_network
        from shallowdeep.training import ranks
        from shallowdeep.training.job import Job

    with ranks.joined() as process:
        settings = params.read(Path("params.yaml"))
        if name not in settings.networks:
            known = ", ".join(settings.networks)
            raise InputError(f"{name!r} is no network of params.yaml; there are {known}")
        pictures = prepared_set.read(
            Path("data/prepared"), share=settings.share, seed=settings.seed
        )
        job = Job(name, settings, pictures, process, run.inputs)
        if job.resumes:
            print(f"train-{name}: resumes from its last checkpoint")
        network = job.train()  # all ranks but 0 end here
        run.check_unchanged()
        trained_network.write(network, name)
        job.remove_checkpoints()
        run.finish()
        for line in job.summary(network):
            print(f"train-{name}: {line}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python stages/train.py NAME, a network of params.yaml")
    train(sys.argv[1])
