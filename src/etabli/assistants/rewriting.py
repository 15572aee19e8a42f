"""A follow-up question made to stand alone, so that it can be searched for.

The engine rewrites it; what it gives is used only when it still asks the same thing. Otherwise the question is
searched together with the content words of the one before: less exact, never off the point.
"""

from dataclasses import dataclass

from etabli.assistants.claims import claims_of, facts_of
from etabli.assistants.conversation import Conversation
from etabli.engines.base import ChatEngine
from etabli.errors import EngineError, InvalidInputError
from etabli.knowledge.analysis import query_terms, words

MOST_TOKENS = 64
_LONGEST = 400
_ANSWER_SHOWN = 300
_EARLIER_SHOWN = 2
_PROMPT = {
    "fr": (
        "Réécris la dernière question pour qu'elle se comprenne seule, en remplaçant les pronoms et les "
        "sous-entendus par ce qu'ils désignent. Écris seulement la question, en une phrase."
    ),
    "en": (
        "Rewrite the last question so that it can be understood alone, with what its pronouns and ellipses refer to. "
        "Write the question only, in one sentence."
    ),
}
_LABELS = {"fr": ("Question", "Réponse", "Dernière question"), "en": ("Question", "Answer", "Last question")}


@dataclass(frozen=True, slots=True)
class Rewriting:
    """The question to search for, and whether the model's own rewriting is used."""

    question: str
    by_model: bool


async def rewrite(conversation: Conversation, engine: ChatEngine, *, language: str) -> Rewriting:
    """The stand-alone form of a follow-up. An engine that fails costs the rewriting, not the answer."""
    body = {
        "messages": [
            {"role": "system", "content": _PROMPT[language]},
            {"role": "user", "content": _dialogue(conversation, language)},
        ],
        "temperature": 0,
        "max_tokens": MOST_TOKENS,
    }
    try:
        reply = await engine.complete(body)
        text = reply["choices"][0]["message"].get("content") or ""
    except (EngineError, InvalidInputError, KeyError, IndexError, TypeError):
        return Rewriting(combined(conversation), by_model=False)
    candidate = _cleaned(text, language)
    if is_usable(candidate, conversation):
        return Rewriting(candidate, by_model=True)
    return Rewriting(combined(conversation), by_model=False)


def is_usable(candidate: str, conversation: Conversation) -> bool:
    """Whether a rewriting still asks the question.

    It must be short, keep every number, date and name of the question, keep half of its terms, and take all others
    from the conversation.
    """
    if not candidate or len(candidate) > _LONGEST or "\n" in candidate:
        return False
    facts = facts_of(candidate)
    if not all(facts.holds(claim) for claim in claims_of(conversation.question)):
        return False
    asked, given = set(query_terms(conversation.question)), set(query_terms(candidate))
    if not given or (asked and len(asked & given) < len(asked) / 2):
        return False
    known = set(query_terms(" ".join([*conversation.earlier, conversation.last_answer]))) | asked
    return len(given - known) <= max(2, len(given) // 3)


def combined(conversation: Conversation) -> str:
    """The question, then the content words of the one before that it lacks."""
    if not conversation.earlier:
        return conversation.question
    own = set(query_terms(conversation.question))
    extra = [
        word
        for word in dict.fromkeys(words(conversation.earlier[-1]))
        if len(word) > 2 and set(query_terms(word)) - own
    ]
    return f"{conversation.question} ({' '.join(extra[:20])})" if extra else conversation.question


def _dialogue(conversation: Conversation, language: str) -> str:
    question, answer, last = _LABELS[language]
    lines = [f"{question} : {text[:_LONGEST]}" for text in conversation.earlier[-_EARLIER_SHOWN:]]
    if conversation.last_answer:
        lines.append(f"{answer} : {conversation.last_answer[:_ANSWER_SHOWN]}")
    lines.append(f"{last} : {conversation.question[: 2 * _LONGEST]}")
    return "\n".join(lines)


def _cleaned(text: str, language: str) -> str:
    """The model's first line without label and quotes."""
    line = next((line.strip() for line in text.strip().splitlines() if line.strip()), "")
    for label in _LABELS[language]:
        if line.lower().startswith(label.lower()):
            line = line[len(label) :].lstrip(" :\u00a0")
    return line.strip('«»“”"* \u00a0')
