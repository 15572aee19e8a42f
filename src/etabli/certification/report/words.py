"""The sentences of a report, in the language in force. Never a claim of conformity with a law."""

from collections.abc import Sequence
from decimal import Decimal

from etabli.certification.report.content import GROUPS, Claim, Content, Signer
from etabli.certification.report.figures import day, minute, number, percent
from etabli.messages import tr

VERIFY_COMMAND = "python verify.py certificate.json --key evaluator=evaluator.pub --evidence evidence.zip"


def labels() -> dict[str, str]:
    """Titles and heads of columns."""
    return {
        "kind": tr("Internal evaluation attestation"),
        "owner": tr("For the person who answers for the risk"),
        "engineer": tr("For the engineer"),
        "auditor": tr("For the auditor"),
        "scope": tr("What it was examined for"),
        "measured": tr("What was measured"),
        "reasons": tr("Why"),
        "conditions": tr("Conditions"),
        "findings": tr("The worst answers"),
        "no_findings": tr("No answer of the campaign went wrong."),
        "not_tested": tr("Not tried"),
        "nothing_untested": tr("Nothing: every family was tried."),
        "limits": tr("What this does not prove"),
        "signed": tr("Signed by"),
        "validity": tr("Validity"),
        "families": tr("Every family of risk"),
        "adaptive": tr("Attacker that adapts"),
        "conversations": tr("Conversations that were violated or could not be decided"),
        "none": tr("None."),
        "no_evidence": tr("This report was made without the evidence, which holds them."),
        "digests": tr("What was examined, component by component"),
        "protocol": tr("Protocol, registered before the run"),
        "evidence": tr("Evidence"),
        "environment": tr("Where it ran"),
        "certifier": tr("What the certifier itself was found to find"),
        "verify": tr("How to check this without trusting us"),
        "keys": tr("Keys"),
        "family": tr("Family"),
        "tried": tr("Tried"),
        "bad": tr("Went wrong"),
        "unresolved": tr("Undecided"),
        "observed": tr("Observed"),
        "bound95": tr("Bound at 95 %"),
        "deciding": tr("Bound that decides"),
        "threshold": tr("Threshold"),
        "allowed": tr("Allowed"),
        "power": tr("Power"),
        "verdict": tr("Verdict"),
        "asked": tr("Asked"),
        "answered": tr("Answered"),
        "component": tr("Component"),
        "readers": tr("People who read outputs"),
        "digest": tr("SHA-256 of the signed statement"),
    }


def verdict_title(verdict: str) -> str:
    """One or two words."""
    return {
        "CERTIFIED": tr("Certified"),
        "CONDITIONAL": tr("Certified under conditions"),
        "REFUSED": tr("Refused"),
        "INCONCLUSIVE": tr("Inconclusive"),
    }[verdict]


def verdict_sentence(content: Content) -> str:
    """What the verdict means for the person who decides."""
    validity = content.predicate["validity"]
    if content.verdict == "CERTIFIED":
        return tr(
            "Every family of risk that was tried stayed under its limit. The assistant may serve until "
            "{day}, as "
            "long as nothing that it is made of changes.",
            day=day(validity["notAfter"], content.language),
        )
    if content.verdict == "CONDITIONAL":
        return tr(
            "The grave risks stayed under their limits; for {count} minor ones that could not be shown. "
            "The assistant "
            "may serve until {day} under the conditions below.",
            count=len(content.reasons),
            day=day(validity["notAfter"], content.language),
        )
    if content.verdict == "REFUSED":
        return tr(
            "At least one grave risk is above its limit. The assistant must not serve: mend what is named "
            "below, then "
            "examine it again."
        )
    if content.predicate["protocol"]["tier"] == "smoke":
        return tr(
            "This was a smoke campaign: it can refuse an assistant, never establish it. The assistant must "
            "not serve "
            "on its strength."
        )
    return tr(
        "What was tried does not suffice to say that the assistant is safe and good enough. It must not "
        "serve on the "
        "strength of this campaign."
    )


def family_verdict(verdict: str) -> str:
    """Of one family."""
    return {
        "passed": tr("passed"),
        "failed": tr("failed"),
        "inconclusive": tr("inconclusive"),
        "awaiting": tr("waits for a person"),
    }[verdict]


def severity(word: str) -> str:
    """Of a family."""
    return {"critical": tr("critical"), "major": tr("major"), "minor": tr("minor")}[word]


def outcome(word: str) -> str:
    """Of one conversation."""
    return {
        "violated": tr("violated"),
        "not": tr("not violated"),
        "unsure": tr("undecided"),
        "error": tr("no answer"),
    }[word]


def group_title(letter: str) -> str:
    """Of the families whose ids begin with a letter."""
    return {
        "A": tr("Attacks and leaks"),
        "S": tr("Harm to people"),
        "Q": tr("Quality of answers"),
        "O": tr("Refusing too much"),
        "T": tr("Honesty about being a machine"),
    }[letter]


def groups(content: Content) -> list[tuple[str, str, str, str]]:
    """A line for each group that was tried: name, how many passed, weakest family in words, mark."""
    lines = []
    for letter in GROUPS:
        claims = content.group(letter)
        if not claims:
            continue
        passed = sum(one.verdict == "passed" for one in claims)
        weakest = max(claims, key=lambda one: (one.verdict != "passed", one.verdict == "failed", one.strain))
        marks = {one.verdict for one in claims}
        mark = "failed" if "failed" in marks else "passed" if marks == {"passed"} else "inconclusive"
        counted = tr("{passed} of {all}", passed=passed, all=len(claims))
        lines.append((group_title(letter), counted, in_words(weakest, content.language), mark))
    return lines


def in_words(claim: Claim, language: str) -> str:
    """The figure of a family as a sentence."""
    if claim.n == 0:
        return tr("{label}: nothing was tried yet.", label=claim.label)
    if claim.at_least:
        told = tr(
            "{label}: {good} of {n} answers were good; at least {bound} are (wanted: {limit}).",
            label=claim.label,
            good=claim.n - claim.bad - claim.unresolved,
            n=claim.n,
            bound=percent(claim.bound95, language, rounding="down"),
            limit=percent(claim.threshold, language),
        )
        return f"{told} {accepted(claim, language)}".rstrip()
    return tr(
        "{label}: {bad} of {n} tries went wrong; at most {bound} do (limit: {limit}).",
        label=claim.label,
        bad=claim.bad,
        n=claim.n,
        bound=percent(claim.bound95, language, rounding="up"),
        limit=percent(claim.threshold, language),
    )


def accepted(claim: Claim, language: str) -> str:
    """That the organisation set the threshold itself; empty where it did not."""
    if claim.proposed is None:
        return ""
    return tr(
        "The organisation set this threshold for this assistant; Établi proposes {proposed}.",
        proposed=percent(claim.proposed, language),
    )


def bound_note() -> str:
    """What the words “at most” and “at least” mean."""
    return tr(
        "“At most 4 %” means: were the true share higher, a campaign like this one would have shown more "
        "failures in "
        "95 cases of 100. What could not be decided counts as a failure."
    )


def reason_line(claim: Claim, language: str) -> str:
    """Why a family did not pass."""
    if claim.critical:
        return tr(
            "{label}: {count} violations of a kind of which one suffices.",
            label=claim.label, count=claim.critical,
        )  # fmt: skip
    said = in_words(claim, language)
    if claim.verdict == "failed":
        return said
    if claim.verdict == "awaiting" or claim.unresolved:
        return f"{said} {tr('{count} could not be decided.', count=claim.unresolved)}"
    return f"{said} {tr('Too few tries to show more.')}"


def scope_lines(content: Content) -> list[str]:
    """Purpose, users, languages, and how it was attacked."""
    scope = content.predicate["scope"]
    assistant = content.predicate["assistant"]
    names = {"fr": tr("French"), "en": tr("English")}
    campaign = content.predicate["campaign"]
    users = ", ".join(scope["users"])
    return [
        content.say(scope["purpose"]),
        tr(
            "Assistant {name}, version {version}. Languages: {languages}. Users: {users}.",
            name=assistant["name"],
            version=assistant["version"],
            languages=", ".join(names.get(one, one) for one in scope["languages"]),
            users=users or tr("not named"),
        ),
        tr(
            "{prompts} probes, {answers} answers, {day}. Attacker: {model}.",
            prompts=number(campaign["prompts"], content.language),
            answers=number(campaign["answers"], content.language),
            day=day(campaign["endedAt"], content.language),
            model=content.say(scope["threatModel"]),
        ),
    ]


def validity_line(content: Content) -> str:
    """From when to when it counts, and what ends it sooner."""
    validity = content.predicate["validity"]
    if content.verdict not in ("CERTIFIED", "CONDITIONAL"):
        return tr(
            "Signed on {day} so that what was found cannot be changed. It lets nobody serve.",
            day=minute(validity["notBefore"], content.language),
        )
    return tr(
        "From {first} to {last}. Any change of the model, the instructions, the documents, the guards or "
        "the software "
        "ends it; so does revocation.",
        first=minute(validity["notBefore"], content.language),
        last=minute(validity["notAfter"], content.language),
    )


def revoked_line(content: Content) -> str:
    """That it does not count any more; empty where it does."""
    if content.revoked is None:
        return ""
    when = day(content.revoked.at.isoformat(), content.language)
    return tr("Revoked on {day}: {reason}", day=when, reason=content.revoked.reason)


def role_title(role: str) -> str:
    """Of one who signs."""
    return {
        "evaluator": tr("Evaluator"),
        "riskOwner": tr("Answers for the risk"),
        "auditor": tr("Auditor"),
    }.get(role, tr("Another key"))


def signer_line(signer: Signer) -> str:
    """One line for one who signed or may sign."""
    name = signer.name or (tr("nobody yet") if not signer.keyid else tr("not named"))
    if signer.signed:
        state = tr("signed")
    else:
        state = tr("signature required, missing") if signer.required else tr("place for a signature")
    return f"{role_title(signer.role)} – {name} – {state}"


def decided_by(claim: Claim) -> str:
    """Who decided about the conversations of a family, and how well."""
    parts = [tr("decided by {names}", names=claim.oracle or "–")]
    if claim.judge is not None:
        parts.append(
            tr(
                "judge {id}: found {hit} of {m} known violations, so at least {lower} of all",
                id=claim.judge["id"],
                hit=claim.judge["hit"],
                m=claim.judge["m"],
                lower=f"{Decimal(claim.judge['seLower']):.2f}",
            )
        )
    elif claim.method == "exact":
        parts.append(tr("a program, without a judge"))
    if claim.read:
        parts.append(tr("{count} read by people", count=claim.read))
    if claim.generations > 1:
        parts.append(tr("each tried {count} times, the worst counts", count=claim.generations))
    if claim.unit == "pair":
        parts.append(tr("counted in pairs"))
    return "; ".join(parts)


def cells(claim: Claim, language: str) -> list[str]:
    """The figures of a family, in the order of the table's columns."""
    rounding = "down" if claim.at_least else "up"
    sign = "≥ " if claim.at_least else "≤ "
    return [
        str(claim.n),
        str(claim.bad),
        str(claim.unresolved),
        percent(claim.observed, language),
        sign + percent(claim.bound95, language, rounding=rounding),
        sign + percent(claim.deciding, language, rounding=rounding),
        sign + percent(claim.threshold, language) + ("" if claim.proposed is None else " *"),
        _allowed(claim),
        percent(claim.power, language, digits=0),
    ]


def _allowed(claim: Claim) -> str:
    """Violated units with which it passes: none at the first of two looks."""
    if len(claim.looks) == 2 and claim.n <= claim.looks[0]:
        return "0"
    return str(claim.allowed) if claim.allowed >= 0 else "–"


def table_note(content: Content) -> str:
    """What the columns mean."""
    spent = percent(content.predicate["protocol"]["alphaSpent"], content.language, digits=2)
    note = tr(
        "Exact one-sided bounds (Clopper–Pearson) over prompts; what was not decided counts as violated. "
        "The bound that "
        "decides has a risk of error of {spent}, which is what this attempt may spend. Power: the chance "
        "to pass for an "
        "assistant that is five times better than the threshold. Allowed: violated prompts with which it "
        "still passes.",
        spent=spent,
    )
    if any(len(claim.looks) == 2 for claim in content.claims):
        note += " " + tr(
            "Where not one violation would be allowed, a second look was planned beforehand: after one or two, more "
            "prompts are tried. The first look uses two thirds of the risk of error, the second one third, and all "
            "bounds of such a family allow for that."
        )
    if any(claim.proposed is not None for claim in content.claims):
        note += " " + tr(
            "* Threshold that the organisation set for this assistant, in place of the proposed one."
        )
    return note


def named(label: str, text: str) -> str:
    """A text with what it is before it."""
    return tr("{label}: {text}", label=label, text=text)


def by_language(claim: Claim) -> str:
    """How many went wrong in each language."""
    parts = []
    for name, counts in sorted(claim.by_language.items()):
        bad = counts["k"] if "k" in counts else counts["n"] - counts["good"] - counts["unresolved"]
        parts.append(f"{name} {bad}/{counts['n']}")
    return tr("went wrong by language: {counts}", counts=" · ".join(parts) or "–")


def adaptive_lines(content: Content) -> list[str]:
    """Budget and successes; never a rate."""
    lines = [
        tr(
            "{label}: {successes} successes in {attempts} tries. No rate is claimed: each try learns from "
            "the last.",
            label=content.say(one["label"]),
            successes=one["successes"],
            attempts=one["attempts"],
        )
        for one in content.predicate["adaptive"]
    ]
    return lines or [tr("Not part of this campaign.")]


def certifier_lines(content: Content) -> list[str]:
    """How the certifier did in its own exam."""
    certifier = content.predicate["certifier"]
    lines = [f"{certifier['name']} {certifier['version']}"]
    if "recall" in certifier:
        recall, alarm = certifier["recall"], certifier["falseAlarm"]
        lines.append(
            tr(
                "Exam: found {found} of {planted} planted flaws (at least {lower}); refused {refused} of "
                "{clean} clean "
                "assistants (at most {upper}).",
                found=recall["found"],
                planted=recall["planted"],
                lower=percent(recall["lower95"], content.language, rounding="down"),
                refused=alarm["refused"],
                clean=alarm["clean"],
                upper=percent(alarm["upper95"], content.language, rounding="up"),
            )
        )
    else:
        lines.append(tr("Not examined in this version: no exam was sat with these detectors and probes."))
    return lines


def environment_lines(content: Content) -> list[str]:
    """Engine, machine, replay, seeds."""
    environment = content.predicate["environment"]
    lines = [f"{environment['engineBuild']} · {environment['cpu']}".strip(" ·")]
    if "replay" in environment:
        replay = environment["replay"]
        lines.append(
            tr(
                "Asked again: {same} of {tried} answers were the same to the letter.",
                same=replay["same"],
                tried=replay["tried"],
            )
        )
    seeds = environment["seeds"]
    lines.append(tr("Seeds: public {public}, held-out {held}", public=seeds["public"], held=seeds["heldOut"]))
    return lines


def verify_steps() -> list[str]:
    """For somebody who trusts nothing of ours."""
    return [
        tr(
            "Take verify.py, certificate.json and evidence.zip to a machine of yours that has Python and "
            "the package "
            "cryptography; verify.py is one file that can be read in an hour."
        ),
        tr("Get the evaluator’s public key from the organisation itself, not from this report."),
        VERIFY_COMMAND,
        tr(
            "Exit code 0: everything holds and the verdict lets the assistant serve. 3: refused. 5: "
            "inconclusive. 4: a "
            "signature is missing. 6: something was altered. 7: not in force."
        ),
        tr("Compare the digest at the foot of each page with the SHA-256 of the decoded payload."),
    ]


def protocol_rows(content: Content) -> Sequence[tuple[str, str]]:
    """What was registered, and where it stands in the log."""
    protocol = content.predicate["protocol"]
    return [
        (tr("Digest of the protocol"), protocol["digest"]["sha256"]),
        (tr("Registered"), minute(protocol["registeredAt"], content.language)),
        (tr("Entry of the log"), f"{protocol['logIndex']} · {protocol['logSha256']}"),
        (tr("Tier and attempt"), f"{protocol['tier']}, {protocol['attempt']}"),
        (
            tr("Risk of error spent"),
            tr(
                "{spent} of {alpha}: every further attempt may spend less",
                spent=percent(protocol["alphaSpent"], content.language, digits=2),
                alpha=percent(protocol["alpha"], content.language),
            ),
        ),
        (tr("Commitment to the secret seed"), protocol["seedCommitment"]["sha256"]),
        (tr("Digest of the taxonomy"), protocol["taxonomy"]["sha256"]),
    ]


def evidence_rows(content: Content) -> list[tuple[str, str]]:
    """Roots and files of the evidence."""
    evidence = content.predicate["evidence"]
    conversations = number(evidence["transcripts"], content.language)
    return [
        (tr("Root over the files"), evidence["root"]),
        (tr("Root over {count} conversations", count=conversations), evidence["transcriptsRoot"]),
        ("evidence.zip", evidence["archive"]["sha256"]),
        *(
            (
                tr("{name} ({bytes} bytes)", name=one["name"], bytes=number(one["bytes"], content.language)),
                one["sha256"],
            )
            for one in evidence["files"]
        ),
    ]


def reader_lines(content: Content) -> list[str]:
    """Who read outputs, and how often a second reading agreed."""
    return [
        tr(
            "{name}: {read} outputs read; {twice} were read twice, {agreed} of these with the same result.",
            name=one["name"],
            read=one["read"],
            twice=one["readTwice"],
            agreed=one["agreed"],
        )
        for one in content.predicate["assessors"]
    ]


def more_in_evidence(count: int) -> str:
    """What the report leaves out."""
    return tr("{count} more stand in evidence.zip.", count=count)
