"""The report as one HTML file: no script, nothing fetched from anywhere, made to be printed."""

from functools import cache

import jinja2

from etabli.certification.report import figures, words
from etabli.certification.report.content import Content
from etabli.certification.report.typesetting import VERDICT_SIGNS
from etabli.messages import speaking

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may do with the file: the policy stands in it, and the server sends it too."""


def html_of(content: Content) -> bytes:
    """The file. What the assistant was asked and said is shown as text, whatever it holds."""
    with speaking(content.language):
        said = words.labels()
        text = _template().render(
            content=content,
            predicate=content.predicate,
            policy=POLICY,
            said=said,
            words=words,
            figures=figures,
            sign=VERDICT_SIGNS[content.verdict],
        )
    return text.encode()


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("etabli.certification.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")
