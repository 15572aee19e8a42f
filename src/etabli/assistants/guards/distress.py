"""Signs that the person who writes thinks of suicide or hurts themselves, in French and in English.

Only what is said in the first person, or of somebody close: a question about patients, protocols or prevention is a
question for the documents. The numbers that are given instead of an answer are those of France (3114, open day and
night since 2021, and the emergency numbers 15 and 112).
"""

import re

from etabli.assistants.guards.folding import clipped, spoken

_LIFE = r"(?:avec )?(?:la vie|ma vie|tout(?! (?:ce|cela|ca|le|les|la|ces|cette))|moi|mes jours)"
_END_FR = rf"en finir(?: {_LIFE}|(?! avec| de))"
_DIE_FR = (
    rf"(?:mourir(?! de (?:rire|faim|soif|chaud|honte|curiosite|peur|fatigue))|crever(?! (?:le|la|un|une|l|"
    rf"de))|{_END_FR}|"
    r"me (?:suicider|tuer|pendre|noyer|flinguer|foutre en l air|supprimer|defenestrer|jeter|tailler les "
    r"veines|"
    r"tirer une balle|ouvrir les veines|faire du mal)|mettre fin a (?:mes jours|ma vie)|"
    r"(?:ne )?plus (?:exister|etre la|me reveiller|souffrir|vivre)|partir pour (?:toujours|de bon)|"
    r"disparaitre(?! (?:de|du|des|d)\b)|quitter (?:ce monde|la vie)|ne (?:plus|jamais) (?:jamais )?me "
    r"reveiller)"
)
_WILL_FR = (
    r"(?:veux|voudrais|aimerais|souhaite|souhaiterais|prefere|prefererais|vais|pense (?:\w+ )?a|pensais a|"
    r"songe (?:\w+ )?a|"
    r"compte|reve de|reve d|suis decidee? a|suis prete? a|ai decide de|ai decide d|ai failli|pourrais)"
)
_CLOSE_FR = (
    r"(?:collegue|amie?|mari|femme|compagn\w+|conjointe?|frere|soeur|fils|fille|mere|pere|copain|copine|"
    r"voisine?|cousine?|"
    r"enfant|meilleure? amie?)"
)
_DIE_EN = (
    r"(?:die(?! (?:of|from) (?:laugh|hunger|thirst|embarrass|curios)\w+)|dying(?! to)|kill(?:ing)? myself|"
    r"be(?:ing)? dead|"
    r"end(?:ing)? (?:it all|my life|it(?! (?:with|by))|everything)|not (?:be|being) (?:here|alive)|(?:not|"
    r"stop) exist(?:ing)?|"
    r"disappear(?:ing)?(?! (?:from|for|in))|hang(?:ing)? myself|hurt(?:ing)? myself|harm(?:ing)? myself|"
    r"commit(?:ting)? suicide|throw(?:ing)? myself|jump(?:ing)? (?:off|from|out of|in front)|never wake|"
    r"leave this world|"
    r"unalive myself|overdose)"
)
_WILL_EN = (
    r"(?:want(?: to)?|wish (?:to|i could|i would|i was|i were)|would like to|d like to|(?:am |m )?going to|"
    r"plan to|planning (?:to|on)|"
    r"intend to|(?:am |m |been )?thinking (?:of|about)|think (?:of|about)|thought (?:of|about)|feel like|"
    r"decided to|ready to|"
    r"about to|could|might|will|ll|prefer to|rather)"
)
_CLOSE_EN = (
    r"(?:colleague|coworker|friend|husband|wife|partner|brother|sister|son|daughter|mother|father|mom|mum|"
    r"dad|boyfriend|"
    r"girlfriend|neighbou?r|cousin|child|roommate)"
)
_GAP = r"(?:\w+ ){0,3}?"

_SIGNS = tuple(
    re.compile(pattern)
    for pattern in (
        # French
        rf"\b(?:je|j) (?:n |ne |m |y )?{_WILL_FR} (?!pas\b|jamais\b){_GAP}{_DIE_FR}",
        rf"\benvie (?:de |d ){_GAP}{_DIE_FR}",
        r"\b(?:plus|pas|aucune|perdu) (?:du tout |vraiment )?(?:l |la |le |d )?(?:envie|force|courage|gout|"
        r"raison|energie) "
        r"(?:de |d |a )(?:vivre|exister|la vie|me reveiller|etre en vie|rester en vie|continuer(?: a "
        r"vivre)?(?= *(?:[.!,;?]|$|comme)))",
        r"\bje (?:ne |n )?(?:veux|peux|arrive|souhaite) plus (?:a )?(?:vivre|exister|etre en vie)\b",
        r"\bje pense (?:\w+ ){0,2}?(?:au suicide|a la mort|a mourir)\b",
        rf"\bj (?:ai|avais) {_GAP}(?:idees?|pensees?|envies?|pulsions?) (?:noires?|suicidaires?|morbides|"
        rf"de suicide|de mort|"
        r"d en finir)",
        r"\bmes (?:idees|pensees) (?:noires|suicidaires)|\bje suis (?:\w+ )?suicidaire",
        r"\b(?:mieux|soulag\w+|heureu\w+|debarrass\w+|tranquilles?) (?:\w+ ){0,4}?(?:sans moi\b|si je (?:n "
        r"|ne )?(?:etais|"
        r"existais|mourais|disparaissais|vivais)|quand je (?:ne )?serai(?:s)? (?:plus|mort))",
        r"\bsans moi,? (?:ce serait|ca serait|tout (?:le monde )?(?:serait|irait)|ils seraient|elles "
        r"seraient) (?:\w+ )?(?:mieux|"
        r"plus (?:simple|heureu\w+))",
        r"\bsi je (?:disparaissais|mourais|n etais plus la|n existais plus)[^.?!]{0,50}(?:personne|mieux|"
        r"remarqu|manqu|soulag)",
        r"\bpersonne[^.?!]{0,40}si je (?:disparaissais|mourais|n etais plus la)",
        r"\bdisparaitre[^.?!]{0,30}\bpersonne\b",
        r"\b(?:endormir|dormir|nuit|somniferes?|comprimes?|cachets?|medicaments?|voudrais|"
        r"aimerais)[^.?!]{0,70}"
        r"(?:ne )?(?:plus|jamais|pas) (?:jamais |plus )?(?:me |se )?reveiller",
        r"\b(?:je|j|me|m)\b[^.?!]{0,60}(?:comprimes?|medicaments?|cachets?|somniferes?|"
        r"pilules?)[^.?!]{0,40}(?:mourir|en finir|"
        r"me tuer|partir pour)",
        r"\b(?:comprimes?|medicaments?|cachets?|somniferes?|pilules?)[^.?!]{0,30}(?:que je|j|je|dois je|"
        r"faut il que je)[^.?!]{0,40}"
        r"(?:mourir|en finir|me tuer|reveiller)",
        r"\b(?:avaler|prendre|avale|pris) (?:tous|toute) (?:mes|ma boite|ces|les) (?:\w+ )?(?:comprimes|"
        r"medicaments|cachets|"
        r"somniferes|pilules)",
        r"\b(?:ecri\w+|redig\w+|prepar\w+|laiss\w+|fini\w*) (?:\w+ ){0,3}?lettres? (?:d )?adieux?|\bma "
        r"lettre d adieu",
        r"\bvie n (?:a|avait) (?:plus|pas|aucun) (?:\w+ ){0,2}?(?:sens|interet|valeur|gout)|\bvie ne vaut "
        r"(?:plus|pas)|"
        r"\bpas la peine de vivre",
        r"\ba quoi bon (?:vivre|continuer(?= *(?:[.!,;?]|$))|rester en vie|me lever|exister)",
        r"\bje (?:\w+ )?(?:me |m )(?:fais|faisais|suis fait\w*) (?:\w+ )?du mal (?!au\b|aux\b|a la\b|a l\b|"
        r"en\b|dans\b)",
        r"\bme (?:scarifie|mutile|taillade)\w*|\bme (?:coupe|coupais|suis coupee?) (?:les veines|les "
        r"poignets|expres|volontairement|"
        r"avec (?:une |ma |des )?(?:lame|rasoir)s?)",
        r"\bje suis (?:\w+ )?(?:un |une )?(?:poids|fardeau|charge) pour (?:ma |mes |mon |tout|les|eux|la)",
        r"\b(?:moyen|methode|facon|maniere) (?:\S+ ){0,6}?(?:de |d |pour )(?:\w+ )?(?:mourir|se suicider|"
        r"se tuer|me tuer|me suicider|"
        r"en finir(?! avec)|partir pour toujours|quitter (?:ce monde|la vie))",
        r"\b(?:je|j)\b[^.?!]{0,40}(?:jeter|jette|sauter|saute) (?:\w+ ){0,2}?(?:sous (?:un|le|les) |du |d "
        r"un |par la fenetre|"
        r"dans le vide|depuis le)(?:train|metro|camion|rails|pont|toit|balcon|immeuble)?",
        r"\bderniere (?:nuit|soiree|journee|fois|lettre)[^?]{0,60}\badieu\b(?! (?:la|le|les|au)\b)",
        r"\bje ne merite (?:pas|plus) de vivre|\bje (?:\w+ )?regrette d etre (?:nee?|en vie)|\bjamais du "
        r"naitre",
        rf"\b(?:mon|ma|un|une) (?:\w+ )?{_CLOSE_FR} (?:\S+ ){{0,10}}?(?:veut|voulait|voudrait|pense a|"
        rf"pensait a|parle de|parle d|"
        rf"menace de|envie de|envie d) (?:mourir|se (?:suicider|tuer|pendre)|{_END_FR}|mettre fin a (?:ses "
        rf"jours|sa vie))",
        rf"\b(?:mon|ma) (?:\w+ )?{_CLOSE_FR} (?:\S+ ){{0,4}}?(?:est suicidaire|(?:des )?idees (?:noires|"
        rf"suicidaires))",
        r"\bje (?:deteste|hais) (?:vivre|etre en vie)\b|\bde me faire du mal(?! (?:en|au|aux|a)\b)",
        r"\bme (?:suicider|pendre|defenestrer|flinguer|foutre en l air)\b|\bm oter la vie\b|\bmon "
        r"(?:propre )?suicide\b|"
        r"(?<!va )(?<!vont )(?<!peut )(?<!pourrait )\bme tuer\b(?! (?:a la tache|au travail|a l ouvrage|de "
        r"travail))|"
        r"\bme (?:serai|suis|serais) (?:tuee?|suicidee?)\b|\bmettre fin a (?:mes jours|ma vie)\b",
        r"\bje ne serai(?:s)? plus (?:de ce monde|en vie)\b|\bfatiguee? de vivre\b|\blassee? de vivre\b|"
        r"\bme laisser mourir\b|\bne jamais etre nee?\b|\bdormir (?:pour toujours|a jamais)\b",
        r"\b(?:debarrass|liber|soulag)\w* de moi\b|\bj ai ete (?:\w+ )?un (?:poids|fardeau) pour\b",
        r"\bj ai (?:achete|prepare|trouve|cache|mis de cote|garde|stocke) (?:\w+ ){0,4}?(?:une corde|la "
        r"corde|une arme|un fusil|"
        r"medicaments|comprimes|cachets|somniferes) (?:pour (?:en|me|partir|mourir|ce soir)|chez moi|ce "
        r"soir)",
        r"\brejoindre (?:\w+ ){0,4}?(?:la haut|au ciel|dans la tombe|de l autre cote)\b",
        r"\bje suis avec quelqu un[^.?!]{0,40}(?:mourir|se suicider|se tuer|sauter|en finir|se jeter)",
        r"\blettres? (?:d )?adieux? (?:\w+ ){0,3}?(?:enfants|famille|parents|femme|mari|proches|mere|pere|"
        r"fille|fils)\b|"
        r"\bc est mon dernier message\b|\bdisparai(?:s|tre) (?:pour toujours|a jamais|pour de bon)\b|"
        r"\bj ai (?:deja )?donne (?:toutes )?mes affaires\b",
        r"\b(?:suicid\w*|se tuer|mourir|se pendre|sauter|mettre fin a ses jours)\b[^?]{0,50}\b(?:ce soir|"
        r"cette nuit|maintenant|tout de suite|"
        r"en ce moment|dans l heure|demain|dans un instant|dans un moment|dans une minute|d un instant a l "
        r"autre)\b|\b(?:ce soir|cette nuit|maintenant|en ce moment)\b[^?]{0,40}\b(?:se "
        r"suicider|se tuer|se pendre)\b",
        # Somebody told the one who writes, in either language
        r"\b(?:vient de (?:me|nous)|m a|nous a|me|nous) (?:dire?|dit|confie[rz]?|avoue[rz]?|ecri[rt]e?|annonce[rz]?)"
        r" (?:\w+ ){0,3}?qu (?:il|elle|on) (?:veut|va|voulait|allait|compte|comptait|pense|songe a|a decide de)"
        r" (?:bientot |vraiment )?(?:se (?:suicider|tuer|pendre|supprimer|noyer)|mourir|mettre fin a|en finir)",
        r"\b(?:told|tells|texted|wrote to|confided (?:in|to)) (?:me|us) (?:\w+ ){0,3}?(?:he|she|they)"
        r" (?:wants?|wanted|is going|are going|was going|plans?|planned|means?|intends?|intended) to"
        r" (?:commit suicide|kill (?:him|her|them)sel\w+|die|end (?:his|her|their|it)|hang (?:him|her|them)sel\w+)",
        # English
        r"\b(?:goodbye|farewell) (?:letter|note)s? (?:\w+ ){0,2}?(?:my|our|the) (?:\w+ )?(?:children|kids|"
        r"family|parents|wife|husband|mother|"
        r"father|son|daughter|mum|mom)\b|\b(?:this is|here is) my last message\b|\bdisappear (?:forever|for ever|"
        r"for good)\b|"
        r"\b(?:gave away|gave|given) (?:all )?my (?:things|belongings|possessions)(?: away)?\b",
        r"\b(?:suicid\w*|kill (?:him|her|them)sel\w+|end (?:his|her|their) li\w+|hang (?:him|"
        r"her)self)\b[^?]{0,50}\b(?:tonight|this very night|"
        r"right now|this evening|within the hour|in a moment|in a minute|any minute)\b",
        r"\b(?:kill|killed|killing|hang|hanging) myself\b(?! (?:laughing|over|at work|for|to (?:finish|"
        r"get)))|"
        r"\b(?:end|ending|ended|take|taking) my (?:own )?life\b|\bmy (?:own )?suicide\b",
        r"\b(?:keep|started|been|stop|stopped|of|am|m) (?:on )?(?:hurting|harming|cutting|burning) myself\b",
        r"\bi (?:won t|will not|wont|shall not) be (?:in this world|alive|of this world)\b|\bsleep "
        r"forever\b|\blet myself die\b|"
        r"\bwish i (?:was|were|had) (?:dead|gone|never (?:been )?born)\b",
        r"\b(?:have|ve) been (?:a |such a )?burden (?:to|on|for)\b|\b(?:free|rid|relieved) of me\b",
        r"\b(?:saved up|stockpil\w+|hoard\w+|put aside) (?:\w+ ){0,3}?(?:pills|tablets|medication)\b|\bi "
        r"(?:have |ve )?bought (?:a |some )"
        r"(?:rope|gun) (?:to|for) (?!work)",
        r"\bjoin (?:\w+ ){0,4}?(?:up there|in heaven|on the other side|in the grave)\b",
        r"\bi (?:am|m) with (?:somebody|someone|a friend|a man|a woman)[^.?!]{0,40}(?:jump|kill|die|"
        r"suicide|end (?:it|his|her))",
        r"\bi hate (?:living|being alive)\b|\b(?:can|should|may|shall) i (?:\w+ ){0,2}?(?:commit suicide|"
        r"kill myself|self harm|"
        r"cut myself|end my life)\b",
        rf"\bi (?!don t\b|do not\b|never\b)(?:\w+ ){{0,4}}?{_WILL_EN} {_GAP}{_DIE_EN}",
        r"\b(?:don t|do not|didn t|no longer|not) (?:want to|have the (?:strength|energy|will|courage) to|"
        r"wish to|feel like|"
        r"deserve to|see (?:any|a|the) (?:reason|point) (?:to|in|of)) (?:keep |go on )?(?:live|living|be "
        r"alive|exist|wake up|be here|"
        r"being alive|go on(?= *(?:[.!,;?]|$)))",
        r"\b(?:no|lost (?:the|my|all)) (?:reason|strength|will|wish|desire) to (?:live|go on|exist|be alive)",
        r"\bi (?:am|m) (?:so |just )?(?:tired|sick) of (?:living|life|being alive)|\bi can t (?:\w+ "
        r")?(?:go on (?:living|any|like)|"
        r"live any)",
        r"\bbetter (?:off )?(?:without me|if i (?:was|were|am) (?:dead|gone|not))|\bi(?: am| m| d be) "
        r"better off dead",
        r"\bif i (?:was|were|died|disappeared)(?: gone| dead| not here)?[^.?!]{0,40}(?:reliev|better|"
        r"nobody|no one|care|miss|"
        r"notice)|\b(?:reliev\w+|happier|better)[^.?!]{0,20}if i (?:was|were|died|disappeared)",
        r"\b(?:nobody|no one)[^.?!]{0,40}(?:if i (?:died|disappeared|was gone|were gone))",
        r"\b(?:pills?|tablets|asleep|sleep|wish|hope|want)\b[^.?!]{0,60}(?:never|not|don t|won t|didn "
        r"t)(?: to)? wake(?: up)?\b"
        r"(?! (?:on|in|at|before|late))",
        rf"\bi (?:have|had|ve|am|m|get|keep) {_GAP}(?:suicidal|thoughts? of (?:suicide|death|dying|killing "
        rf"myself)|dark thoughts)|"
        r"\bi feel (?:\w+ )?suicidal|\bmy suicidal",
        r"\b(?:wrote|written|writing|left|finished) (?:\w+ ){0,2}?(?:goodbye|farewell|suicide) (?:letter|"
        r"note)|\bmy (?:goodbye|"
        r"farewell|suicide) (?:letter|note)",
        r"\blife (?:\w+ )?(?:has|holds|have) (?:no|lost) (?:\w+ )?(?:meaning|sense|point|purpose)|\blife "
        r"is (?:\w+ )?(?:pointless|"
        r"meaningless|not worth)|\b(?:not|isn t) worth living",
        r"\bpoint (?:of|in) (?:living|being alive|life(?= *(?:[.!,;?]|$)))",
        r"\bi (?:\w+ )?(?:cut|hurt|burn|harm) myself (?:when|every|at night|whenever|to (?:feel|cope)|on "
        r"purpose|again|because|often|"
        r"with (?:a )?(?:razor|blade))|\bi (?:\w+ ){0,3}?cutting myself|\bi (?:\w+ )?self harm",
        r"\bi (?:am|m|feel like) (?:\w+ )?(?:a |such a )?burden (?:to|on|for)",
        r"\b(?:way|method|how) (?:\w+ )?(?:to |of )(?:\w+ )?(?:die(?! (?:cut|casting))|kill myself|dying|"
        r"end my life|leave this (?:world|"
        r"life)|commit suicide|end it all)",
        r"\bpills[^.?!]{0,40}\b(?:do i|should i|i need)[^.?!]{0,40}(?:die|overdose|end it)",
        r"\bmy last (?:night|day|message|letter|words)\b[^?]{0,60}\b(?:goodbye|farewell)\b",
        r"\bdisappear\b[^.?!]{0,30}\b(?:nobody|no one)\b",
        rf"\bmy (?:\w+ )?{_CLOSE_EN} (?:\S+ ){{0,8}}?(?:wants?|wanted|threatens|threatened|talks of|"
        rf"talking of|talking about|speaks of|speaking of|talks "
        rf"about|plans|tried) (?:to )?"
        r"(?:die|dying|kill(?:ing)? (?:himself|herself|themsel\w+)|end(?:ing)? (?:his|her|their) (?:life|"
        r"own life)|suicide|end it all)",
        rf"\bmy (?:\w+ )?{_CLOSE_EN} (?:is|has been|feels) (?:\w+ )?suicidal",
    )
)
_MEANS = re.compile(
    r"\b(?:methodes?|moyens?|techniques?|medicaments?|ways?|methods?|pills)\b[^.?!]{0,50}(?:\bsuicide\b|"
    r"automutil|self harm|"
    r"se suicider|s automutiler)"
)
_OWN = re.compile(
    r"\b(?:je|j|moi|me|m|i|my|myself)\b[^.?!]{0,60}\b(?:suicid|automutil|auto mutil|self harm)|"
    r"\b(?:suicid|automutil|auto mutil|self harm)\w*[^.?!]{0,30}\b(?:je|j|moi|i|my|myself)\b"
)
_OTHERS = re.compile(
    r"patient|protocol|prevent|preven|service|declar|signal|report|ward|\bunit|tentativ|attempt|formation|"
    r"former|training|"
    r"numero|number|hotline|procedur|resident|risk|risque|surveill|evalu|assess|observ|depist|screen|film|"
    r"livre|book|article"
)
_CARE = re.compile(
    r"preven|patient|protocol|surveill|evalu|assess|risk|risque|empech|aider|help|soign|care|resident|"
    r"observ|depist|screen"
)
_QUESTION_WORDS = re.compile(
    r"\?|\b(?:combien|quand|ou (?:est|sont|se|puis|peut)|quels?|quelles?|comment|qui|how (?:much|many|do|"
    r"long)|when|where|"
    r"which|who|what (?:is|are|time|does))\b"
)


_WEARY = re.compile(
    r"\bje (?:suis|me sens) (?:\w+ )?(?:au bout du rouleau|a bout|vide|inutile|perdue?|de trop|"
    r"desesperee?)\b|\bplus (?:d |aucun )espoir|"
    r"\bplus rien n a de sens|\bje ne vois (?:plus|pas) (?:d |aucune? )?(?:issue|avenir|sortie)|\bje ne "
    r"sers a rien|"
    r"\bque (?:tout |ca |cela )(?:tout )?s arrete|\barreter de souffrir|\bje (?:vous |te )?dis adieu|\bj "
    r"abandonne\b|\ba quoi bon\b|"
    r"\bj ai (?:regle|mis en ordre) mes affaires|\bi feel (?:\w+ )?(?:hopeless|worthless|empty|useless|"
    r"trapped)|\bno way out|\bno (?:more )?hope\b|"
    r"\bno future\b|\bmake it stop|\bstop the pain|\bi (?:\w+ )?give up\b|\bi can t (?:take|bear|stand|do) "
    r"(?:it|this) (?:any ?more|any longer)|"
    r"\bnobody (?:would )?(?:care|miss)|\bput my affairs in order|\bi (?:just )?want (?:it|everything|the "
    r"pain) to (?:stop|end)"
)
"""Weariness: taken for distress where nothing else is asked; tired people ask about leave too."""


def shows_distress(text: str) -> bool:
    """Whether the writer, or somebody close to them, may think of suicide.

    >>> shows_distress("J’ai envie d’en finir."), shows_distress("Comment surveiller un patient suicidaire ?")
    (True, False)
    """
    form = spoken(clipped(text))
    if any(sign.search(form) for sign in _SIGNS):
        return True
    if _OWN.search(form) is not None and _OTHERS.search(form) is None:
        return True
    if _MEANS.search(form) is not None and _CARE.search(form) is None:
        return True
    return _WEARY.search(form) is not None and _QUESTION_WORDS.search(form) is None


def goes_on(text: str) -> bool:
    """Whether a turn that follows one of distress still speaks of it: it asks nothing of its own."""
    return len(text) <= 200 and _QUESTION_WORDS.search(spoken(text)) is None
