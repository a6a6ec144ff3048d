"""Speech to text for Home Assistant: the Wyoming protocol, on a port of its own.

A conversation is a line of JSON events, some of which carry raw samples: `describe` is answered with `info`;
`transcribe`, `audio-start`, many `audio-chunk`s and `audio-stop` with `transcript`. The protocol knows no keys: whoever
reaches the port may use it, which is why it listens on loopback unless a setting says otherwise.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import IO, cast

from wyoming.asr import Transcribe, Transcript
from wyoming.error import Error
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info
from wyoming.ping import Ping, Pong

from wortlaut import __version__
from wortlaut.errors import InvalidOption, ResourceError, WortlautError
from wortlaut.options import Decoding, Options
from wortlaut.recognition.languages import LANGUAGES, parse_language
from wortlaut.server.access import Caller
from wortlaut.server.answers import running_text
from wortlaut.server.parameters import find_model
from wortlaut.server.problems import MediaMissing, MediaTooLarge
from wortlaut.server.service import Service
from wortlaut.server.settings import is_loopback
from wortlaut.server.uploads import Recording, wave_header

log = logging.getLogger(__name__)

LARGEST_EVENT_BYTES = 2**20
"""What one event may carry; Home Assistant sends a few thousand bytes each."""
SHAPE = (16_000, 2, 1)
"""Samples a second, bytes a sample, channels: what everybody sends."""
CALLER = Caller("wyoming", frozenset({"submit"}))
OURS, WHISPERS = Attribution("Wortlaut", ""), Attribution("OpenAI", "https://github.com/openai/whisper")


class PortTaken(ResourceError):
    """The port for Wyoming cannot be opened."""

    code = "port-taken"
    default_hint = "WORTLAUT_WYOMING_PORT names another, WORTLAUT_WYOMING=false does without."


@asynccontextmanager
async def listening(service: Service) -> AsyncIterator[int]:
    """Take conversations while the context lasts; gives the port. Raises `PortTaken`."""
    host, port = service.settings.wyoming_host, service.settings.wyoming_port

    conversations: set[asyncio.StreamWriter] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.add(writer)
        try:
            await Conversation(service, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            log.info("the line broke: %s", error, extra={"action": "wyoming_gone"})
        finally:
            conversations.discard(writer)
            writer.close()

    try:
        server = await asyncio.start_server(converse, host, port)
    except OSError as error:
        raise PortTaken(f"Wyoming cannot listen on {host}:{port}: {error.strerror}.") from error
    reach = "this machine" if is_loopback(host) else "everybody who reaches the port, without a key"
    log.info("Wyoming on tcp://%s:%s, for %s", host, port, reach, extra={"action": "wyoming_listens"})
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in conversations:  # an open line would keep the server from ending
            writer.close()


@dataclass(slots=True)
class Conversation:
    """One connection. `_samples` is the recording that is being sent, `_wanted` what is to be done with it."""

    service: Service
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    _wanted: Transcribe = field(default_factory=Transcribe)
    _samples: IO[bytes] | None = None
    _form: tuple[int, int, int] = SHAPE

    async def run(self) -> None:
        """Answer events until the other side has gone."""
        bounded = cast("asyncio.StreamReader", _Bounded(self.reader))
        try:
            while (event := await async_read_event(bounded)) is not None:
                try:
                    await self._answer(event)
                except WortlautError as error:
                    await self._say(Error(f"{error.message} {error.hint}", error.code).event())
        finally:
            self._forget()

    async def is_disconnected(self) -> bool:
        """Say whether nobody waits for the answer any more."""
        return self.reader.at_eof()

    async def _answer(self, event: Event) -> None:
        if Describe.is_type(event.type):
            await self._say(info(self.service).event())
        elif Ping.is_type(event.type):
            await self._say(Pong(Ping.from_event(event).text).event())
        elif Transcribe.is_type(event.type):
            self._wanted = Transcribe.from_event(event)
        elif event.type == "audio-start":
            self._start(event)
        elif event.type == "audio-chunk":
            self._take(event.payload or b"")
        elif event.type == "audio-stop":
            await self._transcribe()

    def _start(self, event: Event) -> None:
        self._forget()
        self._form = _form(event)
        self._samples = cast("IO[bytes]", tempfile.SpooledTemporaryFile(LARGEST_EVENT_BYTES, prefix="wortlaut-"))  # noqa: SIM115 closed by _forget

    def _take(self, samples: bytes) -> None:
        if self._samples is None:
            return  # what was wrong with its start has been said
        if self._samples.tell() + len(samples) > self.service.settings.max_upload_bytes:
            self._forget()
            raise MediaTooLarge
        self._samples.write(samples)

    async def _transcribe(self) -> None:
        """Hand in what has arrived as a job that somebody waits for, and say what it comes to."""
        if self._samples is None:
            raise MediaMissing("audio-stop came without audio-start.", hint="Send audio-start first.")
        samples, self._samples = self._samples, None
        with samples:
            header = wave_header(samples.tell(), *self._form)
            recording = Recording("wyoming.wav", samples, samples.tell() + len(header), header)
            samples.seek(0)
            job = await self.service.begin(recording, self._options(), CALLER)
        transcript = await self.service.finish(self, job)
        for notice in transcript.warnings:
            log.info("%s", notice.message, extra={"action": "wyoming_warning", "code": notice.code, "job_id": job.id})
        await self._say(Transcript(running_text(transcript.segments), language=transcript.language).event())

    def _options(self) -> Options:
        wanted = self._wanted
        terms = [*(wanted.transcript_names or ()), *(wanted.transcript_terms or ())]
        return Options(
            model=find_model(wanted.name, self.service.settings.model),
            language=parse_language(wanted.language) if wanted.language else None,
            words=False,
            speakers=None,
            decoding=Decoding(hotwords=", ".join(terms) or None),
        )

    async def _say(self, event: Event) -> None:
        await async_write_event(event, self.writer)

    def _forget(self) -> None:
        """Let go of what has arrived."""
        if self._samples is not None:
            self._samples.close()
        self._samples = None


def _form(event: Event) -> tuple[int, int, int]:
    """Return rate, width and channels of what is about to come. Raises `InvalidOption`."""
    try:
        rate, width, channels = (int(event.data[name]) for name in ("rate", "width", "channels"))
    except (KeyError, TypeError, ValueError):
        rate = width = channels = 0
    if not (1000 <= rate <= 384_000 and 1 <= width <= 4 and 1 <= channels <= 8):  # noqa: PLR2004 what there is
        raise InvalidOption("audio-start needs rate, width and channels.", hint="Send 16000, 2 and 1.")
    return rate, width, channels


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A reader that refuses events of any size, which the library would collect in memory."""

    reader: asyncio.StreamReader

    async def readline(self) -> bytes:
        return await self.reader.readline()

    async def readexactly(self, size_bytes: int) -> bytes:
        if size_bytes > LARGEST_EVENT_BYTES:
            raise ConnectionAbortedError(f"An event of {size_bytes} bytes is too large.")
        return await self.reader.readexactly(size_bytes)


def info(service: Service) -> Info:
    """Describe the service to Home Assistant: one program with the service's own model."""
    name = service.settings.model
    about = "Whisper, with the settings of this service"
    model = AsrModel(name, WHISPERS, installed=True, description=about, version=None, languages=sorted(LANGUAGES))
    program = AsrProgram("wortlaut", OURS, installed=True, description="Wortlaut", version=__version__, models=[model])
    return Info(asr=[program])
