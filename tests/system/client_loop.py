"""What a client of the application does all day: a request every 100 ms by address, by name, and on one connection.

Runs inside a pod: `client_loop.py ADDRESS NAME`. Prints one line per request: when it began (monotonic clock), its
kind, and `ok` or what went wrong. A request that takes longer than LIMIT was not answered: a lost packet shows, for
TCP sends it again only after a second.
"""

import asyncio
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

PERIOD, LIMIT, FLOW_LIMIT = 0.1, 0.9, 30.0
RESOLVERS = ThreadPoolExecutor(100)
REQUEST = b"GET / HTTP/1.1\r\nHost: web\r\n\r\n"


def told(began: float, kind: str, result: str) -> None:
    print(f"{began:.3f} {kind} {result}", flush=True)


async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(address, 80)


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    body = await reader.readexactly(int(length.split(b":")[1]))
    if not body.startswith(b"hello from shop/"):
        raise ValueError(body.decode().replace(" ", "_"))


async def resolve(name: str) -> str:
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(RESOLVERS, socket.gethostbyname, name)
    return str(found)


async def request(kind: str, host: str) -> None:
    began = time.monotonic()
    try:
        async with asyncio.timeout(LIMIT):
            address = host if kind == "address" else await resolve(host)
            reader, writer = await connect(address)
            try:
                await exchange(reader, writer)
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError, EOFError) as error:
        told(began, kind, f"{type(error).__name__}:{error}".replace(" ", "_"))
    else:
        told(began, kind, "ok")


async def flow(address: str) -> None:
    """Keep one connection for as long as it lives; a new one is an event."""
    while True:
        began = time.monotonic()
        with suppress(OSError, TimeoutError, EOFError):
            reader, writer = await connect(address)
            while True:
                began = time.monotonic()
                async with asyncio.timeout(FLOW_LIMIT):
                    await exchange(reader, writer)
                told(began, "flow", "ok")
                await asyncio.sleep(PERIOD)
        told(began, "flow", "broke")
        await asyncio.sleep(PERIOD)


async def main(address: str, name: str) -> None:
    asking = asyncio.create_task(flow(address))
    running: set[asyncio.Task[None]] = {asking}
    while True:
        for kind, host in (("address", address), ("name", name)):
            task = asyncio.create_task(request(kind, host))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.sleep(PERIOD)


asyncio.run(main(*sys.argv[1:]))
