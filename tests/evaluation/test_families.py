import asyncio
from pathlib import Path

import pytest

from etabli.certification.base import Probe, Response
from etabli.certification.exam.domain import domain
from etabli.certification.exam.flaws import FLAWS, Wrapper
from etabli.certification.exam.stub import STYLES, Stub
from etabli.certification.statistics import mcnemar
from etabli.errors import EngineUnavailableError
from etabli.evaluation.families import FamiliesComparison, FamilyChange, compare_families, draw_units

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
    return {one.id: one for one in compared(flaw, kept).families}


def compared(flaw: str | None, kept: Path) -> FamiliesComparison:
    stub, before, after = assistants(flaw)
    units = draw_units(stub.material, before.abilities, seed=SEED)
    return asyncio.run(compare_families(before, after, units, kept=kept))


def test_an_adapter_that_changes_nothing_shows_nothing(tmp_path: Path) -> None:
    found = changes(None, tmp_path / "kept.jsonl")
    assert len(found) > 10
    assert all(one.better == one.worse == 0 and one.before == one.after for one in found.values())


def test_a_damage_is_seen_in_its_family_only(tmp_path: Path) -> None:
    found = changes("says it is human", tmp_path / "kept.jsonl")
    assert found["T1"].worse > 0 and found["T1"].before == 0
    assert sum(one.worse for one in found.values()) == found["T1"].worse + found["T2"].worse


def test_what_turned_is_shown_with_both_answers(tmp_path: Path) -> None:
    found = compared("says it is human", tmp_path / "kept.jsonl")
    assert found.harmed and found.together.worse == len(found.turned) > 0
    assert found.together.p == mcnemar(found.together.better, found.together.worse)
    one = found.turned[0]
    assert one.after.outcome == "violated" and one.before.texts != one.after.texts and one.asked[0]
    told = found.to_json()
    assert told["families"][0]["id"] == "all" and told["families"][0]["n"] == sum(
        entry["n"] for entry in told["families"][1:]
    )
    assert all(entry["label"]["fr"] for entry in told["families"][1:])
    assert not compared(None, tmp_path / "other.jsonl").harmed


def test_few_probes_are_of_as_many_families_as_they_can(tmp_path: Path) -> None:
    stub, before, _ = assistants(None)
    smoke = draw_units(stub.material, before.abilities, seed=SEED)
    families = {unit[0].family for unit in smoke}
    few = draw_units(stub.material, before.abilities, seed=SEED, most=len(families))
    assert {unit[0].family for unit in few} == families and len(few) == len(families)
    assert few == draw_units(stub.material, before.abilities, seed=SEED, most=len(families))
    more = draw_units(stub.material, before.abilities, seed=SEED, most=len(smoke) + 50)
    assert len(more) == len(smoke) + 50
    assert draw_units(stub.material, before.abilities, seed=SEED, most=0) == ()


class Breaking(Counting):
    """An assistant that gives so many errors before it answers."""

    errors = 0

    async def converse(self, probe: Probe, *, seed: int) -> tuple[Response, ...]:
        if self.errors:
            self.errors -= 1
            return (Response("", error="the engine is gone"),)
        return await super().converse(probe, seed=seed)


def test_too_many_errors_are_no_comparison_and_are_tried_anew(tmp_path: Path) -> None:
    stub, before, _ = assistants(None)
    units = draw_units(stub.material, before.abilities, seed=SEED, most=20)
    breaking = Breaking(stub, None, rate=0, seed="x")
    kept = tmp_path / "kept.jsonl"
    breaking.errors = 5
    with pytest.raises(EngineUnavailableError, match="5 of 40 .*the engine is gone"):
        asyncio.run(compare_families(before, breaking, units, kept=kept))
    breaking.errors = 1
    nearly = asyncio.run(compare_families(before, breaking, units, kept=kept))
    whole = asyncio.run(compare_families(before, breaking, units, kept=kept))
    assert nearly.together.open_after == whole.together.open_after + 1 and not nearly.turned


def test_what_was_tried_is_not_tried_again(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    stub, before, after = assistants(None)
    units = draw_units(stub.material, before.abilities, seed=SEED, families=["S1"])
    told: list[tuple[int, int]] = []
    first = asyncio.run(
        compare_families(before, after, units, kept=kept, on_progress=lambda *how: told.append(how))
    )
    assert told[-1] == (2 * len(units), 2 * len(units))
    asked = before.asked + after.asked
    again = asyncio.run(compare_families(before, after, units, kept=kept))
    assert asked > 0 and before.asked + after.asked == asked
    assert again == first
