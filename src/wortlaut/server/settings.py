"""Settings of the HTTP service, on top of those of its jobs."""

from __future__ import annotations

from ipaddress import ip_address

from pydantic import AliasChoices, Field

from wortlaut.jobs.settings import JobSettings


class ServiceSettings(JobSettings):
    """Every setting, its default and the names it goes by in the environment."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; any other than loopback needs keys.")
    port: int = Field(default=9000, ge=0, le=65535, description="Port to listen on.")
    is_open: bool = Field(
        default=False,
        validation_alias=AliasChoices("WORTLAUT_OPEN"),
        description="Serve everybody who can reach the port, without keys. For closed networks only.",
    )
    model: str = Field(
        default="base",
        validation_alias=AliasChoices("WORTLAUT_MODEL", "WHISPER_MODEL", "WHISPERX_MODEL", "ASR_MODEL"),
        description="The Whisper model for requests that name none, or one of OpenAI's.",
    )
    subtitle_max_line_width: int | None = Field(
        default=None,
        ge=1,
        validation_alias=AliasChoices(
            "WORTLAUT_SUBTITLE_MAX_LINE_WIDTH", "SUBTITLE_MAX_LINE_WIDTH", "subtitle_max_line_width"
        ),
        description="Characters in a line of the subtitles that `/asr` answers with.",
    )
    subtitle_max_line_count: int | None = Field(
        default=None,
        ge=1,
        validation_alias=AliasChoices(
            "WORTLAUT_SUBTITLE_MAX_LINE_COUNT", "SUBTITLE_MAX_LINE_COUNT", "subtitle_max_line_count"
        ),
        description="Lines of one subtitle that `/asr` answers with.",
    )
    subtitle_highlight_words: bool = Field(
        default=False,
        validation_alias=AliasChoices(
            "WORTLAUT_SUBTITLE_HIGHLIGHT_WORDS", "SUBTITLE_HIGHLIGHT_WORDS", "subtitle_highlight_words"
        ),
        description="Underline each word while it is spoken, in the subtitles that `/asr` answers with.",
    )
    max_upload_bytes: int = Field(default=4 * 2**30, ge=1, description="Size of the largest recording; above: 413.")
    max_uploads: int = Field(
        default=300, ge=1, description="Recordings that may arrive at once; above: 503 with Retry-After."
    )
    upload_life_hours: float = Field(
        default=24.0, gt=0, description="Hours after which an upload that nobody continues is deleted."
    )
    requests_per_minute: int = Field(
        default=0, ge=0, description="Requests a key may send a minute; above: 429. 0: any."
    )
    minutes_per_day: int = Field(
        default=0, ge=0, description="Minutes of sound a key may hand in a day (UTC); above: 429. 0: any."
    )
    fetch_deadline: float = Field(default=600.0, gt=0, description="Seconds in which a recording must be fetched.")
    wyoming: bool = Field(default=False, description="Serve Home Assistant too, by the Wyoming protocol.")
    wyoming_host: str = Field(
        default="127.0.0.1", description="Address for Wyoming, which knows no keys: who reaches it may transcribe."
    )
    wyoming_port: int = Field(default=10300, ge=0, le=65535, description="Port for Wyoming.")
    max_queued: int = Field(default=1000, ge=1, description="Jobs that may wait; above: 503 with Retry-After.")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Say whether a host name or address means this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
