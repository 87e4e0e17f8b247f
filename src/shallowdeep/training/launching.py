"""`STAGE_RANKS=3` starts a stage three times on this machine, by torchrun, and says how it ended.

torchrun's own variables spread it over several: `PET_NNODES`, `PET_NODE_RANK`, `PET_MASTER_ADDR`
and `PET_MASTER_PORT`, with the same command on each.
"""

import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from shallowdeep.files.errors import InputError
from shallowdeep.files.imports import imported, importing
from shallowdeep.training.ranks import LEFT_ALONE

ASKED = "STAGE_RANKS"
MOST = 1_024
GRACE = 5  # seconds that ranks have to end once one has failed
# A rank that is sent one of these ends itself with 128 and its number.
SEEN = {signal.SIGINT, signal.SIGTERM}
AFTER_A_SIGNAL = {LEFT_ALONE, -signal.SIGTERM, *(128 + number for number in SEEN)}


def wanted_ranks() -> int | None:
    """How many ranks to start on this machine; None where it is one process, or a rank itself.

    Raises:
        InputError: what the environment says is no such number.
    """
    asked = os.environ.get(ASKED, "")
    if not asked or "TORCHELASTIC_RUN_ID" in os.environ:
        return None
    if not asked.isdecimal() or not 1 <= int(asked) <= MOST:
        raise InputError(f"{ASKED}: {asked!r} is no whole number from 1 to {MOST:,}")
    return int(asked)


def launch(command: Sequence[str], ranks: int) -> None:
    """Run a Python script with its arguments once for each rank, until all have ended well.

    Raises:
        InputError: one has not; what it says, or what has ended it.
    """
    importing()
    from torch.distributed import run as torchrun
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.elastic.rendezvous import RendezvousError

    imported()
    logging.disable(logging.CRITICAL)  # its page about a rank that has failed
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    options = [f"--nproc-per-node={ranks}", f"--shutdown-timeout={GRACE}", "--monitor-interval=0.2"]
    if _on_one_machine():  # its own name may lead nowhere
        options.append("--local-addr=127.0.0.1")
    try:
        torchrun.main([*options, *command])
    except ChildFailedError as error:
        _tell(error.failures)
    except SignalException as error:
        if error.sigval == signal.SIGINT:
            raise KeyboardInterrupt from None
        sys.exit(128 + error.sigval)
    except (RendezvousError, ValueError, AssertionError) as error:
        said = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"the ranks have not come together: {said}") from None


def _on_one_machine() -> bool:
    return os.environ.get("PET_NNODES", "1") == "1"


def _tell(failures: Mapping[int, Any]) -> None:
    """Say in one line why ranks have failed."""
    for failure in failures.values():
        message = failure.error_file_data.get("message")
        if isinstance(message, str) and message != "<NONE>":
            raise InputError(message)
    statuses = {failure.exitcode for failure in failures.values()}
    if statuses <= AFTER_A_SIGNAL and _on_one_machine():
        by = {128 + number: number for number in SEEN}
    else:  # torchrun itself ends ranks by SIGTERM
        by = {status: -status for status in statuses - {-signal.SIGTERM} if status < 0}
    for rank, failure in failures.items():
        if failure.exitcode in by:
            name = signal.Signals(by[failure.exitcode]).name
            raise InputError(
                f"rank {rank} was ended by {name}; nothing was written, `dvc repro` goes on"
            )
    if statuses <= {LEFT_ALONE, -signal.SIGTERM}:
        raise InputError(
            "the connection to a rank of another machine has broken; nothing was written, `dvc"
            " repro` goes on"
        )
    sys.exit(max(statuses - {LEFT_ALONE}))  # it has said why
