"""Home Assistant's protocol, spoken by its own client."""

from __future__ import annotations

import asyncio
import sys

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

from wortlaut.errors import ExtraMissing
from wortlaut.server.app import wyoming_room
from wortlaut.server.service import open_service
from wortlaut.server.wyoming import LARGEST_EVENT_BYTES, PortTaken, listening

FORMAT = {"rate": 16_000, "width": 2, "channels": 1}
SAMPLES = bytes(3200)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service(make_settings, anyio_backend):
    settings = make_settings(wyoming_port=0, max_upload_bytes=1_000_000)
    async with open_service(settings) as service:
        yield service


@pytest.fixture
async def client(service):
    async with listening(service) as port, AsyncTcpClient("127.0.0.1", port) as client:
        yield client


async def speak(client, samples=SAMPLES, chunks=3, form=FORMAT, **wanted):
    await client.write_event(Transcribe(**wanted).event())
    await client.write_event(Event("audio-start", form))
    for _ in range(chunks):
        await client.write_event(Event("audio-chunk", form, samples))
    await client.write_event(Event("audio-stop"))
    return await client.read_event()


async def test_home_assistant_asks_what_there_is(client):
    await client.write_event(Describe().event())
    program = Info.from_event(await client.read_event()).asr[0]
    assert (program.name, program.installed, program.models[0].name) == ("wortlaut", True, "base")
    assert {"de", "en", "fr"} <= set(program.models[0].languages)
    assert program.models[0].attribution.url


async def test_speech_becomes_a_transcript_and_leaves_nothing(client, service):
    transcript = Transcript.from_event(await speak(client, language="de-AT", name="base"))
    assert transcript.text == f"riff {3 * len(SAMPLES) + 44}"
    assert transcript.language == "de"
    again = Transcript.from_event(await speak(client, chunks=1))
    assert again.text == f"riff {len(SAMPLES) + 44}"
    assert not await service.ledger.list(None)


async def test_a_ping_is_answered(client):
    await client.write_event(Ping("hello").event())
    assert Pong.from_event(await client.read_event()).text == "hello"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"language": "klingon"}, "unknown-language"),
        ({"name": "/etc"}, "unknown-model"),
        ({"form": {**FORMAT, "channels": 0}}, "media-missing"),
        ({"form": {"rate": "fast"}}, "media-missing"),
        ({"samples": bytes(500_000)}, "media-missing"),
    ],
)
async def test_mistakes_are_answered_and_the_line_stays_open(client, given, code):
    event = await speak(client, **given)
    codes = [Error.from_event(event).code]
    while codes[-1] != code:
        codes.append(Error.from_event(await client.read_event()).code)
    assert Transcript.is_type((await speak(client)).type)


async def test_an_event_of_any_size_is_not_collected(service):
    async with listening(service) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b'{"type": "audio-chunk", "payload_length": %d}\n' % (LARGEST_EVENT_BYTES + 1))
        assert await reader.read() == b""
        writer.close()


async def test_a_port_that_is_taken_is_said(service):
    from dataclasses import replace

    async with listening(service) as port:
        taken = replace(service, settings=service.settings.model_copy(update={"wyoming_port": port}))
        with pytest.raises(PortTaken, match=str(port)):
            await listening(taken).__aenter__()


def test_without_the_extra_that_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "wyoming.asr", None)
    monkeypatch.delitem(sys.modules, "wortlaut.server.wyoming")
    with pytest.raises(ExtraMissing, match="wyoming"):
        wyoming_room()


def test_the_service_speaks_it_behind_a_switch(make_settings, serve):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serve(make_settings(wyoming=True, wyoming_port=port)), socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b'{"type": "describe"}\n')
        assert b'"info"' in line.recv(4096)
    with serve(make_settings(wyoming_port=port)), pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
