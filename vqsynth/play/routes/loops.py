"""A feedback loop that is heard while it is shaped: blocks of sound over a socket, as many as the page asks for."""

from __future__ import annotations

import asyncio
import contextlib

import numpy as np
import torch
from anyio.to_thread import run_sync
from pydantic import Field
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from vqsynth.errors import VqsynthError
from vqsynth.play.answers import Body, Refused, answer, described, parse
from vqsynth.play.desk import Desk
from vqsynth.streaming.module import scripted
from vqsynth.wavae.domain import Domain
from vqsynth.wavae.effects.feedback import burst
from vqsynth.wavae.effects.feedback_loop import FeedbackLoop

MOST_LOOPS = 2
"""That sound at once, on a whole machine."""
MESSAGE_BYTES = 2000
IDLE_SECONDS = 30.0
"""After which a loop that nobody listens to ends."""
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

    Held still it makes the very sound of the rendered one, ``latency`` samples late.

    Args:
        domain: whose model listens to itself.
        seed: of all noise.
    """

    def __init__(self, domain: Domain, seed: int = 0) -> None:
        loop = FeedbackLoop(domain, seed=seed)
        self.sample_rate, self.block, self.latency = loop.sample_rate, loop.block, loop.latency
        self.random, self.coming = np.random.default_rng(seed), burst(loop.sample_rate, seed)
        zeros = torch.zeros(1, self.block, dtype=torch.float64)
        self.stream = scripted(loop, zeros, zeros, zeros + 440, zeros + 1, zeros)
        self.last: np.ndarray | None = None

    @torch.inference_mode()
    def go(self, asked: Go) -> np.ndarray:
        """The next blocks. Shape: -> [blocks * block] float32."""
        goal = np.array([asked.frequency, asked.q, asked.feedback])[:, None]
        last = goal if self.last is None else self.last
        parts = []
        for number in range(asked.blocks):
            share = (number * self.block + 1 + np.arange(self.block)) / (asked.blocks * self.block)
            # In equal ratios; the factor, which may be 0, in equal steps.
            moved = last[:2] * (goal[:2] / last[:2]) ** share, last[2:] + (goal[2:] - last[2:]) * share
            coming, self.coming = self.coming[: self.block], self.coming[self.block :]
            rows = [np.pad(coming, (0, self.block - len(coming))), self.random.standard_normal(self.block)]
            given = torch.from_numpy(np.concatenate([rows, *moved]))[:, None]
            parts.append(self.stream(*given)[0].float().numpy())
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
                return LiveLoop(domain, asked.seed)

            loop = await run_sync(begin)
            await socket.send_text(f'{{"rate": {loop.sample_rate}, "block": {loop.block}, "latency": {loop.latency}}}')
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
    try:
        text = await asyncio.wait_for(socket.receive_text(), IDLE_SECONDS)
    except asyncio.TimeoutError:
        raise Refused(408, "nobody listened to the loop; begin it again") from None
    except KeyError:
        raise Refused(400, "a message of the loop is a text") from None
    if len(text) > MESSAGE_BYTES:
        raise Refused(413, "a message of the loop is a few numbers; this one is too long")
    return text.encode()
