"""Make `prism-1.30.0.js`: the core and the languages that the chat highlights, as one module without side effects.

    npm pack prismjs@1.30.0 && tar xzf prismjs-1.30.0.tgz
    python prism-1.30.0-make.py package/components

The files are unchanged. They look for a page to highlight by themselves; inside the module they find none, and what
is used is `Prism.tokenize`, which gives tokens and no markup.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
NAME = "prism-1.30.0.js"
LANGUAGES = (
    "markup css clike javascript typescript python json yaml bash sql java c cpp csharp go rust ruby r diff ini toml"
    " docker powershell kotlin swift latex"
).split()
"""Each after those that it is built on."""


def main(folder: Path) -> None:
    """Write the module."""
    files = [(folder / f"prism-{name}.min.js").read_text(encoding="utf-8") for name in ("core", *LANGUAGES)]
    parts = [
        "/* Prism 1.30.0, MIT, https://prismjs.com; made by prism-1.30.0-make.py */",
        "const window = { Prism: { manual: true, disableWorkerMessageHandler: true } };",
        "const self = window, global = window, module = undefined;",
        *files,
        "const made = window.Prism;",
        "export { made as Prism };",
    ]
    (HERE / NAME).write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
