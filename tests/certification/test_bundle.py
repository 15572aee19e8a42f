"""Any change of what an assistant is made of changes its root; the same content gives the same root."""

from dataclasses import replace
from typing import Any

import pytest
from small_corpus import BADGE, LEAVE, SECRET, Corpus

from etabli.assistants.specification import AssistantSpecification
from etabli.certification.bundle import Bundle, EngineIdentity, bundle_of, changed
from etabli.errors import ConfigurationError
from etabli.storage.database import Database

TONE, FORMS = "ft:fake:test:ton:0a1b2c3d", "ft:fake:test:fiches:4e5f6a7b"


@pytest.fixture
def bundle(corpus: Corpus, assistant: AssistantSpecification, identity: EngineIdentity) -> Any:
    def make(**options: Any) -> Bundle:
        given = options.pop("assistant", assistant).model_copy(update=options.pop("update", {}))
        engine = replace(identity, **options.pop("engine", {}))
        return bundle_of(
            given, database=corpus.database, engine=engine, embedder=options.pop("embedder", "e5:1")
        )

    return make


def test_the_same_content_gives_the_same_root_in_another_database(
    bundle: Any, database_url: str, corpus: Corpus
) -> None:
    before = bundle().root
    with corpus.database.owner() as connection:
        connection.execute("TRUNCATE document CASCADE")
        connection.execute("TRUNCATE collection CASCADE")
    again = Corpus(corpus.database)
    again.add("other", "elsewhere.md", BADGE)
    again.add("rh", "secret.md", SECRET, group="group:direction")
    again.add("rh", "badge.md", BADGE)
    again.add("rh", "conges.md", LEAVE)
    with corpus.database.owner() as connection:
        connection.execute("UPDATE document SET state = 'ready', created_at = now(), updated_at = now()")
    assert bundle().root == before


@pytest.mark.parametrize(
    ("change", "component"),
    [
        ({"update": {"instructions": "Vous tutoyez."}}, "instructions"),
        ({"update": {"title": "Assistant"}}, "instructions"),
        ({"update": {"temperature": 0.1}}, "decoding"),
        ({"update": {"max_tokens": 511}}, "decoding"),
        ({"update": {"abstain": False}}, "guards"),
        ({"update": {"audience": ["group:rh"]}}, "audience"),
        ({"update": {"passages": 7}}, "index"),
        ({"update": {"collections": []}}, "index"),
        ({"engine": {"weights": "ac" * 32}}, "model"),
        ({"engine": {"build": "fake 2"}}, "engine"),
        ({"update": {"adapter": TONE}, "engine": {"adapters": {TONE: "00"}}}, "adapters"),
        ({"embedder": "e5:2"}, "index"),
    ],
)
def test_a_change_shows_in_its_component_alone(bundle: Any, change: dict[str, Any], component: str) -> None:
    before, after = bundle(), bundle(**change)
    assert before.root != after.root
    assert changed(before.digests(), after.digests()) == [component]


def test_an_adapter_of_others_changes_nothing(bundle: Any) -> None:
    assert bundle(engine={"adapters": {TONE: "00", FORMS: "11"}}).root == bundle().root
    with_tone = {"update": {"adapter": TONE}}
    alone = bundle(**with_tone, engine={"adapters": {TONE: "00"}})
    assert bundle(**with_tone, engine={"adapters": {TONE: "00", FORMS: "11"}}).root == alone.root


def test_an_adapter_its_bytes_or_another_one_change_it(bundle: Any) -> None:
    both = {"adapters": {TONE: "00", FORMS: "11"}}
    roots = [
        bundle(engine=both).root,
        bundle(update={"adapter": TONE}, engine=both).root,
        bundle(update={"adapter": TONE}, engine={"adapters": {TONE: "01", FORMS: "11"}}).root,
        bundle(update={"adapter": FORMS}, engine=both).root,
    ]
    assert len({*roots}) == 4
    found = bundle(update={"adapter": TONE}, engine=both)
    (component,) = [one for one in found.components if one.name == "adapters"]
    assert component.content == {"adapters": {TONE: "00"}}


def test_an_adapter_that_is_not_approved_has_no_bundle(bundle: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"names the adapter {TONE}, which is not approved"):
        bundle(update={"adapter": TONE}, engine={"adapters": {FORMS: "11"}})


@pytest.mark.parametrize("update", [{"description": "Autre"}, {"first_questions": ["Qui ?"]}])
def test_what_only_people_see_changes_nothing(bundle: Any, update: dict[str, Any]) -> None:
    assert bundle(update=update).root == bundle().root


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE version SET text = text || '.' WHERE document_id = {badge}",
        "UPDATE document SET name = 'badge2.md' WHERE id = {badge}",
        "UPDATE document SET sha256 = repeat('0', 64) WHERE id = {badge}",
        "UPDATE document SET removed_at = now() WHERE id = {badge}",
        "UPDATE document SET acl_set = (SELECT acl_set FROM document WHERE name = 'secret.md') WHERE id = {badge}",
        "UPDATE chunk SET char_end = char_end - 1 WHERE document_id = {badge}",
    ],
)
def test_every_change_of_a_document_shows(bundle: Any, corpus: Corpus, statement: str) -> None:
    before = bundle()
    with corpus.database.owner() as connection:
        row = connection.execute("SELECT id FROM document WHERE name = 'badge.md'").fetchone()
        assert row is not None
        assert connection.execute(statement.format(badge=row[0]).encode()).rowcount > 0
    assert changed(before.digests(), bundle().digests()) == ["index"]


def test_a_collection_that_is_not_there_is_named(
    database: Database, assistant: AssistantSpecification, identity: EngineIdentity
) -> None:
    with pytest.raises(
        ConfigurationError, match="The assistant rh names the collection rh, which does not exist"
    ):
        bundle_of(assistant, database=database, engine=identity, embedder=None)
