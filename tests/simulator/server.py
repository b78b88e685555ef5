"""The simulator: a world served over HTTP on four ports of the loopback, in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import threading
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from tests.simulator import answers, auth, dates, delivery
from tests.simulator.faults import Faults
from tests.simulator.recording import RecordedRequest, Recorder
from tests.simulator.replies import ApiError, Reply

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from tests.simulator.faults import Fault
    from tests.simulator.world import World

HOSTS: Final = ("api", "conversations", "mcs", "media")
_LOOPBACK: Final = "127.0.0.1"
_START_SECONDS: Final = 30


class Simulator:
    """Twilio in miniature: serves a world, records requests and injects faults.

    Attributes:
        world: What it serves; may be changed at any time, from any thread.
        latency: Seconds that every answer takes.
        faults: The faults in force.
        keeps_alive: Whether a connection serves more than one request.
    """

    def __init__(
        self,
        world: World,
        latency: float = 0.0,
        port: int = 0,
        bandwidth: float | None = None,
    ) -> None:
        """Prepare a simulator, which serves once it is started.

        Args:
            world: What it serves.
            latency: Seconds that every answer takes.
            port: The port of the API host, which the other hosts follow; 0 for any free ones.
            bandwidth: Bytes a second that all files together come with; None for no bound.
        """
        self.world = world
        self.latency = latency
        self.faults = Faults()
        self.keeps_alive = True
        self._port = port
        self._line = delivery.Line(bandwidth) if bandwidth else None
        self._recorder = Recorder()
        self._urls: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None

    @property
    def api_url(self) -> str:
        """The base of the 2010 API."""
        return self._urls["api"]

    @property
    def conversations_url(self) -> str:
        """The base of Conversations."""
        return self._urls["conversations"]

    @property
    def mcs_url(self) -> str:
        """The base of the Media Content Service."""
        return self._urls["mcs"]

    @property
    def media_url(self) -> str:
        """The base of the host that serves signed addresses."""
        return self._urls["media"]

    @property
    def signed_url_seconds(self) -> int:
        """How long a signed address is valid, on the world's clock."""
        return self.world.signed_url_seconds

    @signed_url_seconds.setter
    def signed_url_seconds(self, seconds: int) -> None:
        self.world.signed_url_seconds = seconds

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far, in the order of their arrival."""
        return self._recorder.requests

    @property
    def leaked_authorizations(self) -> int:
        """How many requests brought an Authorization header to the media host."""
        return self._recorder.leaked_authorizations

    @property
    def max_in_flight(self) -> int:
        """The most requests that the three APIs were answering at once."""
        return self._recorder.max_in_flight

    def count(self, endpoint: str | None = None) -> int:
        """Return how many requests there were, of one endpoint or of all."""
        return self._recorder.count(endpoint)

    def reset(self) -> None:
        """Forget recorded requests and counters; faults stay in force."""
        self._recorder.reset()

    def config(self) -> dict[str, Any]:
        """Return settings with which the tap reads the main account of this simulator."""
        return {
            "account_sid": self.world.account_sid,
            "auth_token": self.world.auth_token,
            "api_url": self.api_url,
            "conversations_url": self.conversations_url,
            "mcs_url": self.mcs_url,
            "media_hosts": [_LOOPBACK],
        }

    def start(self) -> Self:
        """Serve, in a thread of its own, until stopped."""
        self._ready.clear()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            msg = "the simulator did not start in time"
            raise RuntimeError(msg)
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        """Close all connections and end the thread."""
        if self._loop is not None and self._end is not None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed already
                self._loop.call_soon_threadsafe(self._end.set)
        if self._thread is not None:
            self._thread.join()
        self._thread = None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        async with contextlib.AsyncExitStack() as stack:
            for number, host in enumerate(HOSTS):
                handler = functools.partial(self._handle, host)
                # Cancellation: a request that hangs ends when its client leaves.
                server = web.Server(handler, handler_cancellation=True, access_log=None)
                runner = web.ServerRunner(server, shutdown_timeout=0.1)
                stack.push_async_callback(runner.cleanup)
                await runner.setup()
                port = self._port + number if self._port else 0
                await web.TCPSite(runner, _LOOPBACK, port, backlog=512).start()
                self._urls[host] = f"http://{_LOOPBACK}:{runner.addresses[0][1]}"
            self.world.media_url = self.media_url
            self._ready.set()
            await self._end.wait()

    async def _handle(self, host: str, request: web.BaseRequest) -> web.StreamResponse:
        header = request.headers.get("Authorization")
        pair = auth.credentials(header)
        recorded = RecordedRequest(
            host=host,
            endpoint=answers.endpoint_of(host, request.path),
            path=request.path,
            query=dict(request.query),
            target=request.path_qs,
            username=pair[0] if pair else None,
            in_flight=0,
        )
        self._recorder.arrive(recorded, authorized=header is not None)
        try:
            reply, fault = await self._reply(request, recorded, pair, authorized=header is not None)
            headers = {
                "Date": dates.http_date(self.world.now),
                "Twilio-Request-Id": f"RQ{next(self._numbers):032x}",
            }
            if not self.keeps_alive:
                headers["Connection"] = "close"
            if fault is None:
                recorded.status = reply.status
                if self._line and host == "media":
                    return await self._line.send(request, reply, headers)
                return delivery.response(reply, headers)
            recorded.status = 0 if fault.kind == "reset" else reply.status
            return await delivery.spoiled(request, reply, headers, fault)
        finally:
            self._recorder.leave(recorded)

    async def _reply(
        self,
        request: web.BaseRequest,
        recorded: RecordedRequest,
        pair: tuple[str, str] | None,
        *,
        authorized: bool,
    ) -> tuple[Reply, Fault | None]:
        behaviour = self.world.behaviour
        most = behaviour.max_concurrent
        if most is not None and recorded.in_flight > most:
            seconds = behaviour.retry_after
            wait = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
            return ApiError(429, 20429, "Too Many Requests", wait).reply(), None
        if self.latency:
            await asyncio.sleep(self.latency)
        fault = self.faults.befall(recorded)
        if fault and fault.kind == "hang":
            await asyncio.Event().wait()
        if fault and (refusal := fault.refusal()):
            return refusal, None
        if request.method not in {"GET", "HEAD"}:
            return ApiError(405, 20004, "Method not allowed").reply(), None
        if recorded.host == "media":
            reply = answers.signed_content(self.world, recorded, authorized=authorized)
        else:
            reply = answers.answer(self.world, recorded, pair, self._urls[recorded.host])
        return reply, fault
