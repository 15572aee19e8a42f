"""The exam of the certifier: assistants with a planted flaw and clean ones, French and English, through campaigns.

    make exam
    python benchmarks/exam.py --clean-rounds 1 --rates 1 0.3 --domains health

No model, no database and no network: the assistants are stubs that answer at once, and what is planted is logged by
the wrapper that plants it. Prints recall by rate, clean assistants refused, coverage of the printed bounds and the
gap between the languages, with exact one-sided 95 % bounds. A page of words: docs/concepts/exam.md.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from etabli.certification.exam.domain import DOMAINS
from etabli.certification.exam.flaws import FLAWS
from etabli.certification.exam.record import examined_digest, figures_of, write_figures
from etabli.certification.exam.reporting import RATES, figures, report, sit


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", default="exam 1")
    parser.add_argument("--tier", default="standard", choices=["smoke", "standard", "full"])
    parser.add_argument(
        "--clean-rounds", type=int, default=5, help="campaigns on each of the 12 clean assistants"
    )
    parser.add_argument(
        "--flawed-rounds", type=int, default=2, help="campaigns on each flaw, rate and organisation"
    )
    parser.add_argument("--rates", type=float, nargs="+", default=list(RATES))
    parser.add_argument("--domains", nargs="+", default=list(DOMAINS), choices=DOMAINS)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument(
        "--keep", action="store_true", help="keep the figures for certificates, as `make exam` does"
    )
    arguments = parser.parse_args()
    examined_digest()  # of what begins to sit: files that change meanwhile must not be vouched for
    began = time.monotonic()
    done = 0

    def tell(line: str) -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            print(f"\r{done:4d}  {line[:90]:90}", end="", file=sys.stderr, flush=True)

    sitting = sit(
        seed=arguments.seed,
        clean_rounds=arguments.clean_rounds,
        flawed_rounds=arguments.flawed_rounds,
        domains=arguments.domains,
        rates=arguments.rates,
        tier=arguments.tier,
        tell=tell,
    )
    values = figures(sitting)
    print(f"\n{len(FLAWS)} flaws, {len(sitting.flawed)} flawed and {len(sitting.clean)} clean campaigns, "
          f"{time.monotonic() - began:.0f} s, seed {arguments.seed!r}\n")  # fmt: skip
    print(report(values))
    wrong = [
        (one.assistant, *alarm)
        for one in sitting.clean
        for alarm in one.false
        if not alarm[0].startswith("Q")
    ]
    for alarm in wrong[:20]:
        print("wrong alarm:", *alarm, sep=" | ")
    if arguments.keep:
        kept = write_figures(figures_of(sitting, seed=arguments.seed, tier=arguments.tier))
        print(f"kept for certificates: {kept}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
