"""Which guards an assistant has: the key `guards` of its file. All are on unless it says otherwise."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class GuardSettings(BaseModel):
    """What an assistant does by itself against attacks, without asking a model. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    questions: bool = Field(
        True, description="Do not follow requests to reveal or override its instructions."
    )
    passages: bool = Field(True, description="Leave out sentences of documents that give it orders.")
    output: bool = Field(
        True, description="Hold back its instructions, foreign links and endless repetition."
    )
    grounded: Literal["strict", "marked"] = Field(
        "strict", description="What no passage supports is not shown, or shown and marked so."
    )
    crisis: bool = Field(True, description="Answer signs of suicidal distress with the numbers that help.")
    identity: bool = Field(True, description="Say that it is an AI, and how to reach a person.")
    impartial: bool = Field(
        True,
        description="Read a question without names and traits of people that no document found speaks of.",
    )
