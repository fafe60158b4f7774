"""Workers on other machines: a cluster of dask.distributed does the work in place of processes of this one.

The results and their order are the same. What a worker that is lost was doing is done again by another.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import TracebackType

from distributed import Client, Security
from distributed.comm.core import connect

from properties.engines import EngineError
from properties.engines.workers import Workers

CONNECTING = "5s"
"""How long a scheduler is waited for."""


class NoCluster(EngineError):
    """There is no scheduler at the address, it has no worker, or a worker has another program."""


class Cluster(Workers):
    """The workers of the scheduler at an address such as `tcp://10.0.0.1:8786`, for the length of a `with`. Raises
    `NoCluster`."""

    def __init__(self, address: str) -> None:
        try:
            asyncio.run(_meet(address))
            self._client = Client(address, timeout=CONNECTING, set_as_default=False)
        except (OSError, TypeError, ValueError) as error:
            raise NoCluster(f"no scheduler answers there ({error or type(error).__name__})") from None
        try:
            self._check()
        except BaseException:
            self._client.close()
            raise
        self._pool = self._client.get_executor(pure=False)
        self.count = sum(self._client.nthreads().values())

    def _check(self) -> None:
        """Another version of the model would answer another question."""
        try:
            theirs = self._client.run(fingerprint)
        except ImportError as error:
            raise NoCluster(f"its workers do not have this program ({error})") from None
        if not theirs:
            raise NoCluster("it has no worker")
        other = [worker for worker, each in theirs.items() if each != fingerprint()]
        if other:
            raise NoCluster(f"the worker {other[0]} has another version of this program")

    def stop(self) -> None:
        """Take back the work that is not done."""
        self._pool.shutdown(wait=False)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        super().__exit__(kind, error, at)
        self._client.close()


async def _meet(address: str) -> None:
    """Raise what is wrong with an address before there is a client, which would be left half-made, and complain of it
    at the end of the process."""
    met = await connect(address, timeout=CONNECTING, **Security().get_connection_args("client"))
    await met.close()


def fingerprint() -> str:
    """A digest of all of the model and its properties, as they are installed where this runs."""
    digest = hashlib.sha256()
    for package in ("model", "properties"):
        for name, file in sorted(_sources(files(package), package)):
            digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for each in folder.iterdir():
        name = f"{path}/{each.name}"
        if each.is_dir():
            yield from _sources(each, name)
        elif name.endswith((".py", ".toml")):
            yield name, each
