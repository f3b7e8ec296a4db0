"""The composition root: one API server from its configuration to the open socket, for the lab and the command line."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from kubeslice.lab.apiserver import bootstrap, pki
from kubeslice.lab.apiserver.admission import Webhooks
from kubeslice.lab.apiserver.authn import Authentication, StaticTokens
from kubeslice.lab.apiserver.authz import SUPERUSERS, Authorizer
from kubeslice.lab.apiserver.config import ServerConfig
from kubeslice.lab.apiserver.identity.accounts import ServiceAccountTokens
from kubeslice.lab.apiserver.identity.signing import Signer, load_key
from kubeslice.lab.apiserver.interfaces import Object, TypeSchema, UserInfo
from kubeslice.lab.apiserver.kinds.addresses import RESOURCE as SERVICES
from kubeslice.lab.apiserver.kinds.addresses import Addresses
from kubeslice.lab.apiserver.kubeconfig import kubeconfig
from kubeslice.lab.apiserver.rest import bodies
from kubeslice.lab.apiserver.rest.backend import Backend
from kubeslice.lab.apiserver.rest.dispatch import Dispatcher
from kubeslice.lab.apiserver.rest.documents import Documents
from kubeslice.lab.apiserver.schema.builtin import BuiltinSchema
from kubeslice.lab.apiserver.schema.openapi import Documents as OpenApiDocuments
from kubeslice.lab.apiserver.storage.database import Database
from kubeslice.lab.apiserver.storage.reader import StoreReader
from kubeslice.lab.apiserver.storage.store import Store
from kubeslice.lab.apiserver.streams.kubelet import Kubelets
from kubeslice.lab.apiserver.token_secrets import TokenSecrets
from kubeslice.lab.apiserver.types.builtin import builtin_types
from kubeslice.lab.apiserver.types.catalog import Catalog
from kubeslice.lab.apiserver.types.custom import custom_types
from kubeslice.lab.apiserver.types.registrar import Registrar

log = logging.getLogger(__name__)


async def serve(config: ServerConfig) -> None:
    """Run an API server until cancelled."""
    async with running(config):
        await asyncio.Event().wait()


@asynccontextmanager
async def running(config: ServerConfig) -> AsyncIterator[Backend]:
    """Run an API server while the context lasts; inside it the server answers."""
    files = pki.Files(config.data_dir)
    pki.ensure(files, (config.host, str(config.services[1]), *config.names))
    admin = files.admin_token.read_text()
    pki.write_secret(files.kubeconfig, kubeconfig(config.url, files.ca.read_bytes(), admin))
    store = Store(Database(config.data_dir / "cluster.db"), config.history)
    try:
        backend, dispatcher = compose(config, files, store, admin)
        async with listening(config, files, dispatcher):
            log.info("serving on %s", config.url)
            yield backend
        await backend.kubelets.close()
        await backend.admission.close()
    finally:
        store.close()


def compose(config: ServerConfig, files: pki.Files, store: Store, admin: str) -> tuple[Backend, Dispatcher]:
    """Put the parts together."""
    reader = StoreReader(store)
    signer = Signer(load_key(files.signing_key.read_bytes()))
    tokens = ServiceAccountTokens(signer, reader, issuer=config.issuer, audiences=(), now=time.time)
    static = StaticTokens({admin: UserInfo("kubernetes-admin", (SUPERUSERS,)), **config.tokens})
    addresses = Addresses(config.services)
    catalog = Catalog(builtin_types(BuiltinSchema))
    backend = Backend(
        store=store,
        catalog=catalog,
        admission=Webhooks(reader),
        authentication=Authentication(static, tokens),
        authorizer=Authorizer(reader),
        tokens=tokens,
        addresses=addresses,
        kubelets=Kubelets(store, _kubelet_token(config)),
    )
    bootstrap.ensure(store, config.services, config.port)
    for entry in store.scan(SERVICES):
        addresses.take(entry.obj)
    store.listen(addresses.observe)
    Registrar(store, catalog, lambda definition: custom_types(definition, _compile)).start()
    TokenSecrets(store, tokens, files.ca.read_bytes()).start()
    address = config.url.partition("://")[2]
    documents = Documents(catalog, OpenApiDocuments(catalog), signer.key_set, config.issuer, address)
    return backend, Dispatcher(backend, documents)


def _kubelet_token(config: ServerConfig) -> str:
    return config.kubelet_token_file.read_text().strip() if config.kubelet_token_file else ""


def _compile(openapi: Object | None) -> TypeSchema:
    from kubeslice.lab.apiserver.schema.custom import compile_schema  # noqa: PLC0415 - CEL is slow to import

    return compile_schema(openapi)


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    """Make a request whose body may be as large as kube-apiserver's; the reading side has its own limit."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=2 * bodies.LIMIT)


@asynccontextmanager
async def listening(config: ServerConfig, files: pki.Files, dispatcher: Dispatcher) -> AsyncIterator[None]:
    """Listen while the context lasts."""
    server = web.Server(dispatcher, request_factory=_request, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0.5)
    await runner.setup()
    try:
        for site in _sites(runner, config, files):
            await site.start()
        yield
    finally:
        await runner.cleanup()


def _sites(runner: web.ServerRunner, config: ServerConfig, files: pki.Files) -> list[web.BaseSite]:
    tls = pki.server_context(files)
    if not config.sockets:
        return [web.TCPSite(runner, config.host, config.port, ssl_context=tls, backlog=1024)]
    return [web.SockSite(runner, each, ssl_context=tls, backlog=1024) for each in config.sockets]
