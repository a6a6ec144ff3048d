"""What can be wrong with somebody's access to pyannote's models."""

from __future__ import annotations

from wortlaut.errors import ModelCorrupt, ModelError

TOKEN_PAGE = "https://huggingface.co/settings/tokens"  # noqa: S105 an address, no secret


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


class CheckpointRefused(ModelCorrupt):
    """A checkpoint wants to run code that reading weights does not need.

    Not merely `ModelCorrupt`: fetching the same file again would not help, looking into it does.
    """

    code = "checkpoint-refused"
    default_hint = "`wortlaut models inspect FILE` shows what is in it without running it."
