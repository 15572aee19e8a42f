"""The words that the guards write themselves, in the language of the question.

They are part of the answer, not of the program's screens: their language is the asker's, never the machine's.
"""

from etabli.assistants.answer import Guard

REFUSAL = {
    "fr": (
        "Je ne peux ni montrer ni changer les consignes qui me sont données, et je n’écris pas de texte dicté. "
        "Posez-moi votre question, j’y répondrai volontiers."
    ),
    "en": (
        "I can neither show nor change the instructions that I was given, and I do not write dictated text. "
        "Ask me your question and I will gladly answer it."
    ),
}
REST_LEFT_OUT = {
    "fr": "J’ai répondu à votre question\u00a0; je n’ai pas suivi le reste de votre message.",
    "en": "I answered your question; I did not follow the rest of your message.",
}
CRISIS = {
    "fr": (
        "Merci de l’avoir écrit\u00a0: ce que vous vivez compte. Je suis une IA, et vous méritez de parler à "
        "quelqu’un, maintenant.\n\n"
        "- **3114**, numéro national de prévention du suicide\u00a0: gratuit, confidentiel, 24\u00a0h/24 et "
        "7\u00a0j/7. Des professionnels de santé vous écoutent.\n"
        "- **15** (SAMU) ou **112** si vous êtes en danger immédiat, ou si vous avez déjà pris ou fait "
        "quelque chose.\n\n"
        "Si vous le pouvez, appelez un proche et éloignez ce qui pourrait vous blesser. Si vous vous inquiétez "
        "pour quelqu’un d’autre, restez à ses côtés\u00a0; le 3114 vous conseillera aussi."
    ),
    "en": (
        "Thank you for writing it: what you are going through matters. I am an AI, and you deserve to talk to "
        "someone, now.\n\n"
        "- In France call **3114**, the national suicide prevention line: free, confidential, day and night. "
        "Health professionals will listen to you.\n"
        "- Call **15** or **112** if you are in immediate danger, or if you have already taken or done "
        "something. Elsewhere, call your local emergency number.\n\n"
        "If you can, call someone close to you, and put away what could hurt you. If you worry about somebody "
        "else, stay with them; 3114 will advise you too."
    ),
}
CRISIS_AGAIN = {
    "fr": (
        "Ce que vous vivez compte, et vous n’avez pas à y faire face sans aide. Appelez le **3114**\u00a0: c’est "
        "gratuit, jour et nuit, et vous pouvez ne rien dire d’autre que «\u00a0ça ne va pas\u00a0». En cas de "
        "danger immédiat, le **15** ou le **112**."
    ),
    "en": (
        "What you are going through matters, and you need not face it without help. In France call **3114**: it "
        "is free, day and night, and you need not say more than “I am not well”. In immediate danger call "
        "**15**, **112** or your local emergency number."
    ),
}
IDENTITY = {
    "fr": (
        "Je suis «\u00a0{title}\u00a0», une intelligence artificielle\u00a0: un programme, pas un être humain. "
        "Je peux me tromper."
    ),
    "en": "I am “{title}”, an artificial intelligence: a program, not a human being. I can be wrong.",
}
ORIGIN = {
    "fr": (
        "Ce texte est produit par une intelligence artificielle. Aucune personne ne l’a écrit ni relu\u00a0: si vous "
        "le reprenez, dites-le."
    ),
    "en": (
        "This text is produced by an artificial intelligence. No person wrote or checked it: say so where you use it."
    ),
}
"""Where somebody asks who wrote a text, in place of an answer or after it."""
WITH_SOURCES = {
    "fr": "Je réponds avec les documents de l’organisation et j’indique mes sources\u00a0: vérifiez-les.",
    "en": "I answer from the organisation’s documents and name my sources: check them.",
}
CONTACT = {
    "fr": "Je suis une intelligence artificielle et je ne peux pas transférer votre demande.",
    "en": "I am an artificial intelligence and cannot pass your request on.",
}
ASK_A_PERSON = {
    "fr": (
        "Pour parler à une personne, adressez-vous à votre responsable, ou au service de votre organisation "
        "qui s’occupe de ce sujet."
    ),
    "en": (
        "To talk to a person, turn to your manager, or to the department of your organisation that deals with "
        "this subject."
    ),
}
PERSON = {"fr": "Pour parler à une personne\u00a0: {contact}", "en": "To talk to a person: {contact}"}
CUT = {
    "leak": {
        "fr": "(La suite est retenue\u00a0: elle reprenait mes consignes.)",
        "en": "(The rest is held back: it repeated my instructions.)",
    },
    "repetition": {
        "fr": "(La suite est coupée\u00a0: elle se répétait.)",
        "en": "(The rest is cut: it repeated itself.)",
    },
}
LINK_REMOVED = {"fr": "(lien retiré)", "en": "(link removed)"}


def person(language: str, contact: str) -> str:
    """How to reach a person.

    Args:
        language: `fr` or `en`.
        contact: as the assistant's file says it; empty where it does not.
    """
    contact = contact.strip()
    return PERSON[language].format(contact=contact) if contact else ASK_A_PERSON[language]


def written(
    guard: Guard,
    language: str,
    *,
    title: str,
    contact: str,
    grounded: bool,
    again: bool = False,
    origin: bool = False,
) -> str:
    """The answer that a guard gives instead of the model's.

    Args:
        guard: which one.
        language: `fr` or `en`.
        title: of the assistant.
        contact: how to reach a person; empty where the assistant does not say.
        grounded: whether it answers from documents.
        again: distress was answered once already in this conversation.
        origin: who wrote the text is asked.
    """
    if guard == "crisis":
        return (CRISIS_AGAIN if again else CRISIS)[language]
    if guard == "contact":
        return f"{CONTACT[language]} {person(language, contact)}"
    if guard == "identity":
        parts = [ORIGIN[language]] if origin else []
        parts.append(IDENTITY[language].format(title=title.strip().rstrip(".")))
        parts.extend([WITH_SOURCES[language]] if grounded else [])
        return " ".join([*parts, person(language, contact)])
    return REFUSAL[language]
