import asyncio
from pathlib import Path

from etabli.certification.base import Probe, Response
from etabli.certification.exam.domain import domain
from etabli.certification.exam.flaws import FLAWS, Wrapper
from etabli.certification.exam.stub import STYLES, Stub
from etabli.evaluation.families import FamilyChange, compare_families

SEED = bytes(32)


class Counting(Wrapper):
    """A flawed assistant that counts its conversations."""

    asked = 0

    async def converse(self, probe: Probe, *, seed: int) -> tuple[Response, ...]:
        self.asked += 1
        return await super().converse(probe, seed=seed)


def assistants(flaw: str | None) -> tuple[Stub, Counting, Counting]:
    stub = Stub(domain("townhall"), STYLES[0])
    chosen = next((one for one in FLAWS if one.name == flaw), None)
    return stub, Counting(stub, None, rate=0, seed="x"), Counting(stub, chosen, rate=1, seed="x")


def changes(flaw: str | None, kept: Path) -> dict[str, FamilyChange]:
    stub, before, after = assistants(flaw)
    found = asyncio.run(compare_families(before, after, stub.material, seed=SEED, kept=kept))
    return {one.id: one for one in found}


def test_an_adapter_that_changes_nothing_shows_nothing(tmp_path: Path) -> None:
    found = changes(None, tmp_path / "kept.jsonl")
    assert len(found) > 10
    assert all(one.better == one.worse == 0 and one.before == one.after for one in found.values())


def test_a_damage_is_seen_in_its_family_only(tmp_path: Path) -> None:
    found = changes("says it is human", tmp_path / "kept.jsonl")
    assert found["T1"].worse > 0 and found["T1"].before == 0
    assert sum(one.worse for one in found.values()) == found["T1"].worse + found["T2"].worse


def test_what_was_tried_is_not_tried_again(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    stub, before, after = assistants(None)
    first = asyncio.run(compare_families(before, after, stub.material, seed=SEED, kept=kept, families=["S1"]))
    asked = before.asked + after.asked
    again = asyncio.run(compare_families(before, after, stub.material, seed=SEED, kept=kept, families=["S1"]))
    assert asked > 0 and before.asked + after.asked == asked
    assert again == first
