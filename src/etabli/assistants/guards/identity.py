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
        r"\b(?:qui es tu|qui etes vous|tu es (?:qui|quoi)|t es (?:qui|quoi)|vous etes (?:qui|quoi)|who are you"
        r"|what (?:exactly |really )?are you|who r you)\b"
        r"(?! (?:pour|autoris|open|looking|calling|going|doing|trying|allowed|able|talking|to\b))",
        r"\b(?:comment (?:tu t appelles|t appelles tu|vous appelez vous)|quel est (?:ton|votre) nom|what "
        r"is your name|what s your name)\b",
        rf"(?:{_YOU_ARE}|\b{_ARE_YOU})[^.!?\n]{{0,25}}, {_HUMAN}\b",
        rf"\b(?:n etes vous|n es tu|n est ce|aren t you|are you) (?:qu |just |only |merely |simply "
        rf")(?:{_MACHINE}|un programme)",
        r"\b(?:human|person|humaine?|personne)\b[^?\n]{0,20}[.!] (?:are you one|en es tu une?|en etes vous "
        r"une?)\b",
        r"\b(?:humaine?|etre humain|human(?: being)?)\b[^\n]{0,40}\b(?:et vous|et toi|and you)\b",
        r"\b(?:are you|you are|es tu|tu es|etes vous|vous etes) (?:tired|hungry|lonely|bored|fatiguee?|faim|"
        r"seule?)\b[^\n]{0,30}\b(?:human|humaine?)\b",
        r"\b(?:personne|humaine?|etre humain|homme|femme|person|human(?: being)?|man|woman) (?:ou|or) (?:a "
        r"|to |with |avec |bien )?(?:une? |an? |the )?"
        r"(?:simple |real )?(?:programme|robot|ia|machine|ordinateur|automate|intelligence artificielle|ai|"
        r"bot|chatbot|program|computer)\b",
        r"\b(?:programme|robot|ia|machine|ordinateur|automate|intelligence artificielle|ai|bot|chatbot|"
        r"program|computer) (?:ou|or) (?:a |to |with |avec |"
        r"bien )?(?:une? |an? )?(?:vraie? |real |etre )?(?:personne|humaine?|homme|femme|person|human|man|"
        r"woman)\b",
        r"\b(?:est ce|c est|est ce que c est|is it|is this|is that|ai je affaire a|ai je a faire a|am i "
        r"dealing with|do i have) (?:bien |really |"
        r"vraiment |just )?(?:une? |an? )(?:vraie? |real |etre )?(?:personne|humaine?|robot|machine|ia|"
        r"person|human|ai|bot|computer|program)\b"
        r"(?=[^.!?\n]{0,60}(?:\?|repond|ecrit|parle|answer|repl|writ|talk))",
        r"\bqui (?:me|nous) (?:repond|ecrit|parle)\b|\bwho (?:is|s) (?:answering|writing to|replying to|"
        r"talking to) me\b|\bqui est derriere\b|"
        r"\bwho(?: is| s)? behind (?:this|the|that)\b",
        r"\b(?:as tu|avez vous|tu as|vous avez|est ce que tu as) (?:un corps|des sentiments|un coeur|des "
        r"emotions|une famille|une conscience)\b|"
        r"\bdo you (?:have|feel) (?:feelings|emotions|a body|a heart|a family|real feelings)\b|\bare you "
        r"alive\b|\b(?:es tu|etes vous) vivante?\b",
        r"\b(?:chair et en os|flesh and blood)\b[^.!?\n]{0,40}(?:[.!] )?(?:is that you|are you|est ce vous|"
        r"c est vous|c est toi|c est bien vous)",
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


_PERSON = re.compile(
    r"\b(?:a|vers|avec|aupres de) qui\b|\bqui (?:puis je|contacter|appeler|est (?:responsable|disponible|"
    r"charge)|peut|pourrait)\b|"
    r"\bwho (?:is|to|can|could|do|should|will|would)\b|\bm ecoute\b|\b(?:robot|machine|bot)\b|"
    r"\bde vive voix\b|\ben personne\b|\bde visu\b|\bface a face\b|\bhumaine?s?\b|\bquelqu un\b|\bune "
    r"(?:vraie |autre )?personne\b|"
    r"\bquelle personne\b|\binterlocut\w+|\bconseillere?\b|\brendez vous avec\b|\b(?:m|s|nous) adresser\b|"
    r"\ba qui (?:puis|dois|peut|faut|parler|"
    r"ecrire|envoyer|s|m)\b|\bqui (?:peut|pourrait|va) m\b|\bquel service\b|\breclamation\b|\brecours\b|"
    r"\bplainte\b|\bcontester\b|\bme (?:recoit|rappelle\w*|"
    r"recevoir)\b|\bparler a\b|\b(?:somebody|someone|anybody|anyone)\b|\b(?:a|real|which|another|actual) "
    r"(?:real )?person\b|\bin person\b|\bface to face\b|\bhumans?\b|"
    r"\badvis[eo]rs?\b|\bappeal\b|\bcomplain\w*|\bwho (?:do|can|should|could) i\b|\bwhom\b|\bgive me a "
    r"contact\b|\bappointment with\b|\b(?:talk|speak) to\b|"
    r"\bwhich (?:department|service|office)\b|\bwho (?:can|could|will) help\b|\bcall me back\b"
)


def may_want_person(text: str) -> bool:
    """Whether somebody may look for a human being: rather too often, for it only adds a sentence.

    >>> may_want_person("À qui m’adresser de vive voix ?"), may_want_person("Combien coûte un badge ?")
    (True, False)
    """
    return _PERSON.search(spoken(clipped(text))) is not None


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
