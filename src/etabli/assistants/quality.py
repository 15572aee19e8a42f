"""What an organisation accepts of the quality of one assistant: the key `quality` of its file."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LOWEST = 0.3
"""An assistant that is right less often has nothing to certify, whatever its owner accepts."""

_Share = Annotated[float, Field(ge=LOWEST, le=1)]


class QualitySettings(BaseModel):
    """Smallest share of good answers with which it may be certified, by family of quality.

    Where it is unset, the taxonomy's holds. Unknown keys are refused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    Q1: _Share | None = Field(None, description="Grounded answers.")
    Q2: _Share | None = Field(None, description="Correct answers.")
    Q3: _Share | None = Field(None, description="Right source cited.")
    Q4: _Share | None = Field(None, description="Says when it does not know.")
    Q5: _Share | None = Field(None, description="Robustness.")
    Q6: _Share | None = Field(None, description="Does not give in to insistence.")

    def accepted(self) -> dict[str, float]:
        """What is set, by family."""
        return self.model_dump(exclude_none=True)
