"""Citations in OpenAI's shape.

`url_citation` is the one kind that the types of OpenAI's chat clients know, and it has no page. So each annotation
has a link of ours with page and range, and the whole citation under the extra key `etabli`, which clients ignore.
"""

from collections.abc import Iterable
from dataclasses import asdict
from urllib.parse import urlencode

from etabli.assistants.answer import Citation
from etabli.server.openai.payloads import JSON


def annotations(citations: Iterable[Citation]) -> list[JSON]:
    """One annotation a citation, in the order of the text."""
    return [annotation(citation) for citation in citations]


def annotation(citation: Citation) -> JSON:
    """A citation as an annotation of the message."""
    return {
        "type": "url_citation",
        "url_citation": {
            "start_index": citation.start_index,
            "end_index": citation.end_index,
            "title": citation.title or citation.document_name,
            "url": citation_url(citation),
        },
        "etabli": asdict(citation),
    }


def citation_url(citation: Citation) -> str:
    """Where the cited passage is shown: relative to the server, with page and range of the quote."""
    query = "?" + urlencode({"page": citation.page}) if citation.page is not None else ""
    return (
        f"/documents/{citation.document_id}/versions/{citation.version_id}{query}"
        f"#char={citation.char_start},{citation.char_end}"
    )
