"""A server's application, and windows on it."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

pytest.importorskip("starlette")
pytest.importorskip("httpx")

from starlette.testclient import TestClient

PORT = 8765


def wav(audio: np.ndarray, rate: int = 44_100) -> bytes:
    """A 16-bit file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def tone(seconds: float = 1.0, hz: float = 440.0, rate: int = 44_100) -> np.ndarray:
    """A tone with partials, as loud as an instrument."""
    time = np.arange(round(seconds * rate)) / rate
    return sum(0.2 / k * np.sin(2 * np.pi * hz * k * time) for k in range(1, 9))


class Window:
    """A window of a page: its session, and what it asks."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.id = client.post("/api/session").json()["session"]
        self.headers = {"X-Session": self.id}

    def get(self, path: str, **more):
        """GET below /api."""
        return self.client.get(f"/api{path}", headers=self.headers, **more)

    def post(self, path: str, body: object = None, **more):
        """POST JSON below /api."""
        return self.client.post(f"/api{path}", headers=self.headers, json=body if body is not None else {}, **more)

    def upload(self, content: bytes, name: str = "a.wav"):
        """Send a file."""
        return self.client.post("/api/sounds", params={"name": name}, content=content, headers=self.headers)

    def done(self, path: str, body: object = None) -> dict:
        """Submit a job and wait for its result."""
        job = self.post(f"{path}?wait=30", body).json()["job"]
        for _ in range(20):
            if job["state"] in ("done", "failed", "cancelled"):
                break
            job = self.wait(job["id"])
        assert job["state"] == "done", job
        return job["result"]

    def wait(self, id: str) -> dict:
        """A job, a little later."""
        import time

        for _ in range(100):
            job = self.get(f"/jobs/{id}").json()["job"]
            if job["state"] in ("done", "failed", "cancelled"):
                break
            time.sleep(0.1)
        return job

    def samples(self, id: str) -> np.ndarray:
        """A sound's samples."""
        return np.frombuffer(self.get(f"/sounds/{id}/samples").content, "<f4")


@pytest.fixture(scope="module")
def client():
    from vqsynth.play.app import application
    from vqsynth.play.guard import Gate

    with TestClient(application(Gate("127.0.0.1", PORT)), base_url=f"http://127.0.0.1:{PORT}") as client:
        yield client


@pytest.fixture
def window(client):
    return Window(client)
