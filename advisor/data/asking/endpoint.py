"""A model behind an endpoint that speaks OpenAI's protocol of chat completions: vLLM, llama.cpp, Ollama, a cloud."""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import IO, Any
from urllib.parse import urlsplit

from advisor.errors import AdvisorError

PATH = "/chat/completions"
TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Status of an answer after which it is worth asking again."""

OF_THIS_QUESTION = frozenset({400, 413, 422})
"""Status of an answer that says that this question is refused, and not every one."""

LONGEST_WAIT, LONGEST_REPLY = 60.0, 8 << 20
"""Seconds waited at most before asking again; bytes of an answer that are read at most."""


class Refused(AdvisorError):
    """The endpoint does not take this question: it is too long for the model, or is not allowed."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection would carry the key to another host."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: Message,  # noqa: ARG002
        newurl: str,
    ) -> None:
        """Refuse to follow."""
        fp.close()
        raise AdvisorError(f"{req.full_url}: leads on to {newurl}; give that address itself if it is the right one")


@dataclass(slots=True)
class Pace:
    """Lets a question go at most every so many seconds, whichever thread asks."""

    seconds: float
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self) -> None:
        """Return when it is one's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            self._next = turn + self.seconds
        if turn > now:
            time.sleep(turn - now)


@dataclass(slots=True)
class Endpoint:
    """Asks one model.

    url: with or without `/chat/completions`. key: sent as a bearer token; none where it is empty. timeout: seconds for one answer.
    retries: how often is asked again after an answer that may be better next time. pace: between two questions.
    """

    url: str
    model: str
    key: str = ""
    timeout: float = 120.0
    retries: int = 5
    pace: Pace = field(default_factory=lambda: Pace(0.0))
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        split = urlsplit(self.url)
        if split.scheme not in ("http", "https") or not split.hostname:
            raise AdvisorError(f"{self.url}: no address of an endpoint; expected something like http://localhost:8000/v1")
        if split.username or split.password:
            raise AdvisorError("the address of an endpoint holds a password; put the key into an environment variable instead")
        self.url = self.url.rstrip("/")
        if not self.url.endswith(PATH):
            self.url += PATH

    @property
    def name(self) -> str:
        """What tells its answers from those of another model."""
        return f"{self.url} {self.model}"

    def ask(self, question: str) -> str:
        """Return the answer. Raises Refused where this question is not taken, AdvisorError where no question is."""
        body = {"model": self.model, "messages": [{"role": "user", "content": question}], "temperature": 0.2, "stream": False}
        request = urllib.request.Request(  # noqa: S310  the scheme was checked
            self.url, json.dumps(body).encode(), {"Content-Type": "application/json", "Accept": "application/json"}
        )
        if self.key:
            request.add_unredirected_header("Authorization", f"Bearer {self.key}")
        for attempt in range(self.retries + 1):
            self.pace.wait()
            try:
                return self._answer(request)
            except _Again as again:
                if attempt == self.retries:
                    raise AdvisorError(f"{self.url}: {again} ({attempt + 1} times)") from again
                self.sleep(min(again.seconds if again.seconds is not None else 2.0**attempt, LONGEST_WAIT))
        raise AssertionError

    def _answer(self, request: urllib.request.Request) -> str:
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(request, timeout=self.timeout) as reply:
                raw = reply.read(LONGEST_REPLY + 1)
        except urllib.error.HTTPError as error:
            with error:
                said = _said(error.read(LONGEST_REPLY)) or str(error.reason)
            if error.code in TRANSIENT:
                raise _Again(f"status {error.code}: {said}", _seconds(error.headers.get("Retry-After"))) from error
            if error.code in OF_THIS_QUESTION:
                raise Refused(f"status {error.code}: {said}") from error
            raise AdvisorError(
                f"{self.url}: status {error.code}: {said}; check the address, --endpoint-model and the key"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise _Again("no answer in time" if isinstance(reason, TimeoutError) else f"no connection ({reason})") from error
        return _content(raw)


class _Again(Exception):
    """No answer this time. seconds: how long the endpoint wants to be left alone."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


def _seconds(value: str | None) -> float | None:
    try:
        return max(float(value), 0.0) if value else None
    except ValueError:
        return None


def _said(raw: bytes) -> str:
    """Return what an error says of itself."""
    try:
        value = json.loads(raw)
    except ValueError:
        return " ".join(raw[:200].decode("utf-8", "replace").split())
    error = value.get("error", value) if isinstance(value, dict) else value
    return str(error.get("message", error) if isinstance(error, dict) else error)[:300]


def _content(raw: bytes) -> str:
    """Return the text of an answer. Raises _Again where there is none: it was cut off, or is no answer of this protocol."""
    try:
        value: Any = json.loads(raw)
        content = value["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise _Again(f"no answer of the chat completions protocol: {raw[:120].decode('utf-8', 'replace')!r}") from error
    return content if isinstance(content, str) else ""
