"""`python exec_client.py URL TOKEN [INPUT]`: runs a command over a kubelet's WebSocket; prints channels as JSON."""

import asyncio
import json
import sys

import aiohttp


async def run(url: str, token: str, text: str | None) -> dict[str, str]:
    found: dict[int, bytes] = {}
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(url, protocols=("v5.channel.k8s.io",)) as socket,
    ):
        assert socket.protocol == "v5.channel.k8s.io"
        if text is not None:
            await socket.send_bytes(b"\x00" + text.encode())
            await socket.send_bytes(b"\xff\x00")
        async for message in socket:
            found[message.data[0]] = found.get(message.data[0], b"") + message.data[1:]
    return {str(channel): data.decode() for channel, data in found.items()}


if __name__ == "__main__":
    given = sys.argv[3] if len(sys.argv) > 3 else None
    print(json.dumps(asyncio.run(run(sys.argv[1], sys.argv[2], given))))
