"""Every error that Wortlaut raises on purpose.

    WortlautError
    ├── InputError            what was given cannot be used
    │   ├── MediaNotFound         no such file
    │   ├── MediaUnreadable       the file is there but may not be read
    │   ├── MediaInvalid          the bytes are not a recording
    │   ├── NoAudioStream         a container without sound
    │   ├── NoSeparateChannels    a mono recording whose channels were to be split
    │   ├── DecodingFailed        the decoder crashed or ran out of its time
    │   ├── InvalidSetting        an environment variable or config.toml
    │   ├── InvalidOption         a value that makes no sense
    │   ├── UnknownLanguage
    │   ├── UnknownFormat
    │   └── UnknownModel
    ├── ModelError            weights that are missing or cannot be trusted
    │   ├── ModelMissing          not on disk, and the network is forbidden
    │   ├── ModelCorrupt          checksum or contents are wrong
    │   │   └── CheckpointRefused     a checkpoint wants to run code
    │   ├── TokenMissing          behind a token, and there is none
    │   ├── TokenRejected         the model hub does not accept the token
    │   ├── TermsNotAccepted      the token is good, the terms are open
    │   └── DownloadFailed        the source did not deliver
    ├── ResourceError         this machine cannot do it
    │   ├── OutputUnwritable      permission, missing folder, full disk
    │   ├── InstallationBroken    a package that cannot be loaded
    │   ├── DeviceUnavailable     no such accelerator, or its libraries are missing
    │   └── OutOfMemory
    ├── JobError              a piece of work that did not come to its end
    ├── ExtraMissing          an optional dependency is not installed
    └── Cancelled             the caller wanted it to stop

The first line of a class' docstring is its default message. The core knows neither exit codes nor HTTP: each edge has
one table from these classes to its own codes.
"""

from __future__ import annotations

from typing import ClassVar

TOKEN_PAGE = "https://huggingface.co/settings/tokens"  # noqa: S105 an address, no secret
"""Where people make a token of the model hub."""


class WortlautError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False
    default_hint: ClassVar[str] = "Run the command again with --verbose and report what it prints."
    is_for_doctor: ClassVar[bool] = False
    """Whether the cause may be this installation; then the hint sends the user to `wortlaut doctor`."""

    def __init__(self, message: str = "", *, hint: str = "") -> None:
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        self.hint = hint or self.default_hint
        if self.is_for_doctor and "wortlaut doctor" not in self.hint:
            self.hint = f"{self.hint} `wortlaut doctor` says what this installation lacks."
        super().__init__(self.message)

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way through a process boundary with the hint intact."""
        return _rebuild, (type(self), self.message, self.hint)


def _rebuild(kind: type[WortlautError], message: str, hint: str) -> WortlautError:
    return kind(message, hint=hint)


class InputError(WortlautError):
    """What was given cannot be used."""

    code = "input"
    default_hint = "Check the arguments; --help lists what is accepted."


class MediaNotFound(InputError):
    """There is no such file."""

    code = "media-not-found"
    default_hint = "Check the path; relative paths start at the current folder."


class MediaUnreadable(InputError):
    """The file may not be read."""

    code = "media-unreadable"
    default_hint = "Check the permissions of the file and of the folders above it."


class MediaInvalid(InputError):
    """The file is not a recording that can be decoded."""

    code = "media-invalid"
    default_hint = "Play the file in a media player; if that fails too, it is damaged or no recording."


class NoAudioStream(InputError):
    """The file has no audio stream."""

    code = "no-audio-stream"
    default_hint = "Give a file with sound; some screen recorders store the sound separately."


class NoSeparateChannels(InputError):
    """The recording has one channel only."""

    code = "no-separate-channels"
    default_hint = "Leave --channels split (channels=split) out: speakers are then told apart by their voices."


class DecodingFailed(InputError):
    """The decoder did not come to an end with this file."""

    code = "decoding-failed"
    default_hint = "Convert the file to WAV or FLAC with another program and try that."


class InvalidOption(InputError):
    """An option has a value that makes no sense."""

    code = "invalid-option"


class InvalidSetting(InputError):
    """A setting of this installation makes no sense."""

    code = "invalid-setting"
    is_for_doctor = True
    default_hint = "Correct the environment variable or config.toml; docs/settings.md lists them."


class UnknownLanguage(InputError):
    """Whisper does not know this language."""

    code = "unknown-language"
    default_hint = "Give a code such as de, en or fr, an English name such as german, or leave it out to detect it."


class UnknownFormat(InputError):
    """There is no such output format."""

    code = "unknown-format"


class UnknownModel(InputError):
    """There is no such model."""

    code = "unknown-model"
    default_hint = "`wortlaut models list` names the models; a folder with a CTranslate2 model works too."


class ModelError(WortlautError):
    """A model cannot be used."""

    code = "model"
    default_hint = "`wortlaut models verify` checks what is on disk."


class ModelMissing(ModelError):
    """The model is not on this machine."""

    code = "model-missing"
    is_for_doctor = True
    default_hint = "Fetch it once with `wortlaut models pull`."


class ModelCorrupt(ModelError):
    """A model file is not what it should be."""

    code = "model-corrupt"
    is_for_doctor = True
    default_hint = "Remove it with `wortlaut models remove` and fetch it again with `wortlaut models pull`."


class CheckpointRefused(ModelCorrupt):
    """A checkpoint wants to run code that reading weights does not need.

    Not merely `ModelCorrupt`: fetching the same file again would not help, looking into it does.
    """

    code = "checkpoint-refused"
    default_hint = "`wortlaut models inspect FILE` shows what is in it without running it."


class TokenMissing(ModelError):
    """These models are behind a token, and there is none."""

    code = "token-missing"
    default_hint = (
        f"Make a token with read access at {TOKEN_PAGE} and put it into HF_TOKEN or a .env file, "
        "or take the built-in diarizer, which needs none."
    )


class TokenRejected(ModelError):
    """The model hub does not accept the token."""

    code = "token-rejected"
    default_hint = (
        f"Make a new token with read access at {TOKEN_PAGE}, or take the built-in diarizer, which needs none."
    )


class TermsNotAccepted(ModelError):
    """The token is good, but the terms of the model have not been accepted with that account."""

    code = "terms-not-accepted"
    default_hint = "Accept the terms on the page of the model, logged in as the owner of the token."


class DownloadFailed(ModelError):
    """A model could not be downloaded."""

    code = "download-failed"
    is_for_doctor = True
    retryable = True
    default_hint = "Check the connection and try again; what has arrived is kept and continued."


class ResourceError(WortlautError):
    """This machine cannot do it."""

    code = "resource"


class OutputUnwritable(ResourceError):
    """The result cannot be written."""

    code = "output-unwritable"
    is_for_doctor = True
    default_hint = "Check the folder, its permissions and the free space, or choose another with --output-dir."


class InstallationBroken(ResourceError):
    """A package that Wortlaut needs cannot be loaded."""

    code = "installation-broken"
    is_for_doctor = True
    default_hint = "Install it anew with `pip install --force-reinstall wortlaut`."


class DeviceUnavailable(ResourceError):
    """The device is not available."""

    code = "device-unavailable"
    is_for_doctor = True
    default_hint = "Use --device cpu, or install the driver and libraries of the device."


class OutOfMemory(ResourceError):
    """There is not enough memory."""

    code = "out-of-memory"
    is_for_doctor = True
    retryable = True
    default_hint = "Use a smaller model or --batch-size 1."


class JobError(WortlautError):
    """The work did not come to its end."""

    code = "job"


class ExtraMissing(WortlautError):
    """An optional part is not installed."""

    code = "extra-missing"
    is_for_doctor = True
    default_hint = "Install it with `pip install 'wortlaut[NAME]'`."


class Cancelled(WortlautError):
    """The work was stopped on request."""

    code = "cancelled"
    default_hint = "Start it again when you want it."
