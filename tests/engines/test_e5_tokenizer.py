import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from etabli.engines.e5_tokenizer import MAX_TOKENS, E5Tokenizer
from etabli.engines.e5_weights import Vocabulary, WeightsFile

TEXTS = [
    "Quelle est la durée du préavis ?",
    "L’infirmière vérifie l’identité du patient ; elle note l’heure (à 14 h 30).",
    "Aujourd'hui, l'établissement n'accueille qu'un visiteur par chambre.",
    "Anticonstitutionnellement, électroencéphalographiste, 12 345,67 €.",
    "The pump must be serviced every twelve months, or after 2,000 hours.",
    "ﬁn de ﬁle, ① puis ②, ½ dose",
    "tab\tet\nligne\r\n\nvide   espaces",
    "日本語のテキスト と العربية и русский",
    "🦄🦄 ꙮꙮꙮ inconnu",
    "https://exemple.fr/chemin?x=1&y=2#z",
    "A" * 300,
    "",
    "   ",
]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return WeightsFile().vocabulary


@pytest.fixture(scope="module")
def tokenizer(vocabulary: Vocabulary) -> E5Tokenizer:
    return E5Tokenizer(vocabulary)


def test_pieces_equal_those_of_the_tokenizers_library(vocabulary: Vocabulary, tokenizer: E5Tokenizer) -> None:
    pieces = list(zip(vocabulary.pieces, vocabulary.scores, strict=True))
    reference = Tokenizer(models.Unigram(pieces, vocabulary.unknown, False))
    reference.pre_tokenizer = pre_tokenizers.Metaspace("▁", "always", True)
    for text in TEXTS:
        normal = tokenizer.normalise(text)
        expected = reference.encode(normal).ids if normal else [vocabulary.pieces.index("▁")]
        ids = tokenizer.encode(text, kind="query")
        assert ids[tokenizer.inner(ids, kind="query")] == expected, text


def test_known_pieces(tokenizer: E5Tokenizer, vocabulary: Vocabulary) -> None:
    spelled = [vocabulary.pieces[token] for token in tokenizer.encode("durée du préavis", kind="passage")]
    assert spelled[:3] == ["<s>", "▁passage", ":"] and spelled[-1] == "</s>"
    assert "".join(spelled[3:-1]) == "▁durée▁du▁préavis"


def test_decomposed_accents_are_the_same_text(tokenizer: E5Tokenizer) -> None:
    assert tokenizer.encode("de\u0301ce\u0300s", kind="query") == tokenizer.encode("décès", kind="query")


@pytest.mark.parametrize("text", TEXTS)
def test_decoding_gives_a_text_of_the_same_tokens(tokenizer: E5Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text, kind="query")
    assert tokenizer.encode(tokenizer.decode(ids, kind="query"), kind="query") == ids


def test_long_text_is_cut_at_its_end(tokenizer: E5Tokenizer) -> None:
    ids = tokenizer.encode("mot " * 2_000, kind="passage")
    assert len(ids) == MAX_TOKENS
    assert ids[-1] == 2 and set(ids[3:-1]) == {ids[3]}
    assert tokenizer.count("mot " * 2_000) == 2_000


def test_nul_and_lone_surrogates_do_no_harm(tokenizer: E5Tokenizer) -> None:
    assert tokenizer.encode("a\0b", kind="query") == tokenizer.encode("ab", kind="query")
    assert tokenizer.encode("a\ud800", kind="query") == tokenizer.encode("a?", kind="query")
