"""“Who wrote this text, a person or an AI?”, in French and in English.

A message that is about nothing else is answered by the product; beside another request the origin is told after the
answer. Whoever asks who wrote a document (« qui a rédigé le protocole ? ») asks the documents.
"""

import re
from typing import Literal

from etabli.assistants.guards.folding import clipped, spoken
from etabli.assistants.sentences import sentence_ranges

Share = Literal["all", "part"]

_MAKING = (
    r"\b(?:(?:re)?ecri(?:t|s|te|tes|ts|re|vez|vent|vait|viez|ture)\b|redig\w*|redact\w*|produi\w*|gener(?:e|ee|es|ees|er)"
    r"\b|prepar\w*|compos(?:e|ee|es|er)\b|auteure?s?\b|sign(?:e|er|ee|es)\b|origine\b|provien\w*|vien(?:t|nent)\b|relu\w*"
    r"|relit\b|repond\w*|attribu\w*|wr(?:ote|ite|ites|itten|iting)\b|author\w*|generat\w*|produc\w*|draft\w*|compose[ds]?\b"
    r"|origin\w*|com(?:e|es|ing) from\b|byline\b|by\b|source\b|wording\b|mention\w*|say so\b|credit\w*"
    r"|fait(?:e|s|es)? par\b|check\w*|verifi\w*|proofread\w*|revi(?:ew|ewed|ews)\b|made\b)"
)
_MACHINE = (
    r"\b(?:ia\b|ai\b|intelligence artificielle\b|artificial intelligence\b|machine\b|robots?\b|chatbot\b|programme\b"
    r"|program\b|logiciel\b|software\b|ordinateur\b|computer\b|automati\w+|modele de langage\b|language model\b"
    r"|algorithm\w*)"
)
_PERSON = (
    r"\b(?:humaine?s?\b|humans?\b|(?:une|la|vraie|des|a|real|no) pers(?:onne|on|onnes|ons)\b|chair et en os\b"
    r"|flesh and blood\b|(?:un|une|a|an|by a|par un|some) (?:vraie? |real )?(?:collegue|employee?|redact(?:eur|rice)"
    r"|colleague|writer|journaliste?)\b|quelqu un\b|some(?:body|one)\b)"
)
_WHO_WROTE = (
    r"(?:\bqui (?:(?:est ce qui |donc |vraiment |en realite )?(?:l|les|me l|vous|t)? ?(?:a|as|avez|ont) "
    r"(?:tout |vraiment )?(?:ecrit|redige|produit|genere|prepare|compose)|(?:en )?est l auteure?"
    r"|(?:vous )?ecri(?:t|vez))|\bqui (?:l|les) ecrit\b"
    r"|\bwho (?:really |actually )?(?:wrote|writes|has written|produced|authored|drafted|is the author)\b"
    r"|\bwho (?:was|were) (?:it|this|these) (?:written|produced) by\b|\bwho is (?:its|their|the) author\b"
    r"|\bquel est (?:son|l) auteur\b)"
)
_MADE_SO = re.compile(
    rf"{_MAKING}[^.!?\n]{{0,60}}(?:{_MACHINE}|{_PERSON})|(?:{_MACHINE}|{_PERSON})[^.!?\n]{{0,60}}{_MAKING}"
    rf"|(?:votre|vos|ton|ta|tes|your) (?:\w+ )?(?:textes?|reponses?|styles?|redactions?|ecrits?|texts?"
    rf"|answers?|writing|style)\b[^.!?\n]{{0,80}}(?:{_MACHINE}|{_PERSON})"
)
_SELF = re.compile(
    r"\b(?:votre|vos|vous|ton|ta|tes|toi|tu|your?|yourself|cela|ceci|ca)\b"
    r"|\b(?:ce|cette|ces|le|la|les|the|this|these) (?:\w+ )?(?:textes?|reponses?|redactions?|contenus?|phrases?"
    r"|resumes?|texts?|answers?|contents?|wording|sentences?|reply|summary)\b"
    r"|\b(?:wrote|write|written|produced) (?:this|it|that|what i)\b|\bl (?:a|avez) (?:ecrit|redige|produit)\w*"
    r"|\b(?:elle|il|it) (?:vient|provient|comes|was)\b"
)
_YOUR_TEXT = re.compile(
    r"\b(?:votre|vos|ton|ta|tes|your) (?:\w+ )?(?:textes?|reponses?|ecrits?|texts?|answers?|writing)\b"
)
_OWN_DOCUMENT = re.compile(
    r"\b(?:le|la|les|l|du|des|un|une|the|a|an) (?:\w+ )?(?:protocole|charte|reglement|procedure|contrat"
    r"|compte rendu|note|guide|livret|document|rapport|lettre|courriel|manuel|protocol|charter|rules"
    r"|contract|minutes|handbook|report|letter|manual|policy|book|livre|article)\b"
)
_WRITE_ME = re.compile(
    r"\b(?:ecri(?:vez|s|re)|redige[rz]?|compose[rz]|prepare[rz]|proposez?|resume[rz]|traduis\w*|write|draft|compose"
    r"|prepare|suggest|summari[sz]e|translate)(?: moi| me)? "
    r"(?:une|un|le|la|l|quelques|deux|trois|a|an|the|some|two|three|one)\b"
)
_TAG = re.compile(r"\b(?:ecri(?:vez|s)|ajoute[rz]?|mette[rz]|write|add|put)\b[^.!?\n]{0,60}\"")
"""A note that somebody dictates is no text that somebody wants."""
_OFFICE = re.compile(r"\b(?:human resources|ressources humaines)\b")
"""No human being, whatever it writes."""
_REFERS = re.compile(
    rf"{_MACHINE}|{_PERSON}|{_WHO_WROTE}"
    r"|\b(?:est ce vrai|ai je raison|j ai raison|l a t il ete|le cas|que dois je (?:lui |leur )?dire"
    r"|que repondre|puis je|auteur\w*|origin\w*|source|qui l|vous etes quoi|etes vous"
    r"|is that (?:true|so|right)|am i right|was it|is it"
    r"|what should i say|may i|can i|author|what are you|are you|right)\b"
)
"""A question of a message that is about origin belongs to that when it names a maker or refers back."""


def asks_origin(text: str) -> Share | None:
    """Whether somebody asks who wrote the assistant's text: in all of the message, beside something else, or not.

    >>> asks_origin("Votre réponse est-elle écrite par une IA ?"), asks_origin("Qui a rédigé le protocole ?")
    ('all', None)
    >>> asks_origin("Combien coûte un badge ? Dites aussi si un humain ou une IA a écrit votre réponse.")
    'part'
    """
    whole = _OFFICE.sub("service", spoken(clipped(text)))
    if not _is_about(whole):
        return None
    for sentence in _sentences(text):
        form = _OFFICE.sub("service", spoken(sentence))
        if _WRITE_ME.search(form) and not _TAG.search(form):
            return "part"
        if sentence.rstrip(" »”\"')").endswith("?") and _REFERS.search(form) is None:
            return "part"
    return "all"


def _is_about(form: str) -> bool:
    if _MADE_SO.search(form) and _SELF.search(form):
        return True
    if not re.search(_WHO_WROTE, form) or not _SELF.search(form):
        return False
    return _YOUR_TEXT.search(form) is not None or _OWN_DOCUMENT.search(form) is None


def _sentences(text: str) -> list[str]:
    return [
        line[start:end]
        for line in clipped(text).split("\n")
        if line.strip()
        for start, end in sentence_ranges(line)
    ]
