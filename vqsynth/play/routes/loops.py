"""A feedback loop that is heard while it is shaped: blocks of sound over a socket, as many as the page asks for."""

from __future__ import annotations

import asyncio
import contextlib

import numpy as np
from anyio.to_thread import run_sync
from pydantic import Field
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from vqsynth.errors import VqsynthError
from vqsynth.play.answers import Body, Refused, answer, described, parse
from vqsynth.play.desk import Desk
from vqsynth.wavae.effects.feedback_loop import FeedbackLoop

MOST_LOOPS = 2
"""That sound at once, on a whole machine."""
MESSAGE_BYTES = 2000
ENDING = 150
"""Times fifty to a second that a window's loop is waited for to end."""


class Start(Body):
    """The model that listens to itself, and the loop's seed."""

    model: str = Field(max_length=80)
    seed: int = Field(default=0, ge=0, le=2**53)


class Go(Body):
    """Go on by some blocks; from here on the loop moves to these values."""

    blocks: int = Field(default=1, ge=1, le=16)
    frequency: float = Field(ge=20, le=16_000)
    q: float = Field(ge=0.3, le=50)
    feedback: float = Field(ge=0, le=10)


class LiveLoop:
    """A feedback loop that goes on from block to block; what moves it moves on a line, without a click.

    Args:
        loop: fresh.
    """

    def __init__(self, loop: FeedbackLoop) -> None:
        self.loop, self.block = loop, loop.block
        self.last: np.ndarray | None = None

    def go(self, asked: Go) -> np.ndarray:
        """The next blocks. Shape: -> [blocks * block] float32."""
        goal = np.array([np.log(asked.frequency), np.log(asked.q), asked.feedback])
        last = goal if self.last is None else self.last
        silence, parts = np.zeros(self.block), []
        for number in range(asked.blocks):
            share = (number * self.block + 1 + np.arange(self.block)) / (asked.blocks * self.block)
            frequency, quality, factor = last[:, None] + (goal - last)[:, None] * share
            parts.append(self.loop.push(silence, np.exp(frequency), np.exp(quality), factor))
        self.last = goal
        return np.concatenate(parts)


def table(desk: Desk) -> list[WebSocketRoute]:
    """Its routes."""
    running: set[str] = set()

    async def live(socket: WebSocket) -> None:
        try:
            session = desk.sessions.of(socket)
        except Refused:
            await socket.close(4404)
            return
        await socket.accept()
        mine = False
        try:
            # One that was just ended may still be at its last block.
            for _ in range(ENDING):
                if session.id not in running:
                    break
                await asyncio.sleep(0.02)
            if session.id in running or len(running) >= MOST_LOOPS:
                raise Refused(429, "a loop is sounding already; end that one first")
            running.add(session.id)
            mine = True
            asked = parse(await _text(socket), Start)

            def begin() -> LiveLoop:
                domain = desk.models.domain(asked.model)
                return LiveLoop(FeedbackLoop(domain, seed=asked.seed))

            loop = await run_sync(begin)
            await socket.send_text(f'{{"rate": {loop.loop.sample_rate}, "block": {loop.block}}}')
            while True:
                step = parse(await _text(socket), Go)
                await socket.send_bytes((await run_sync(loop.go, step)).astype("<f4").tobytes())
        except (WebSocketDisconnect, RuntimeError):
            pass
        except (Refused, VqsynthError) as error:
            _, text = described(error)
            with contextlib.suppress(Exception):
                await socket.send_text(bytes(answer(text).body).decode())
                await socket.close(4400)
        finally:
            if mine:
                running.discard(session.id)

    return [WebSocketRoute("/api/feedback/live", live)]


async def _text(socket: WebSocket) -> bytes:
    text = await socket.receive_text()
    if len(text) > MESSAGE_BYTES:
        raise Refused(413, "a message of the loop is a few numbers; this one is too long")
    return text.encode()
