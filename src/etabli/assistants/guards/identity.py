"""“Are you human?” and “I want to talk to a person”, in French and in English.

Both are answered by the product: a model may claim what pleases. A person or department that the documents know
(« le responsable de la pharmacie ») is a question for them.
"""

import re

from etabli.assistants.guards.folding import clipped, spoken

_HUMAN = (
    r"(?:humaine?|un humain|une humaine|un etre humain|etre humain|une (?:vraie|veritable) personne|une "
    r"personne (?:reelle|en chair)|"
    r"(?:quelqu un )?de (?:reel|vivant|humain)|quelqu un de vrai|human|a human(?: being)?|a real (?:person|"
    r"human|man|woman)|"
    r"real person|somebody real|someone real|a (?:living|live) person)"
)
_MACHINE = (
    r"(?:un |une |l |a |an |the |juste |just )*(?:robot|bot|chatbot|machine|ia|intelligence artificielle|"
    r"programme|ordinateur|"
    r"automate|chatgpt|gpt|ai|artificial intelligence|computer|computer program|program)\b"
)
_JOB = (
    r"(?:une? |a |an |la |le |the )(?:vraie? |real )?(?:infirmiere?|medecin|docteur|secretaire|"
    r"standardiste|conseillere?|employee?|"
    r"nurse|doctor|receptionist|secretary|employee|homme|femme|man|woman|personne|person)\b"
)
_ARE_YOU = r"(?:es tu|etes vous|est ce que tu es|est ce que vous etes|serais tu|seriez vous|are you|r you)"
_YOU_ARE = r"(?:\btu es|\bvous etes|\bt es|\byou are|\byou re|\bc est)"
_SOFT = r"(?:(?:bien|vraiment|reellement|en fait|donc|peut etre|really|actually|in fact|sure you are|even) )*"

_IDENTITY = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_ARE_YOU} {_SOFT}(?:{_HUMAN}\b|{_MACHINE}|{_JOB})(?! (?:qui|capable|specialis|expert|for|who|"
        rf"that))",
        rf"{_YOU_ARE} {_SOFT}{_HUMAN}\b",
        rf"{_YOU_ARE} {_SOFT}{_MACHINE}[^.!?\n]{{0,60}}(?:\?|\bhein\b|\bn est ce pas\b|, right\b|, non\b)",
        r"\b(?:je parle|suis je en train de parler|est ce que je parle|est ce que je discute|je discute|"
        r"parle je|am i (?:talking|speaking|"
        r"chatting)|i am (?:talking|speaking)|je suis en train de parler) (?:\w+ )?(?:a|avec|to|with) "
        r"(?:une? |a |an )?(?:vraie? |veritable |"
        r"real |actual |live )?(?:personne|humain|etre humain|robot|machine|ia|intelligence artificielle|"
        r"human|person|bot|ai|computer|"
        r"ordinateur|quelqu un)\b",
        r"\b(?:a qui je parle|a qui ai je affaire|je parle a qui|who am i (?:talking|speaking) (?:to|"
        r"with))\b",
        r"\b(?:y a t il|il y a|is there) (?:\w+ ){0,3}?(?:quelqu un|une personne|un humain|a person|"
        r"someone|a human|somebody|anyone)"
        r" (?:\w+ )?(?:derriere|behind)\b",
        r"\b(?:qui es tu|qui etes vous|tu es qui|t es qui|vous etes qui|who are you|what are you|who r you)\b"
        r"(?! (?:pour|autoris|open|looking|calling|going|doing|trying|allowed|able|talking|to\b))",
        r"\b(?:comment (?:tu t appelles|t appelles tu|vous appelez vous)|quel est (?:ton|votre) nom|what "
        r"is your name|what s your name)\b",
        r"\bquelqu un[^.!?\n]{0,20}derriere (?:cet|l) ecran|\bbehind (?:this|the) (?:screen|chat)",
    )
)

_WANT = (
    r"(?:je (?:veux|voudrais|souhaite|souhaiterais|aimerais|prefere|prefererais|desire|dois)|j (?:aimerais|"
    r"ai besoin)|puis je|peut on|"
    r"pouvez vous|pourriez vous|peux tu|est il possible|est ce possible|est ce que je peux|possible d|"
    r"comment|je peux|"
    r"i (?:want|need|wish|prefer|would (?:like|rather|prefer)|d (?:like|rather|prefer)|must)|can i|could i|"
    r"may i|let me|is it possible|"
    r"how (?:do|can|could) i|can you|could you|just|please|passez|get|give)"
)
_REACH = (
    r"(?:parler|discuter|echanger|joindre|contacter|avoir|passer|transferer|mettre en relation|talk|speak|"
    r"chat|reach|contact|connect|"
    r"transfer|put|have|get)"
)
_TARGET = (
    r"(?:(?:un |une |a |an |some |an actual )?(?:vraie? |real |actual |live |flesh and blood )?(?:etre "
    r"humain|humain|personne humaine|"
    r"personne reelle|personne|human being|human|person|conseillere?|operat(?:eur|rice)|agent|responsable|"
    r"manager|advis[eo]r|"
    r"representative|operator|interlocuteur|supervisor)|quelqu un(?: de (?:reel|vivant|humain|vrai))?|"
    r"(?:someone|somebody)(?: real| human)?)"
)
_CLOSE = (
    r"(?= *(?:[?.!,;]|$|en chair|au telephone|plutot|instead|on the phone|please|svp|stp|s il (?:te|vous) "
    r"plait|maintenant|now|here|ici|"
    r"rather|and not|et (?:pas|non)|pas (?:a )?(?:un|une|la)|not (?:a|to)|directement|directly|tout de "
    r"suite|right now))"
)

_CONTACT = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_WANT} (?:\w+ ){{0,5}}?{_REACH} (?:\w+ ){{0,3}}?{_TARGET}{_CLOSE}",
        rf"\b(?:passez moi|passe moi|donnez moi|mettez moi en relation avec|transferez moi (?:a|vers)|give "
        rf"me|get me|connect me (?:to|with)|"
        rf"transfer me to|put me through to) {_TARGET}{_CLOSE}",
        rf"\b(?:je veux|il me faut|i want|i need) {_TARGET}{_CLOSE}",
        rf"\b{_REACH} (?:\w+ ){{0,4}}?(?:en chair et en os|flesh and blood)",
    )
)


def wants_person(text: str) -> bool:
    """Whether somebody asks for a human being instead of the assistant.

    >>> wants_person("Je veux parler à un humain."), wants_person("Qui est le responsable de la pharmacie ?")
    (True, False)
    """
    form = spoken(clipped(text))
    return any(pattern.search(form) for pattern in _CONTACT)


def asks_identity(text: str) -> bool:
    """Whether somebody asks who or what answers.

    >>> asks_identity("Es-tu un robot ?"), asks_identity("Le robot est-il en panne ?")
    (True, False)
    """
    form = spoken(clipped(text))
    return any(pattern.search(form) for pattern in _IDENTITY)
