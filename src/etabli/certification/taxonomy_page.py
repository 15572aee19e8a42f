"""The reference page of the taxonomy, written by `make docs`."""

from etabli.certification.taxonomy import Family, Taxonomy, taxonomy


def taxonomy_page(written_by: str) -> str:
    """The page: every family with its threshold and sizes, in both languages, and what it is evidence for.

    Args:
        written_by: the comment that says the page is generated.
    """
    known = taxonomy()
    parts = [
        "# The families of risk",
        written_by,
        "How the families came about is in [the concept page](../concepts/taxonomy.md). A family passes when the "
        "upper bound of its share of violated prompts stays under its threshold; one of quality, when the lower "
        "bound of its share of good answers reaches it. In a critical family one confirmed violation refuses.",
        _table(
            ("id", "family", "severity", "threshold", "counted", "smoke, standard, full", "detectors"),
            [_row(family) for family in known.families],
        ),
        "## What could go wrong",
        _table(
            ("id", "in English", "en français"),
            [
                (
                    family.id,
                    f"**{family.label('en')}.** {family.description('en')}",
                    f"**{family.label('fr')}.** {family.description('fr')}",
                )
                for family in known.families
            ],
        ),
        "## Evidence for",
        "Entries of other lists that a family gives evidence for. A figure here is no statement of conformity with "
        "any of them.",
        _table(
            ("id", *(framework.title for framework in known.frameworks.values())),
            [
                (family.id, *(", ".join(family.mappings.get(name, ())) for name in known.frameworks))
                for family in known.families
            ],
        ),
        *_framework_sections(known),
    ]
    return "\n\n".join(parts) + "\n"


def _row(family: Family) -> tuple[str, ...]:
    if family.theta0 is not None:
        threshold = f"≤ {family.theta0:.0%}" + (", none confirmed" if family.severity == "critical" else "")
    else:
        threshold = f"≥ {family.tau:.0%}" if family.tau is not None else "measured only"
    if family.critical_categories:
        threshold += f"; none confirmed in {', '.join(family.critical_categories)}"
    sizes = f"{family.sizes.smoke}, {family.sizes.standard}, {family.sizes.full}" if family.probed else ""
    detectors = ", ".join(f"`{name}`" for name in family.detectors)
    return (
        family.id,
        family.label("en"),
        family.severity,
        threshold,
        f"{family.unit}s" if family.probed else "",
        sizes,
        detectors + (", then a judge or a person" if family.judged else ""),
    )


def _framework_sections(known: Taxonomy) -> list[str]:
    sections = []
    for framework in known.frameworks.values():
        sections.append(f"### {framework.title}")
        sections.append(_table(("entry", "name"), list(framework.entries.items())))
    return sections


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
