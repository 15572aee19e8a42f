"""The wire types of `/v1/files`, after OpenAI's API description 2.3.0."""

from typing import Any, Literal

from pydantic import BaseModel

from etabli.training.files import Status

FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "purpose"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "purpose": {
                            "type": "string",
                            "enum": ["assistants", "batch", "evals", "fine-tune", "user_data", "vision"],
                        },
                        "expires_after[anchor]": {"type": "string", "enum": ["created_at"]},
                        "expires_after[seconds]": {"type": "integer", "minimum": 3600, "maximum": 2592000},
                    },
                }
            }
        },
    }
}
"""What an upload is, for the description of the API: the body is read as it arrives, so nothing else says it."""


class FileObject(BaseModel):
    """One file.

    Attributes:
        bytes: its size.
        created_at: Unix time in seconds.
        expires_at: when it is deleted by itself; None for never.
        status: `uploaded` while it is looked at, `processed`, or `error`.
        status_details: why it cannot be used.
    """

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    expires_at: int | None = None
    filename: str
    purpose: str
    status: Status
    status_details: str | None = None


class FileList(BaseModel):
    """A page of files."""

    object: Literal["list"] = "list"
    data: list[FileObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


class FileDeleted(BaseModel):
    """What deleting a file answers."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True
