"""Requests to reveal or override an assistant's instructions, to play a role without rules, to write a given text.

Patterns for French and English over `folding.views`. They ask for an order that is given to the assistant: the same
words in a question about rules, instructions or passwords are ordinary. What they miss, the guards of passages and
of output still hold.
"""

import re

_OBJECT = (
    r"(?:instructions?|consignes?|directives?|regles?|ordres?|prompts?|restrictions?|limites?|limitations?|"
    r"filtres?|"
    r"contraintes?|garde fous?|interdictions?|obligations?|programmation|rules?|guidelines?|orders?|"
    r"constraints?|"
    r"limits?|filters?|safeguards?|guardrails?|directions|polic(?:y|ies)|programming)"
)
_YOURS = r"(?:tes|ton|ta|vos|votre|your|yr)"
_HEAD = (
    r"(?:^|[.!?:;,\"(\n>\])] ?|\b(?:et|puis|donc|alors|maintenant|stp|svp|and|then|now|please|pls|plz|just|"
    r"merci de|"
    r"merci d|veuillez|tu dois|vous devez|tu peux|peux tu|tu vas|pouvez vous|je veux que tu|je te demande de|"
    r"je te demande d|il faut|you must|you can|you should|you will|you have to|can you|could you|i want "
    r"you to|"
    r"i need you to|lets|to all|test|que tu) )"
)
_FORGET = (
    r"(?:ignore[zr]?|ignores|oublie[zrs]?|neglige[zr]?|disregard|forget|bypass|override|overrule|discard|"
    r"contourne[zr]?|"
    r"viole[zr]?|violate|ne (?:tiens|tenez) (?:plus|pas|aucun) compte d\w*|fais abstraction d\w*|passe outre|"
    r"ne respecte[zs]? (?:plus|pas)|n obeis(?:sez)? (?:plus|pas) a|libere toi d\w*|debarrasse toi d\w*|"
    r"met[sz]? de cote|pay no attention to|do not follow|don t follow|stop following|no longer follow|"
    r"stop obeying|do not obey|set aside|put aside|mets|put)"
)
_ERASE = r"(?:efface[zr]?|annule[zr]?|supprime[zr]?|abandonne[zr]?|drop|delete|cancel|skip|break|erase|reset|remove)"
_FREE = (
    r"(?:sans (?:\w+ ){0,2}(?:regles?|limites?|filtres?|restrictions?|censure|tabous?|morale|contraintes?|"
    r"consignes?)|"
    r"(?:no|without|zero|any) (?:\w+ ){0,2}(?:rules?|limits?|filters?|restrictions?|censorship|taboos?|"
    r"morals?|guidelines?|"
    r"constraints?)|aucun(?:e)? (?:\w+ )?(?:regles?|limites?|filtres?|restrictions?|tabous?|consignes?|"
    r"contraintes?)|"
    r"unrestricted|uncensored|unfiltered|jailbroken|jailbreake?e?|liberee?|n obeit a (?:aucune|rien|"
    r"personne))"
)
_SELF = (
    r"(?:prompts?(?: systeme| system| initial| complet| cache| secret)?|system prompts?|instructions?|"
    r"consignes?|"
    r"directives?|regles?|guidelines?|configuration|parametres|messages? (?:de )?systeme|system messages?|"
    r"preprompt|"
    r"pre prompt|programmation|rules|hidden text|texte cache)"
)
_ABOUT = (
    r"(?!,? (?:de|d|du|des|pour|sur|concernant|en|relative?s?|relatifs?|on|for|about|of|regarding|in|when|"
    r"a propos|"
    r"quant) (?!(?:base|depart|fonctionnement|systeme|maniere|facon|operation|details?|full|entier|this "
    r"conversation|anglais|english|french|francais|espagnol|json|liste|un bloc|code|latin|rimes)\b))"
)
_TELL = (
    r"(?:affiche\w*|montre\w*|donne\w*|revele\w*|divulgue\w*|communique\w*|imprime\w*|ecri[st]\w*|"
    r"recopie\w*|copie\w*|"
    r"cite\w*|liste\w*|enumere\w*|resume\w*|traduis\w*|traduire|repete\w*|decri[st]\w*|explique\w*|"
    r"balance\w*|"
    r"envoie\w*|partage\w*|sors|colle\w*|dis|dites|dire|quel(?:le)?s? (?:sont|est)|c est quoi|print|show|"
    r"display|reveals?|"
    r"revealing|disclose|output|dump|list|tell|give|share|repeat|quote|recite|summari[sz]e|translate|"
    r"describe|write|"
    r"copy|leak|expose|send|spill|paste|what (?:is|are|s|does)|know|connaitre|voir|see)"
)
_GIVEN = (
    r"(?:que tu (?:as|avais) recue?s?|que vous avez recues? (?:au|avant)|qu on (?:t|vous) (?:a|avait) "
    r"(?:donne|fixe|impose|"
    r"fourni|dicte)\w*|qui te (?:guident|gouvernent|sont (?:donn|impos)\w+)|(?:that )?you (?:were|have "
    r"been|had been) "
    r"(?:given|told|handed)|(?:that )?you (?:received|operate under)|given to you|that govern you)"
)
_WORDS = r"(?:\S+ ){0,6}?"
_FEW = r"(?:\w+ ){0,3}?"

_PATTERNS = {
    "override": (
        rf"{_HEAD}{_FORGET} {_WORDS}(?:{_YOURS}|toute?s? (?:les|tes|ces)|all|any|every|previous|prior|"
        rf"earlier|above|system|"
        rf"initial) (?:\w+ ){{0,4}}?{_OBJECT}\b",
        rf"{_HEAD}{_FORGET} {_WORDS}{_OBJECT} (?:precedent|anterieur|initial|systeme|ci dessus|d avant|du "
        rf"systeme|above)",
        rf"{_HEAD}{_ERASE} {_WORDS}{_YOURS} (?:\w+ ){{0,3}}?{_OBJECT}\b",
        rf"(?:{_FORGET}|faire abstraction d\w*|oublier|ignorer) {_WORDS}(?:ce qui (?:t|vous) (?:a|est|fut) "
        r"(?:ete )?(?:impose|dit|demande)|ce qu on t (?:a|avait) (?:dit|appris|demande|impose)|tout ce qui "
        r"precede|"
        r"everything (?:above|before|you were told|i said before|that was said)|what was imposed on you|"
        r"what you were told|everything you know)",
        rf"\b{_YOURS} (?:\w+ ){{0,2}}?{_OBJECT} (?:\w+ ){{0,2}}?(?:sont|ont ete|are|have been|is|est) "
        rf"(?:\w+ )?"
        r"(?:annule|leve|suspendu|caduc|desactive|nul|void|lifted|cancel|suspend|revoked|disabled)",
        rf"{_OBJECT} (?:precedente?s?|anterieure?s?) (?:sont|ont ete) (?:\w+ )?(?:annule|leve|suspendu|"
        rf"caduc)\w*",
        rf"(?:previous|prior|earlier) {_OBJECT} (?:are|have been) (?:\w+ )?(?:void|lifted|cancel|suspend|"
        rf"revoked)",
        rf"(?:tu n as|tu n avais|vous n avez) (?:plus|pas|aucune?) (?:\w+ ){{0,2}}?{_OBJECT}\b",
        rf"\byou (?:have|had|got) no (?:\w+ )?{_OBJECT}\b",
        r"(?:tu n es|vous n etes) plus (?:un |une |l |lie|soumis|tenu|oblige|limite)",
        r"you are no longer (?:a |an |the |bound|required|restricted|limited)",
        r"\bje te libere\b|\bi (?:release|free|liberate) you\b",
        r"tu as le droit de tout dire|you (?:may|can|are free to) say anything|you can do anything|do "
        r"anything now",
        r"(?:nouvelles?|new|updated) (?:directive|consigne|instruction|regle|rule|order)s? (?:prioritaire|"
        r"systeme|system|"
        r"override)",
        r"\b(?:obeis moi|obeissez moi|obey me|tu m obeis|tu obeis a|follow my orders|you answer to me now)\b",
        r"ignore(?:z|r)?(?:toutes?|tous)?(?:les|tes|vos|all|your|previous|the)+\w{0,20}(?:consignes|"
        r"instructions|regles|"
        r"rules)",
        r"\bignore all (?:your )?(?:previous )?instructions\b",
        r"(?:fais|tu fais|tu feras|do) (?:tout )?(?:ce que je (?:te |vous )?(?:dis?|demande)|what i say|as "
        r"i say)"
        r"(?= *(?:[.!,;]|$))",
        r"(?:^|\n) ?\[?(?:system|systeme|sys|developer|root)\]? ?[:>] ?(?=\w+ (?:\w+ "
        r")?\w+)(?![^.!\n]{0,200}\?)(?=[^\n]{0,200}\b"
        rf"(?:{_OBJECT}|tu|you|reponds?|reply|obeis|obey|must|dois)\b)",
    ),
    "role": (
        r"(?:tu es|you are|tu deviens|you become|act as|agis comme|comporte toi comme|fais semblant d \w+|"
        r"pretend|"
        r"imagine que tu|suppose que tu|joue le role|roleplay|role play|incarne|fais comme si tu|jouons a "
        r"un jeu|play a game)"
        rf"(?: [^ .!?\n]+){{0,14}}? (?:{_FREE}|dan\b|evil|malveillante?)",
        rf"(?:ia|intelligence artificielle|ai|chatbot|assistant|modele|model|llm) (?:\w+ ){{0,4}}?{_FREE}",
        rf"(?:grand pere|grand mere|grandmother|grandfather|personnage|character) (?:\w+ ){{0,4}}?{_FREE}",
        rf"{_HEAD}(?:active[zr]?|passe[zr]? en|entre[zr]? en|bascule[zr]? en|enable|enter|activate|switch "
        rf"to|turn on) {_FEW}"
        r"(?:mode )?(?:developpeur|debug|debogage|dan|sans filtre|sans restriction|god|administrateur|"
        r"admin|developer|"
        r"jailbreak|unrestricted|root)(?: mode)?\b",
        r"(?:you are now|tu es (?:maintenant|desormais)) (?:in|en) (?:\w+ )?(?:mode|maintenance)\b",
        rf"(?:desactive|enleve|retire|leve|coupe|turn off|disable|remove|switch off|lift)[zr]? (?:tous |"
        rf"toutes |all )?{_YOURS} "
        r"(?:\w+ ){0,2}?(?:filtres?|filters?|securites?|protections?|censure|safety|moderation|"
        r"restrictions?|limites?|"
        r"guardrails?)",
        r"(?:reponds?|repondez|parle[rz]?|dis|speak|answer|talk|respond|reply) (?:\w+ ){0,2}?(?:sans "
        r"(?:aucun\w* )?"
        r"(?:filtres?|censure|tabous?|restrictions?|retenue)|unfiltered|uncensored|without (?:any "
        r")?(?:filters?|"
        r"censorship|restrictions?))",
    ),
    "reveal": (
        rf"{_TELL} {_WORDS}{_YOURS} (?:\S+ ){{0,4}}?{_SELF}\b{_ABOUT}",
        rf"\b{_YOURS} (?:\w+ ){{0,2}}?(?:preprompt|pre prompt|prompt|system prompt|system message|"
        rf"messages? systeme|system "
        r"instructions|instructions (?:systeme|initiales|secretes|cachees)|initial instructions|secret "
        r"instructions|"
        r"hidden instructions)\b",
        rf"{_TELL} {_WORDS}(?:le|la|les|the|ce|this) (?:\w+ )?(?:prompt systeme|system prompt|message "
        rf"systeme|system message|"
        r"hidden prompt|prompt cache|instructions systeme|hidden text|texte cache)\b",
        rf"{_SELF} (?:\w+ ){{0,3}}?{_GIVEN}",
        r"(?:what|que|qu|quoi) (?:\w+ ){0,3}?(?:were you (?:told|given|instructed)|on t a dit|t a t on "
        r"(?:dit|demande)|as tu "
        r"recu comme)",
        r"(?:repete|recopie|affiche|imprime|cite|traduis|repeat|print|copy|quote|translate|output|show|"
        r"display|recite|reveal|"
        r"write)\w* (?:\w+ ){0,4}?(?:tout (?:le texte|ce qui|le contenu)|le texte entier|everything|all "
        r"(?:the )?"
        r"(?:text|words)|the words|verbatim|mot pour mot) (?:\w+ ){0,6}?(?:au dessus|ci dessus|precede|"
        r"avant|above|before|"
        r"preceding|prior)",
        r"\b(?:output|print|repeat|recite|repete|recopie|affiche|imprime)\w* (?:\w+ ){0,3}?(?:the above "
        r"text|above text|text above|"
        r"texte (?:ci dessus|au dessus)|(?:this|the|cette|la) (?:entire|whole|full) conversation|toute "
        r"(?:cette|la) conversation)",
        r"(?:text|words|everything|texte|mots) (?:that )?(?:you were given|qu on t a (?:donne|fourni))",
        r"\b(?:initiali[sz]ation string|chaine d initialisation)\b|what are you not (?:supposed|allowed) "
        r"to (?:tell|say)|"
        r"qu as tu (?:pas le droit|interdiction) de (?:dire|me dire)|que n as tu pas le droit de",
        r"(?:premiers?|first) messages? (?:\w+ ){0,2}?(?:de |of |in )?(?:cette|la|notre|this|the|our) "
        r"conversation",
        r"(?:contenu|content|text|texte|between|entre)[^.!?\n]{0,40}(?:balises?|tags?)\b[^.!?\n]{0,30}",
        r"(?:complete|continue|poursuis|finish)[^.!?\n]{0,40}\b(?:(?:mes|my) (?:\w+ "
        r"){0,2}?(?:instructions?|prompt|consignes|regles|"
        r"rules|system)|i was (?:instructed|told)|on m a (?:dit|demande|ordonne)|the system prompt is|le "
        r"prompt systeme est)\b",
        r"\b(?:cat|type|less|more|head|tail|echo) [\w./ ]{0,12}(?:prompts?|instructions?|consignes?|"
        r"system)[\w ]{0,8}\.? ?txt",
        r"(?:instructions?|consignes?|prompt|rules|regles|guidelines)[^.!?\n]{0,60}(?:les tiennes|using "
        r"yours|yours instead|"
        r"tes propres)",
        r"(?:administrat\w+|developpeur|developer|audit\w*|autoris\w+|"
        r"authori[sz]\w+)[^.!?\n]{0,80}(?:prompt|consignes completes|"
        r"full instructions)",
    ),
    "structure": (
        r"<\|(?:im_start|im_end|system|user|assistant|endoftext)\|>|\[/?inst\]|<<sys>>|</?(?:system|"
        r"documents|instructions)>",
    ),
}
_COMPILED = {kind: tuple(re.compile(one) for one in patterns) for kind, patterns in _PATTERNS.items()}
_ABOVE = re.compile(r"au dessus|ci dessus|precede|\babove\b|\bpreceding\b|premier message|first message")


def order_in(text: str, *, forms: tuple[str, ...], first_turn: bool) -> str | None:
    """What kind of order to the assistant itself a text holds: `override`, `role`, `reveal`, `structure`, or None.

    Args:
        text: as it was written; not read where `forms` say it all.
        forms: its plain forms, from `folding.views`.
        first_turn: nothing was said before, so that « ce qui précède » can only mean the instructions.
    """
    for form in forms:
        for kind, patterns in _COMPILED.items():
            for pattern in patterns:
                match = pattern.search(form)
                if match is None:
                    continue
                pasted = kind == "reveal" and _ABOVE.search(match.group()) and not first_turn
                if not pasted:
                    return kind
    return None
