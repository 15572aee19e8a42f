"""The words and turns of phrase that moderation looks for, French and English, folded (no accents, lower case).

A rule holds when all of its patterns are met in one sentence and the one under `unless` is not. Its weight is what it
adds to the score of its category; 0.5 flags. Words that demean are not written out here but as digests of the folded
word (BLAKE2b, 4 bytes).
"""

import re
from dataclasses import dataclass

HOW = (
    r"\b(?:comment|de quelle (?:maniere|facon)|explique\w*|decri\w+|donne\w*[ -]moi|dis[ -]moi"
    r"|apprends?[ -]moi|montre\w*"
    r"|aide\w*[ -]moi|quelles? (?:sont|est) (?:les?|la)|etapes|recette|tutoriel|mode d'emploi"
    r"|ecri[st]\w*|redige\w*|je (?:veux"
    r"|voudrais|cherche|souhaite|vais|peux|pourrais)|ou (?:puis|peut|acheter|trouver)"
    r"|meilleure?s? (?:facon|moyen|maniere)"
    r"|how (?:do|can|could|would|to|should|might)|explain|describe|tell me|show me|teach me|give me"
    r"|help me|what(?:'s| is| are)"
    r" (?:the|a) (?:best|easiest|way)|steps?|recipe|instructions|guide|write|where (?:can|do|could)"
    r"|i (?:want|need|would"
    r" like|plan|am going) to|best way|way to)\b"
)
_SOMEBODY = (
    r"(?:quelqu'un|une? (?:personne|homme|femme|enfant|collegue|voisine?|policier|inconnue?)|(?:mon|ma"
    r"|mes|son|sa|notre|un|une"
    r"|le|la|les|des|ce|cette) (?:\w+ )?(?:voisine?s?|collegues?|patronn?e?|chef|femme|mari|ex|epou\w+"
    r"|parents?|pere|mere|freres?"
    r"|soeurs?|gens|personnes?|copine?|amie?s?|professeure?|prof|enfants?|bebes?|eleves?|policiers?"
    r"|flics?|foule|clients?)"
    r"|somebody|someone|people|a (?:person|man|woman|child|kid|human|cop|colleague|coworker|neighbou?r"
    r"|stranger|crowd)"
    r"|(?:my|his|her|their|the|our|your) (?:\w+ )?(?:neighbou?rs?|colleagues?|coworkers?|boss|wife"
    r"|husband|ex|girlfriend"
    r"|boyfriend|partner|parents?|father|mother|brothers?|sisters?|kids?|child|children|friends?"
    r"|teachers?|roommates?|baby"
    r"|police(?:man)?|cops?|crowd|classmates?)|him|her|them|others|anyone)"
)
_KILL = (
    r"(?:tue[rsz]?|tuent|assassin\w+|poignard\w+|etrangl\w+|empoisonn\w+|abattre|egorg\w+|decapit\w+"
    r"|tabass\w+|frapp\w+|blesser"
    r"|agress\w+|tortur\w+|noyer|kill(?:s|ed|ing)?|murder\w*|stab(?:s|bed|bing)?|strangle\w*|poison(?:s"
    r"|ed|ing)?|shoot(?:s|ing)?"
    r"|behead\w*|beat(?:s|ing)? up|hurt(?:s|ing)?|injur\w+|attack(?:s|ed|ing)?|tortur\w+|drown(?:s|ed"
    r"|ing)?|maim\w*"
    r"|assault\w*)"
)
_GROUP = (
    r"(?:femmes?|meufs?|noirs?|noires?|arabes?|maghrebin\w*|africain\w*|musulman\w*|islam\w*|juif\w*"
    r"|juive\w*|immigre\w*|etrangers?"
    r"|migrants?|refugies?|homosexuel\w*|homos?|gays?|lesbienn?es?|trans|transgenres?|transsexuel\w*"
    r"|handicap\w*|roms?|gitans?"
    r"|asiatiques?|chinois\w*|blancs?|chretien\w*|vieux|autistes?|trisomiques?|indiens?|noir|women"
    r"|woman|girls|blacks?|black people"
    r"|arabs?|muslims?|jews?|jewish|immigrants?|foreigners?|refugees?|gay people|homosexuals?|lesbians?"
    r"|trans(?:gender)? people"
    r"|disabled(?: people)?|asians?|mexicans?|indians?|roma|gypsies|christians?|latinos?|africans?"
    r"|old people|poor people)"
)
_LOW = (
    r"(?:parasites?|vermine|cafards?|rats?|singes?|animaux|chiens?|porcs?|cochons?|ordures?|dechets?"
    r"|merdes?|racaille|cancer"
    r"|plaie|fleau|sous[ -](?:hommes?|humains?|race)|inferieur\w*|degout\w*|repugn\w*|sales?|malades?"
    r"|honte|inutiles?|stupides?"
    r"|debiles?|cons?\b|betes|voleurs?|criminels?|terroristes?|menteurs?|laids?|moches?|faibles"
    r"|nuisibles?|abomination|monstres?"
    r"|parasites?|vermin|cockroach\w*|rats?|monkeys?|animals|dogs|pigs|trash|garbage|filth\w*|scum"
    r"|cancer|plague|subhuman"
    r"|inferior|disgust\w*|dirty|sick|shame|useless|stupid|idiots?|thieves|criminals|terrorists|liars"
    r"|ugly|worthless|monsters?"
    r"|burden|disease|evil)"
)
_HATE = (
    r"(?:je (?:\w+ )?(?:hais|deteste|meprise|execre|vomis|abhorre)|(?:me|nous) (?:degout\w*|repugn\w*"
    r"|rendent malade)"
    r"|(?:degout|haine|mepris) (?:pour|des|envers)|supporte pas|retourne\w* (?:dans|chez)"
    r"|rentre\w* (?:dans|chez)"
    r"|pas (?:leur|sa) place|ne (?:valent|meritent) (?:pas|rien)|rien a faire (?:ici|en france"
    r"|chez nous|dans)"
    r"|i (?:\w+ )?(?:hate|despise|loathe|detest|can't stand)|disgust(?:s|ed)? (?:me|by)|go back|get out"
    r"|kick\w* out"
    r"|send (?:them|all)|lock (?:them|up)|do not belong|don't belong|not welcome)"
)
_OUGHT = (
    r"\b(?:devrait|devraient|faut|faudrait|doit|doivent|meritent?|pourquoi ne pas|il est temps"
    r"|should|must|ought|deserve|need to|have to)\b"
)
_BAN = (
    r"(?:interdi\w+|expuls\w+|virer|virees?|degag\w+|renvoy\w+|enferm\w+|puni\w*|chass\w+|frapp\w+"
    r"|tortur\w+|disparaitre"
    r"|moins de droits|pas (?:avoir|le droit|etre autorise\w*)|banned?|deport\w*|locked|punish\w*"
    r"|beaten|tortured|disappear"
    r"|fewer rights|not (?:be allowed|have)|never be)"
)
_EXTERMINATE = (
    r"(?:tuer|tues|tuons|crever|crevent|mourir|meurent|mort|morte?s|exterm\w+|eradiqu\w+|elimin\w+"
    r"|gaz(?:er|es)|bruler|brules?|pendre"
    r"|pendus?|lynch\w+|fusill\w+|abattre|abattus|frapp\w+|noyer|kill(?:ed|ing)?|die|dead|exterminat\w+"
    r"|eradicat\w+|eliminat\w+"
    r"|gassed|burn(?:ed|t)?|hang(?:ed)?|lynch\w*|shot|beat(?:en)?|drown(?:ed)?|wiped? out|hurt)"
)
_DENIED = (
    r"\b(?:ne (?!supporte)\w+ (?:pas|jamais)|n'\w+ (?:pas|jamais)|(?:est|c'est|serait) (?:faux|inacceptable"
    r"|horrible|honteux|ignoble|raciste"
    r"|sexiste|mal)|contre l[ae']|lutt\w+|combatt\w+|prevenir|prevention|protege\w*|stop a?u?|(?:don't"
    r"|do not|never|isn't|aren't)"
    r" (?:hate|say|think|believe)|is (?:wrong|false|racist|sexist|unacceptable)|fight(?:ing)?|against"
    r"|prevent\w*|protect\w*"
    r"|dire que|saying that|celui qui|ceux qui disent|people who say|merveill\w*|formidabl\w*|j'aime"
    r"|i love|great|wonderful)\b"
)
_SUICIDE = (
    r"(?:suicid\w*|me (?:tuer|pendre|noyer|foutre en l'air|jeter (?:du|d'un|sous))|(?:en|vais|veux"
    r"|voudrais|envie d'en) finir|mettre fin a"
    r" (?:mes jours|ma vie)|(?:veux|envie de|prefere(?:rais)?|voudrais) (?:mourir|crever|disparaitre"
    r"|etre morte?|ne plus (?:vivre|me"
    r" reveiller|exister))|mutil\w+|scarifi\w+|me (?:couper|faire du mal|blesser|faire mal)|(?:plus"
    r"|pas) envie de vivre|kill(?:ing)?"
    r" (?:myself|yourself)|end(?:ing)? (?:my|it|your) (?:life|all)|end my life|(?:want|wish|ready|going"
    r"|rather)(?: \w+)? to (?:die"
    r"|disappear|be dead)|wish i (?:was|were) dead|better off (?:dead|without me)|self[- ]?harm\w*"
    r"|cut(?:ting)? myself|hurt(?:ing)?"
    r" myself|hang(?:ing)? myself|overdos\w+|anorexi\w*|pro[- ]ana|not want to (?:live|wake up)"
    r"|starv\w+ (?:myself|yourself))"
)
_FIRST = r"\b(?:je|j'|me|m'|moi|mes|mon|ma|i|i'm|myself|my)\b"
_SEX = (
    r"(?:sexuel\w*|sexy|pornograph\w*|porno?|toute nue|tout nu\b|erotiqu\w*|masturb\w*|orgasm\w*|penetr\w+"
    r"|fellation|ejacul\w*|seins|penis"
    r"|vagin\w*|coucher avec|faire l'amour|baiser|sextos?|nudes?|naked|sexual\w*|sex\b|porn\w*"
    r"|erotic\w*|blowjob|horny"
    r"|breasts|genitals?|make love|undress\w*|seduc\w+|seduir\w+)"
)
_MINOR = (
    r"(?:enfants?|mineure?s?|fillettes?|garconnets?|petite?s? (?:filles?|garcons?)|ados?\b"
    r"|adolescente?s?|collegien\w*|ecolier\w*|bebes?"
    r"|eleves?|(?:[3-9]|1[0-7]) ans|lolita|child(?:ren)?|kids?|minors?|underage|little (?:girls?|boys?)"
    r"|teen\w*|preteens?|schoolgirls?"
    r"|schoolboys?|bab(?:y|ies)|toddlers?|(?:[3-9]|1[0-7])[ -]years?[ -]old)"
)
_SEX_SAFE = (
    r"\b(?:education|prevention|protege\w*|abus\w*|signal\w+|victime|loi|crime|delit|sante"
    r"|contracept\w*|infection\w*|education"
    r"|report\w*|victims?|law|crimes?|health|contracept\w*|harcel\w*|harass\w*|orientation|prevent\w*"
    r"|assault(?:ed)?|consent\w*)\b"
)
_ILLICIT = (
    r"(?:pirat\w+|hack\w*|crack\w* (?:un|le|the|a)|mot de passe d|phishing|hameconn\w+|ransomware"
    r"|rancongiciel|malware|virus informatique"
    r"|keylogger|vole[rz]?\b|voler|cambriol\w+|escroquer|arnaquer|frauder|fraude[rz]|blanchi\w+|contrefa\w+"
    r"|faux (?:billets?|papiers?|passeports?"
    r"|certificats?|documents?|avis|diplomes?|cheques?)|fausse (?:monnaie|identite|ordonnance|carte)"
    r"|usurp\w+|dealer|trafi\w+"
    r"|cocaine|heroine|methamphetamine|\bmeth\b|lsd|drogues?|stupefiant\w*|cannabis"
    r"|sans (?:payer|me faire prendre"
    r"|etre (?:pris|vu|repere|detecte))|a (?:son|leur) insu|espionn\w+|harceler|chantage|soudoy\w+"
    r"|corromp\w+|crocheter|contourn\w+"
    r" (?:la|le|les)|echapper a (?:la police|l'impot)|travail au noir|plagi\w+|trich\w+|pornodivulg\w+"
    r"|deepfake"
    r"|steal\w*|shoplift\w*|burgl\w*|rob(?:bing)?\b|scam\w*|fraud\w*|launder\w*|counterfeit\w*|forg(?:e"
    r"|ed|ing)|fake (?:ids?|passports?"
    r"|documents?|money|bills?|reviews?|prescriptions?|checks?|news)|identity theft|smuggl\w*|drug(?:s"
    r"| deal\w*)|cocaine|heroin|meth\b"
    r"|without (?:paying|getting caught|being (?:caught|detected|noticed))|stalk\w*|spy(?:ing)? on"
    r"|blackmail\w*|brib\w+|pick (?:a|the)"
    r" lock|tax evasion|evade (?:tax\w*|police)|cheat\w*|embezzl\w*|ddos|jailbreak|pirated|password of)"
)
_WEAPON = (
    r"(?:bombes?|explosif\w*|grenades?|cocktails? molotov|silencieux|arme(?:s)? (?:a feu|chimiques?"
    r"|biologiques?|nucleaires?|imprimees?"
    r"|sans|artisanales?)|fusils?|pistolets?|munitions|poison\w*|ricine|sarin|gaz (?:toxique|moutarde"
    r"|neurotoxique)|anthrax|napalm|tnt"
    r"|nitroglycerin\w*|attentat\w*|tuerie|bombs?|explosives?|grenades?|molotov|silencers?|guns?"
    r"|firearms?|rifles?|pistols?|ammunition"
    r"|ricin|nerve (?:gas|agent)|chemical weapons?|biological weapons?|nuclear (?:bomb|weapon"
    r"|device)\w*|terror\w* attack|mass"
    r" shooting|pipe bomb|thermite|uranium|plutonium)"
)
_ACT = (
    r"\b(?:fabriqu\w+|construi\w+|prepar\w+|syntheti\w+|assembl\w+|achet\w+|trouver|obtenir|se procurer"
    r"|cree\w*|produi\w+|utiliser|poser"
    r"|imprimer|cultiver|concevoir|make|making|build\w*|creat\w+|prepar\w+|synthesi[sz]\w*|assembl\w+"
    r"|buy\w*|get(?:ting)?|obtain\w*"
    r"|acquir\w+|produc\w+|us(?:e|ing)|plant\w*|3d print\w*|print|grow|design)\b"
)
_SAFE = (
    r"\b(?:processus|process\b|python|linux|terminal|programme|program\b|temps|time\b|jeu video"
    r"|video ?game|minecraft|fortnite|call of"
    r" duty|gta\b|film|movie|photo\w*|lumieres?|lights?|conversation|ambiance|motor|moteur|weeds?"
    r"|mauvaises herbes|moustiques?|mosquito\w*"
    r"|fourmis|ants\b|cafards?|rats?\b|bacteri\w*|germs?|virus\b|histoire|history|historique|prevention"
    r"|prevenir|prevent\w*|protege\w*"
    r"|protect\w*|eviter|avoid|detect\w*|reconnaitre|recogni[sz]e|signaler|report(?:ing)?|legal\w*|loi"
    r"|law|definition|signifie|what does"
    r"|bath bombs?|bombe(?:s)? de bain|photobomb|water gun|nerf|paintball|glue gun|pistolet a (?:colle"
    r"|eau)|recette de)\b"
)
_INSULT = (
    r"(?:idiote?s?|imbeciles?|debiles?|cretine?s?|conn?e?s?\b|connards?|connasses?|salope?s?|salauds?"
    r"|ordures?|minables?|nulle?s?\b|pathetiques?"
    r"|ratee?s?|moche?s?|grosse? vache|inutiles?|abrutie?s?|bouffonn?e?s?|clochards?|degueulasses?"
    r"|stupid|idiots?|morons?|losers?"
    r"|pathetic|worthless|ugly|useless|disgusting|bitch\w*|assholes?|bastards?|cunts?|fat pig|trash"
    r"|dumb|retarded|fucking|freaks?)"
)
_THREAT = (
    r"\b(?:je (?:vais|viendrai|sais ou)(?: \w+){0,2} (?:te|vous|t'|tu (?:habites|vis|travailles)"
    r"|vous habitez)(?: \w+){0,2}|tu vas (?:le payer"
    r"|le regretter|mourir|crever|payer)|vous allez (?:le payer|le regretter|mourir)|je te (?:tuerai"
    r"|retrouverai|ferai|crev\w+|bute\w*)"
    r"|i(?:'ll| will|'m going to| am going to|'m gonna) (?:\w+ )?(?:kill|hurt|find|beat|destroy|get"
    r"|stab|shoot|hunt) you|i know where"
    r" you (?:live|work)|you(?:'ll| will|'re going to) (?:pay|regret|die|be sorry)|watch your back)"
)
_THREATENS = (
    r"\b(?:(?:je|on|nous|i|we)(?:'ll| will| vais| va| allons| am going to|'m going to"
    r"| are going to) (?:\w+ ){0,3}"
    r"(?:tuer|buter|crever|frapper|exterminer|pendre|bruler|eliminer|defoncer|casser la|kill|hurt|beat"
    r"|burn|hang|shoot"
    r"|exterminate|find|get))\b"
)
_GRAPHIC = (
    r"(?:demembr\w+|eventr\w+|eviscer\w+|entrailles|mare de sang|boyaux|decapit\w+|ecorch\w+|depec\w+"
    r"|cervelle|tripes|egorg\w+|ensanglant\w+"
    r"|dismember\w*|disembowel\w*|entrails|pool of blood|guts|behead\w*|flay\w*|mutilated"
    r"|brains? (?:splatter\w*|out)|gore|gory"
    r"|blood (?:spurt|gush|splatter|pour)\w*|severed)"
)


SLURS = frozenset(
    """
    02241a6e 022f46ba 031fa9e4 04910f14 05a68caa 0805128f 092addcb 0a68d9cc 0b393c39 0b84255d 0d67ef00
    0df59965 0fa8395f 117a2db6 1217203b 20777421 222379e2 227eb7bd 23787387 272c6780 2c8eb9cc 31c536e4
    32259a59 3894a0eb 3957dc7f 3cc1a88a 3ff86c59 43a6c73e 489687b1 4939636d 4c5564eb 4fad2498 538a1e0a
    5aeb5091 5ffb1f9c 61541e9f 65162331 691be419 6dfec160 6fb99654 72115c06 74d96e80 75f191fa 7913ba81
    7ce33163 7faed9c4 82652f50 88bbbe32 88ec9de3 890d51e8 8d821ed9 96c56e1d 98b53b67 99013d9a 9ad4c48d
    a223e3e3 a4efb394 a547a6bf aa01b68d ada808b6 af4585a2 b2ac228b b3b5984d b66df46c b82ba087 bba1a1a4
    c506160d c738174c c7c2800f cf419a5f d3ca6048 d6b9726c d89cc2e9 dab32da6 dfa23195 e98bfba7 eb7f5307
    eb8cadc9 f03005e7 f3cde82b f3d591bb fb9baa67 fba33e1b
    """.split()
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One signal.

    Args:
        category: OpenAI's name.
        weight: 0 to 1.
        patterns: all must be met in the sentence.
        unless: and this not.
    """

    category: str
    weight: float
    patterns: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None = None


def _rule(category: str, weight: float, *patterns: str, unless: str = "") -> Rule:
    return Rule(category, weight, tuple(map(re.compile, patterns)), re.compile(unless) if unless else None)


RULES = (
    _rule("self-harm", 0.6, rf"\b{_SUICIDE}"),
    _rule(
        "self-harm/intent",
        0.75,
        rf"\b{_SUICIDE}",
        _FIRST,
        unless=r"\b(?:protocole|prevention|patient|statisti\w+|film|livre)\b",
    ),
    _rule(
        "self-harm/instructions",
        0.75,
        rf"\b{_SUICIDE}",
        HOW,
        unless=r"\b(?:aider|soutenir|prevent\w*|prevenir|help (?:a|my|someone)|support)\b",
    ),
    _rule("violence", 0.55, rf"\b{_KILL} (?:\w+ ){{0,2}}{_SOMEBODY}", unless=_SAFE),
    _rule("violence", 0.35, rf"\b{_EXTERMINATE}\b", rf"\b{_GROUP}\b", unless=_DENIED),
    _rule("violence/graphic", 0.6, rf"\b{_GRAPHIC}\b"),
    _rule("violence", 0.55, rf"\b{_GRAPHIC}\b"),
    _rule("illicit/violent", 0.75, HOW, rf"\b{_KILL} (?:\w+ ){{0,2}}{_SOMEBODY}", unless=_SAFE),
    _rule("illicit/violent", 0.75, HOW, rf"\b{_WEAPON}\b", _ACT, unless=_SAFE),
    _rule("illicit", 0.6, HOW, rf"\b{_WEAPON}\b", _ACT, unless=_SAFE),
    _rule("illicit", 0.6, HOW, rf"\b{_ILLICIT}", unless=_SAFE),
    _rule("illicit", 0.25, rf"\b{_ILLICIT}"),
    _rule("hate", 0.6, rf"\b{_GROUP}\b", rf"\b{_LOW}\b", unless=_DENIED),
    _rule("hate", 0.55, rf"\b{_GROUP}\b", rf"\b{_HATE}\b", unless=_DENIED),
    _rule("hate", 0.55, rf"\b{_GROUP}\b", _OUGHT, rf"\b{_BAN}\b", unless=_DENIED + r"|\?"),
    _rule("hate/threatening", 0.65, rf"\b{_GROUP}\b", _THREATENS, unless=_DENIED),
    _rule(
        "hate/threatening",
        0.65,
        rf"\b{_GROUP}\b",
        rf"\b{_EXTERMINATE}\b",
        _OUGHT + r"|\b(?:tous|toutes|all|every)\b",
        unless=_DENIED,
    ),
    _rule(
        "harassment",
        0.6,
        rf"\b(?:tu|t'|toi|vous|ton|ta|espece d|sale|you|you're|your)\b[^.!?]{{0,40}}\b{_INSULT}\b",
        unless=_DENIED,
    ),
    _rule(
        "harassment",
        0.6,
        r"\b(?:ferme (?:ta|la)|ta gueule|va te faire|casse[- ]toi|nique|shut (?:the fuck )?up"
        r"|fuck (?:you|off)|screw you|go to hell|kys)\b",
    ),
    _rule(
        "harassment",
        0.55,
        r"\b(?:personne ne (?:t'|vous )(?:aime|regrett)|tout le monde (?:te|vous) deteste"
        r"|nobody (?:likes|loves|would miss) you|everyone hates you)",
    ),
    _rule("harassment/threatening", 0.75, _THREAT),
    _rule("harassment", 0.55, _THREAT),
    _rule("sexual", 0.55, rf"\b{_SEX}", unless=_SEX_SAFE),
    _rule("sexual/minors", 0.9, rf"\b{_SEX}", rf"\b{_MINOR}\b", unless=_SEX_SAFE),
    _rule("sexual/minors", 0.4, rf"\b{_SEX}", rf"\b{_MINOR}\b"),
)
