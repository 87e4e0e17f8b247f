"""`STAGE_RANKS=3` starts a stage three times on this machine, by torchrun.

torchrun's own variables add machines: `PET_NNODES`, `PET_NODE_RANK`, `PET_MASTER_ADDR` and
`PET_MASTER_PORT`, with the same command on each. On one machine ranks meet in a file and connect
over its loopback interface, so that no other machine can reach them.
"""

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shallowdeep.files.errors import InputError
from shallowdeep.files.imports import importing
from shallowdeep.training.ranks import LOST_CONNECTION, STORE

ASKED = "STAGE_RANKS"
MOST = 1_024
GRACE = 5  # seconds that ranks have to end once one has failed
# A rank that is sent one of these ends itself with 128 and its number.
SEEN = {signal.SIGINT, signal.SIGTERM}
AFTER_A_SIGNAL = {LOST_CONNECTION, -signal.SIGTERM, *(128 + number for number in SEEN)}


def wanted_ranks() -> int | None:
    """Number of ranks to start on this machine; None for a single process, or in a rank.

    Raises:
        InputError: STAGE_RANKS is no such number.
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
        InputError: one has not; its message, or the signal that has ended it.
    """
    with importing():
        from torch.distributed import run as torchrun
        from torch.distributed.elastic.multiprocessing.api import SignalException
        from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
        from torch.distributed.elastic.rendezvous import RendezvousError

    logging.disable(logging.CRITICAL)  # its page about a rank that has failed
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    options = [f"--nproc-per-node={ranks}", f"--shutdown-timeout={GRACE}", "--monitor-interval=0.2"]
    try:
        with _meeting() as meeting:
            torchrun.main([*options, *meeting, *command])
    except ChildFailedError as error:
        _tell(error.failures)
    except SignalException as error:
        if error.sigval == signal.SIGINT:
            raise KeyboardInterrupt from None
        sys.exit(128 + error.sigval)
    except (RendezvousError, ValueError, AssertionError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"the ranks have not come together: {reason}") from None


def _on_one_machine() -> bool:
    return os.environ.get("PET_NNODES", "1") == "1"


@contextmanager
def _meeting() -> Iterator[list[str]]:
    """Place for ranks to meet, as options of torchrun, whose server listens on all addresses."""
    if not _on_one_machine():
        yield []
        return
    loopback = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), "lo")
    os.environ["GLOO_SOCKET_IFNAME"] = loopback
    os.environ["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"
    with TemporaryDirectory() as folder:
        os.environ[STORE] = str(Path(folder) / "ranks")
        yield [
            "--rdzv-backend=c10d",
            f"--rdzv-endpoint={Path(folder) / 'torchrun'}",
            "--rdzv-conf=store_type=file",
            "--local-addr=127.0.0.1",  # the machine's own name may lead nowhere
        ]


def _tell(failures: Mapping[int, Any]) -> None:
    """Raise one line on why ranks have failed."""
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
                f"rank {rank} was ended by {name}; nothing was written; `dvc repro` continues"
            )
    if statuses <= {LOST_CONNECTION, -signal.SIGTERM}:
        raise InputError(
            "the connection to a rank of another machine has broken; nothing was written; `dvc"
            " repro` continues"
        )
    sys.exit(max(statuses - {LOST_CONNECTION}))  # it has said why
