"""A line that breaks after so many bytes: what stands between a client and the server where that is asked for."""

from __future__ import annotations

import asyncio
import contextlib
import socket

_BLOCK = 64 * 1024


async def tapped(client: socket.socket, *, received: int | None, sent: int | None) -> socket.socket:
    """A socket in place of `client`'s for the server to talk to.

    The line is cut after `received` bytes from the client, or `sent` bytes to it, whichever comes first.
    """
    inner, ours = socket.socketpair()
    for each in (inner, ours):
        each.setblocking(False)
    task = asyncio.create_task(_carry(client, ours, received, sent))
    _running.add(task)
    task.add_done_callback(_running.discard)
    return inner


_running: set[asyncio.Task[None]] = set()


async def _carry(client: socket.socket, ours: socket.socket, received: int | None, sent: int | None) -> None:
    ways = [asyncio.create_task(_one_way(client, ours, received)), asyncio.create_task(_one_way(ours, client, sent))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        client.close()
        ours.close()


async def _one_way(source: socket.socket, target: socket.socket, limit: int | None) -> None:
    loop = asyncio.get_running_loop()
    left = limit
    with contextlib.suppress(OSError):
        while left is None or left > 0:
            data = await loop.sock_recv(source, _BLOCK if left is None else min(_BLOCK, left))
            if not data:
                return
            await loop.sock_sendall(target, data)
            if left is not None:
                left -= len(data)
