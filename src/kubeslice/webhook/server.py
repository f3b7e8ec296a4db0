"""HTTP in front of the checks: TLS, reading reviews, answering in time. What a check raises never stops a cluster."""

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from kubeslice.model.errors import Terminal
from kubeslice.plan import admission
from kubeslice.plan.admission import BadReview, Review, Verdict
from kubeslice.runtime.metrics import CollectorRegistry, Histogram
from kubeslice.webhook.configurations import MUTATE, VALIDATE

log = logging.getLogger(__name__)

LARGEST_BODY = 8 * 1024 * 1024  # two objects of the size etcd holds, twice over
DECIDE_WITHIN = 1.5
Check = Callable[[Review], Awaitable[Verdict]]


class Reviews:
    """Answers AdmissionReviews with one check for each path."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "kubeslice_admission_duration_seconds",
            "Time of one admission review.",
            ["plural", "outcome"],
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2),
            registry=registry,
        )

    def application(self, mutate: Check, validate: Check) -> Starlette:
        """Return the ASGI application."""
        paths = {MUTATE: mutate, VALIDATE: validate}
        return Starlette(routes=[Route(path, self._endpoint(check), methods=["POST"]) for path, check in paths.items()])

    def _endpoint(self, check: Check) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            started = time.perf_counter()
            try:
                review = admission.read_review(await _body(request))
            except BadReview as refusal:
                return PlainTextResponse(f"{refusal}\n", status_code=400)
            verdict, outcome = await decide(check, review)
            self._seconds.labels(review.plural, outcome).observe(time.perf_counter() - started)
            return JSONResponse(admission.answer(review, verdict))

        return endpoint


async def decide(check: Check, review: Review) -> tuple[Verdict, str]:
    """Return the verdict of a check and how it came about; a check that fails or dawdles lets the request through."""
    try:
        async with asyncio.timeout(DECIDE_WITHIN):
            verdict = await check(review)
    except Terminal as refusal:
        return Verdict(problems=[str(refusal)]), "refused"
    except Exception:
        log.exception("%s of %s %s/%s was not checked", review.operation, review.plural, review.namespace, review.name)
        return Verdict(warnings=["KubeSlice could not check this object; it reports problems in its status"]), "error"
    return verdict, "refused" if verdict.problems else "allowed"


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise BadReview(f"the body has more than {LARGEST_BODY} bytes")
    return bytes(body)


class TlsServer(uvicorn.Server):
    """uvicorn with a TLS context whose certificate may be renewed, and without signal handlers of its own."""

    def __init__(self, application: Starlette, port: int, tls: ssl.SSLContext, host: str = "0.0.0.0") -> None:  # noqa: S104
        config = uvicorn.Config(
            application,
            host=host,
            port=port,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
        )
        config.load()
        config.ssl = tls
        super().__init__(config)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process, which stops everything in order."""
        yield

    async def run_until_cancelled(self) -> None:
        """Serve; on cancellation close the sockets and give open requests a moment."""
        serving = asyncio.create_task(self.serve(), name="uvicorn")
        try:
            await asyncio.shield(serving)
        finally:
            self.should_exit = True
            with contextlib.suppress(asyncio.CancelledError, TimeoutError):
                async with asyncio.timeout(1):
                    await serving
