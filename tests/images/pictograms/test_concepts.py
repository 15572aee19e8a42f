from etabli.images.pictograms.concepts import Library
from images.tiny_set import FLAG, WORDS


def test_flags_and_letters_are_no_concepts(library: Library) -> None:
    assert set(library.concepts) == set(WORDS) and FLAG not in library.concepts


def test_a_set_without_code_points_is_matched_by_name(library: Library) -> None:
    assert set(library.drawings["shapes"]) == set(library.drawings["turned"]) == set(WORDS)
    assert library.drawings["shapes"]["2B50"].width == 32


def test_the_chief_word_of_a_label_is_a_name_too(library: Library) -> None:
    assert library.concepts["1F34E"].names == {"fr": ("pomme rouge", "pomme"), "en": ("red apple", "apple")}
    assert library.concepts["1F697"].names["fr"] == ("voiture de face", "voiture")


def test_faces_people_and_plurals_are_not_counted(library: Library) -> None:
    countable = {concept.names["en"][0] for concept in library.concepts.values() if concept.countable}
    assert countable == {"red apple", "cat", "front car", "star", "brick"}


def test_a_part_of_the_library(library: Library) -> None:
    part = library.of(["turned"])
    assert list(part.drawings) == ["turned"] and part.sets_with("2B50", "1F431") == ["turned"]
    assert library.of([]).concepts == {}
