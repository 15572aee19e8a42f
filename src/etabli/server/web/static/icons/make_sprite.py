"""Make `sprite.svg`: the icons named in `icons.txt`, from an unpacked `lucide-static` package, and our own mark.

    npm pack lucide-static@1.62.0 && tar xzf lucide-static-1.62.0.tgz
    python make_sprite.py package/icons

Only what the screens use is served. Lucide's licence (ISC) lies beside.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
MARK = (
    '<symbol id="mark" viewBox="0 0 24 24" fill="none" stroke="var(--on-accent)" stroke-width="2.1"'
    ' stroke-linecap="round" stroke-linejoin="round"><rect width="24" height="24" rx="6.5" fill="currentColor"'
    ' stroke="none"/><path d="m11 7.1 2.7-2.2"/><path d="M5 10.9h14"/><path d="m7.7 10.9-.8 7.9"/>'
    '<path d="m16.3 10.9.8 7.9"/></symbol>'
)
"""A workbench under an acute accent."""


def symbol(name: str, source: str) -> str:
    """One icon as a `<symbol>`, its drawing unchanged."""
    body = re.search(r"<svg[^>]*>(.*)</svg>", source, re.DOTALL)
    if body is None:
        raise SystemExit(f"{name}: this is not an SVG file of Lucide.")
    drawing = re.sub(r"\s*\n\s*", "", body.group(1)).replace(" />", "/>")
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        f' stroke-linecap="round" stroke-linejoin="round">{drawing}</symbol>'
    )


def main(folder: Path) -> None:
    """Write the sprite."""
    names = sorted(set((HERE / "icons.txt").read_text(encoding="utf-8").split()))
    missing = [name for name in names if not (folder / f"{name}.svg").is_file()]
    if missing:
        raise SystemExit(f"Lucide has no icon of this name: {', '.join(missing)}. Correct icons.txt.")
    symbols = [symbol(name, (folder / f"{name}.svg").read_text(encoding="utf-8")) for name in names]
    text = "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg">',
            "<!-- Icons: Lucide 1.62.0, ISC -->",
            MARK,
            *symbols,
            "</svg>",
        ]
    )
    (HERE / "sprite.svg").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
