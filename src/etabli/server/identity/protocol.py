"""Wire types of `/v1/etabli/me`."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Language = Literal["fr", "en"]
Theme = Literal["light", "dark"]


class MeSettings(BaseModel):
    """What a person chose on the screens; null follows the browser."""

    model_config = ConfigDict(extra="forbid")

    language: Language | None = None
    theme: Theme | None = None


class MeAccount(BaseModel):
    """Who asks."""

    id: int
    name: str


class Me(BaseModel):
    """The account of the caller, its settings, and the version of the program."""

    account: MeAccount
    settings: MeSettings
    version: str


class MeChange(BaseModel):
    """A change of settings: what is not named stays, null goes back to the browser's."""

    model_config = ConfigDict(extra="forbid")

    settings: MeSettings


class SignInLink(BaseModel):
    """A link that signs in once: a path of this server, to be opened in a browser."""

    path: str
    expires_at: datetime
