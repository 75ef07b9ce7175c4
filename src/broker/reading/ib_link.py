"""Connect to TWS or IB Gateway, or say in plain words why that did not work.

One ``Link`` is one connection: it is opened complete (positions and account values are in) and is
never reused after a loss. Every question asked over it has a deadline and ends as an answer, a
refusal of the broker, or ``BrokerLost``.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from asyncio import FIRST_COMPLETED
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

from ib_async.ib import IB, StartupFetch

from src.base.errors import BrokerLost, ClientIdTaken
from src.base.waits import Waits
from src.broker.client.guarded_client import GuardedClient, Progress
from src.broker.client.listener import CLIENT_ID_TAKEN, Listener
from src.broker.client.notices import Topic, last_few, meanwhile
from src.broker.client.replies import AnswerDamaged, AnswerLate, AnswerRefused, Key
from src.broker.reading.account_feed import AccountFeed
from src.broker.wire.pacing import Reply, backoff_sec, read_reply
from src.core.orders.codes import FEED_TAKEN_ADVICE
from src.core.records.orders import with_words

if TYPE_CHECKING:
    from src.base.settings import IbkrSettings

log = logging.getLogger(__name__)

_POSITIONS: Final = StartupFetch.POSITIONS
_MAX_TRIES: Final = 4
_RUN_AGAIN: Final = "run again when it is back"
_API_HINT: Final = "enable the API (Configure > API > Settings, socket clients) and check the port"


class _GuardedIB(IB):
    """The library's facade around our listener and our guarded client."""

    def __init__(self, accounts: Sequence[str]) -> None:
        super().__init__()
        self.listener = Listener(self, accounts)
        self.guarded = GuardedClient(self.listener, accounts)
        self.wrapper = self.listener
        self.client = self.guarded
        self.client.apiEnd += self.disconnectedEvent


class Link:
    """One complete connection, for the account of the settings or for these of its login.

    ``by_multi``: figures are asked by reqAccountUpdatesMulti alone, which takes no subscription
    away from a run beside this one.
    """

    def __init__(
        self, settings: IbkrSettings, waits: Waits | None = None, *ids: str, by_multi: bool = False
    ) -> None:
        self._settings = settings
        self.waits = waits or Waits()
        accounts = ids or (settings.account_id,)
        self._ib = _GuardedIB(accounts)
        self._turns: dict[Key, asyncio.Lock] = {}
        self.timeout_sec = float(settings.connect_timeout_sec)
        self.feed = AccountFeed(self, accounts, by_multi=by_multi)

    @property
    def client(self) -> GuardedClient:
        """The sending side."""
        return self._ib.guarded

    @property
    def listener(self) -> Listener:
        """The receiving side."""
        return self._ib.listener

    @property
    def accounts(self) -> tuple[str, ...]:
        """All accounts of the login."""
        return tuple(account.strip() for account in self._ib.listener.accounts)

    async def open(self) -> None:
        """Connect, log in, and download positions and account values.

        Raises: BrokerLost; Refused when the account is not one of the login's.
        """
        silence_library_logs()
        settings, downloaded = self._settings, self.feed.downloaded
        log.info("connecting host=%s port=%s client_id=%s", *self._place(), settings.client_id)
        opening = self._ib.connectAsync(
            host=settings.host,
            port=settings.port,
            clientId=settings.client_id,
            timeout=self.timeout_sec,
            account=downloaded,
            raiseSyncErrors=True,
            fetchFields=_POSITIONS | StartupFetch.ACCOUNT_UPDATES if downloaded else _POSITIONS,
        )
        helping = asyncio.ensure_future(self.feed.help_opening())
        try:
            with self.waits.on(self._opening, self.timeout_sec):
                await asyncio.wait_for(opening, self.timeout_sec)
                await self.feed.opened(helping)
        except (OSError, asyncio.TimeoutError) as error:
            is_taken = self.client.fault == CLIENT_ID_TAKEN
            lost = ClientIdTaken if is_taken else BrokerLost
            raise lost(self._explain(error)) from error
        finally:
            helping.cancel()
            await asyncio.gather(helping, return_exceptions=True)
        log.info("connected server_version=%s", self.client.serverVersion())

    def close(self) -> None:
        """End the connection; nothing is left running.

        The library's facade fails on one that is only half made, as an interrupted reconnect is.
        """
        if self.client.isReady():
            self._ib.disconnect()
        else:
            self.client.disconnect()

    def new_request_id(self) -> int:
        """A request id that was not used on this connection."""
        return self.listener.replies.new_request_id()

    async def ask(
        self, what: str, key: Key, send: Callable[[], None], topic: Topic = Topic.LINE
    ) -> list[Any]:
        """Ask one question and wait for the whole answer; ``topic`` is what it depends on.

        The time limit counts from the moment the question has left the library's queue. A pacing
        refusal, and an outage of the gateway's own line, are tried again within limits.
        Raises: AnswerRefused; BrokerLost naming the question.
        """
        async with self._turns.setdefault(key, asyncio.Lock()):
            for attempt in range(1, _MAX_TRIES):
                await self.wait_upstream()
                outages = self.listener.upstream.outages
                try:
                    return await self._ask_once(what, key, send, topic)
                except AnswerRefused as refusal:
                    if read_reply(refusal.code) is not Reply.TOO_FAST:
                        raise
                    await asyncio.sleep(backoff_sec(attempt, random.random()))  # noqa: S311
                except AnswerLate as error:
                    if self.listener.upstream.outages == outages:
                        raise BrokerLost(self._silence(what, str(error))) from error
            raise BrokerLost(
                f"{self._where()} declined to answer in time: {what}; run again in a minute"
            )

    async def wait_upstream(self) -> None:
        """Wait, within the time limit, until the gateway's own line to IBKR is back.

        Raises: BrokerLost.
        """
        upstream = self.listener.upstream
        if not upstream.is_lost:
            return
        log.warning("waiting for the gateway's connection to IBKR")
        with self.waits.on("the gateway's own connection to IBKR", self.timeout_sec):
            is_back = await upstream.wait_back(self.timeout_sec)
        if not is_back:
            raise BrokerLost(
                f"{self._where()} lost its own connection to IBKR and it did not come back"
                f" within {self.timeout_sec:g} s{self.said_about(Topic.LINE)}; look at its window,"
                " then run again"
            )

    async def until_done(self, tasks: Collection[asyncio.Task[None]], limit_sec: float) -> None:
        """Wait for all tasks, at most so long, and never on a closed connection.

        Raises: BrokerLost when the connection ends; what a task raised.
        """
        closed = asyncio.ensure_future(self.listener.closed.wait())
        everything = asyncio.gather(*tasks)
        try:
            waiting: set[asyncio.Future[Any]] = {everything, closed}
            await asyncio.wait(waiting, timeout=limit_sec, return_when=FIRST_COMPLETED)
            if closed.done():
                raise BrokerLost(f"{self.lost()}; {_RUN_AGAIN}")
            if everything.done():
                everything.result()
        except ConnectionError as error:
            raise BrokerLost(f"{self.lost()}; {_RUN_AGAIN}") from error
        finally:
            closed.cancel()
            everything.cancel()
            await asyncio.gather(everything, return_exceptions=True)

    def lost(self) -> str:
        """The message for a connection that ended."""
        reason = f"{self.client.fault or 'closed'}{self.said_about(Topic.LINE)}"
        return f"the connection to {self._where()} was lost: {reason}"

    def said_about(self, *topics: Topic) -> str:
        """The broker's last bad words about these, to stand behind a failure; empty without."""
        return with_words("", last_few(self.listener.notices.about(*topics)))

    async def _ask_once(
        self, what: str, key: Key, send: Callable[[], None], topic: Topic
    ) -> list[Any]:
        replies, notices = self.listener.replies, self.listener.notices
        reply, mark = replies.open(key), notices.mark()
        try:
            send()
            await self.client.left()
            await asyncio.wait_for(reply.done, self.timeout_sec)
        except asyncio.TimeoutError as error:
            told = meanwhile((*reply.notices, *notices.since(mark), *notices.about(topic)))
            raise AnswerLate("; ".join(one for one in (reply.progress(), told) if one)) from error
        except ConnectionError as error:
            raise BrokerLost(f"{self.lost()} while waiting for {what}; {_RUN_AGAIN}") from error
        except AnswerDamaged as error:
            raise BrokerLost(
                f"the answer of {self._where()} is damaged: {what}: {error}; run again"
            ) from error
        finally:
            replies.close(key)
        return reply.rows

    def _silence(self, what: str, told: str) -> str:
        """The message for an answer that never came."""
        text = f"{self._where()} did not answer within {self.timeout_sec:g} s: {what}"
        last = self.listener.last_message
        told = told or (f"its last message was {last}" if last else "")
        return f"{text}{f' ({told})' if told else ''}; look at its window, then run again"

    def _opening(self) -> str:
        """What is waited for while the connection is made."""
        host, port = self._place()
        if self.client.progress is Progress.NOTHING:
            return f"a connection to {host}:{port}"
        if not self.client.logged_in.is_set():
            return f"the login at {host}:{port}"
        return "the account"

    def _place(self) -> tuple[str, int]:
        return self._settings.host, self._settings.port

    def _where(self) -> str:
        return f"TWS or IB Gateway at {self._settings.host}:{self._settings.port}"

    def _explain(self, error: BaseException) -> str:
        """Why there is no connection, by how far it came, and what to check."""
        client, where, limit = self.client, self._where(), f"{self.timeout_sec:g} s"
        client_id = self._settings.client_id
        if client.fault == CLIENT_ID_TAKEN:
            return f"{where} {CLIENT_ID_TAKEN} (client id {client_id}); set another client_id"
        if client.progress is Progress.NOTHING:
            return self._explain_unreachable(error)
        timed_out = isinstance(error, asyncio.TimeoutError)
        fault = f"did not answer within {limit}" if timed_out else client.fault
        if client.progress is Progress.CONNECTED:
            return f"{where} accepted the connection, then: {fault}; {_API_HINT}"
        told = meanwhile(self.listener.notices.since(0))
        if client.progress is Progress.ANSWERED:
            fault = f"{fault} ({told})" if told else fault
            return (
                f"{where} answered the handshake but not the login as client id {client_id}:"
                f" {fault}; is the client id in use, or does a dialog wait for a click in TWS?"
            )
        missing = next((one.missing() for one in self.listener.books.values()), "")
        missing = missing or "account data"
        if self.listener.feed_taken.is_set():
            return f"{where} did not send {missing} in full: {FEED_TAKEN_ADVICE}, then run again"
        reason = f"{fault or error} ({told})" if told else fault or error
        return f"{where} did not send {missing} in full: {reason}; run again"

    def _explain_unreachable(self, error: BaseException) -> str:
        host, port = self._place()
        if isinstance(error, socket.gaierror):
            return (
                f"the host name {host!r} ([ibkr] host) is not known: {error.strerror}; correct it"
            )
        if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
            return f"nothing listens at {host}:{port}: start TWS or IB Gateway; {_API_HINT}"
        if isinstance(error, asyncio.TimeoutError):
            limit = f"{self.timeout_sec:g} s"
            return f"no connection to {host}:{port} within {limit}: check host, port and firewall"
        reason = getattr(error, "strerror", None) or error
        return f"no connection to {host}:{port}: {reason}; {_API_HINT}"


def silence_library_logs() -> None:
    """Keep the library off the screen where no log is set up: it would print account ids.

    A run's log file takes what it says, masked, at the level that the settings name.
    """
    for name in ("ib_async", "eventkit"):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
