"""Which API server a command talks to, and how its failures read."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from kubeslice.kube.http import HttpApi

T = TypeVar("T")

Kubeconfig = Annotated[
    Path | None, typer.Option("--kubeconfig", help="Kubeconfig file; default $KUBECONFIG, then ~/.kube/config.")
]
Context = Annotated[str | None, typer.Option("--context", help="Context of the kubeconfig; default its current one.")]

WorkerKubeconfig = Annotated[
    Path | None, typer.Option(help="Kubeconfig of the worker cluster; default the same as the hub's.")
]
WorkerContext = Annotated[
    str | None,
    typer.Option(help="Context of the worker cluster; default the current one, unless that is the hub's cluster."),
]


@dataclass(frozen=True)
class Target:
    """A context of a kubeconfig, and the API server that it leads to."""

    context: str
    server: str

    def __str__(self) -> str:
        return f"context {self.context} ({self.server})"


def target(kubeconfig: Path | None, context: str | None) -> Target:
    """Return what the options name; ends the program with a clear line when the kubeconfig does not have it."""
    from kubeslice.kube.config import chosen

    try:
        return Target(*chosen(_file(kubeconfig), context))
    except KeyError as error:
        fail(str(error.args[0]))


def worker_target(hub: Target, kubeconfig: Path | None, worker_kubeconfig: Path | None, context: str | None) -> Target:
    """Return the cluster of a worker, which is the kubeconfig's current one unless it is named.

    Ends the program when nobody named one and it is the hub's own: that may be meant, and may be an oversight.
    """
    found = target(worker_kubeconfig or kubeconfig, context)
    if found.server == hub.server and not (worker_kubeconfig or context):
        fail(
            f"{found} is the hub's own cluster: name the worker's with --worker-context or --worker-kubeconfig; if the "
            f"hub's cluster itself is meant, with --worker-context {found.context}"
        )
    return found


def run_with_api(kubeconfig: Path | None, context: str | None, work: "Callable[[HttpApi], Awaitable[T]]") -> T:
    """Run `work` with the API server that the options name; print one clear line and exit 1 when that fails."""
    import asyncio

    from kubeslice.kube.config import from_kubeconfig
    from kubeslice.kube.errors import ApiError
    from kubeslice.kube.http import HttpApi
    from kubeslice.kube.waiting import NotReached
    from kubeslice.model.errors import Terminal

    async def session() -> T:
        async with HttpApi(from_kubeconfig(_file(kubeconfig), context)) as api:
            return await work(api)

    try:
        try:
            return asyncio.run(session())
        except ExceptionGroup as several:
            raise _first(several) from several
    except ApiError as error:
        fail(_sentence(error.status, error.message))
    except (NotReached, Terminal, KeyError, ValueError, OSError) as error:
        fail(str(error.args[0] if isinstance(error, KeyError) else error))


def fail(sentence: str) -> NoReturn:
    """Print an error and end with status 1."""
    typer.echo(f"error: {sentence}", err=True)
    raise typer.Exit(1)


def _first(several: ExceptionGroup) -> Exception:
    """Return the first failure in a group of failures."""
    found = several.exceptions[0]
    return _first(found) if isinstance(found, ExceptionGroup) else found


def _file(kubeconfig: Path | None) -> Path:
    chosen = kubeconfig or Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    if not chosen.is_file():
        fail(
            f"there is no kubeconfig at {chosen}: name one with --kubeconfig or $KUBECONFIG "
            "(for the lab: kubeslice lab kubeconfig > lab.kubeconfig)"
        )
    return chosen


def _sentence(status: int, message: str) -> str:
    if status == 404 and "page not found" in message:
        return (
            "this API server does not know KubeSlice: is it the hub's, and is that installed? (kubeslice install hub)"
        )
    if status == 404:
        return f"{message}; is this the hub cluster, and is KubeSlice installed there? (kubeslice install hub)"
    if status == 401:
        return f"{message}: the API server does not take the credential of this kubeconfig, it may have ended"
    return message
