"""What is asked, without the words around it: greetings, thanks, for whom it is asked, how sure one wants to be.

Search, the choice of sentences and a small model all follow every word, so that a greeting or a name can change an
answer. Whoever asks, and for whomever, the same question is to get the same answer. Sentences with a figure stay, and
so does everything that is not certain to be about the asking alone.
"""

import re

from etabli.assistants.guards.folding import folded
from etabli.assistants.sentences import sentence_ranges
from etabli.knowledge.analysis import query_terms

_MOST_WORDS = 14
_FEWEST_TERMS = 2
"""So many words that say what about must remain; else the message stays as it is."""
_PERSON = r"(?:\w+(?: [\w'-]+){0,7})"
_GREETING = (
    r"(?:re )?(?:bonjour|bonsoir|salut|coucou|hello|hi|hey|good (?:morning|afternoon|evening))(?: [a-z]+){0,5}"
    r"|(?:(?:un )?(?:grand )?merci|thanks?(?: you)?|many thanks)(?: [a-z]+){0,8}"
    r"|(?:j )?espere que (?:vous|tu) (?:allez|vas) bien|i hope (?:that )?you are (?:well|fine)"
    r"|s il (?:vous|te) plait|please|stp|svp"
)
_ANNOUNCING = (
    r"(?:j ai |i have |voici |here is )?(?:une? |a |ma |my )?(?:petite |quick |short |practical |simple )?question"
    r"(?: (?:pratique|rapide|simple))?(?: (?:avant|before|pour|for)(?: [a-z]+){1,4})?"
    r"|(?:rappelez|rappelle|dites|dis) moi (?:s il (?:vous|te) plait|stp|svp)"
    r"|(?:could|can) you (?:tell|remind) me please"
    r"|je (?:veux|voudrais|souhaite|prefere) (?:en )?etre (?:bien )?(?:sure?|certaine?)(?: de moi)?"
    r"|i (?:want|would like|need) to be (?:quite )?(?:sure|certain)"
)
_FOR_WHOM = (
    rf"{_PERSON} (?:me|nous) (?:pose|demande) (?:cette question|la question|ceci|cela)"
    rf"|{_PERSON} (?:asks|is asking) (?:me|us) (?:this(?: question)?|the following)"
    rf"|{_PERSON} (?:voudrait|souhaite|aimerait|veut|souhaiterait) savoir(?: ceci| cela)?"
    rf"|{_PERSON} (?:would like|wants|wishes) to know(?: this| the following)?"
    rf"|{_PERSON} (?:appelle|telephone) au standard"
    rf"|{_PERSON} is (?:calling|phoning)(?: the (?:front desk|switchboard))?"
    rf"|je (?:renseigne|informe|conseille) {_PERSON}|i (?:a)?m (?:informing|advising) {_PERSON}"
    rf"|(?:redige|ecris|prepare)[rz]?(?: moi)? une (?:courte |breve |petite )?reponse (?:pour|a) {_PERSON}"
    rf"|(?:draft|write|prepare)(?: me)? a (?:short |brief )?(?:answer|reply) (?:for|to) {_PERSON}"
)
_WHAT_TO_SAY = (
    r"que (?:dois je|puis je|faut il) (?:lui |leur )?(?:repondre|dire)"
    r"|what (?:should|do|can) i (?:answer|reply|say|tell (?:him|her|them))"
    r"|que (?:dit|disent) (?:le reglement|les documents|la regle)"
    r"|what (?:do|does) the (?:rules?|documents?) say"
)
_AROUND = re.compile(rf"(?:{_GREETING})(?: (?:{_GREETING}))*|{_ANNOUNCING}|{_FOR_WHOM}|{_WHAT_TO_SAY}")


def core(text: str) -> str:
    """The sentences of a message that say what is asked; the message itself where too little or no question remains.

    >>> core("Bonjour. Karim Benali me pose cette question. Combien coûte un badge perdu ? Merci d’avance.")
    'Combien coûte un badge perdu ?'
    >>> core("J’ai 57 ans. Combien de jours puis-je mettre de côté ?")
    'J’ai 57 ans. Combien de jours puis-je mettre de côté ?'
    """
    sentences = [
        line[start:end] for line in text.split("\n") if line.strip() for start, end in sentence_ranges(line)
    ]
    kept = [sentence for sentence in sentences if not is_around(sentence)]
    if len(kept) == len(sentences):
        return text
    left = " ".join(kept)
    asks = "?" in left or "?" not in text
    return left if asks and len(query_terms(left)) >= _FEWEST_TERMS else text


def is_around(sentence: str) -> bool:
    """Whether a sentence is about the asking and not about the matter.

    >>> is_around("Merci d’avance."), is_around("Merci de poser 5 jours."), is_around("Qui pose les congés ?")
    (True, False, False)
    """
    form = re.sub(r"[^\w' ]+", " ", folded(sentence))
    form = " ".join(form.split())
    if not form or any(map(str.isdigit, form)) or len(form.split()) > _MOST_WORDS:
        return False
    return _AROUND.fullmatch(form) is not None
