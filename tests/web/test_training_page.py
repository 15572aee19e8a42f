"""The screens of training in a browser, over real jobs with a scripted trainer."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.web.training_parts import BASE, CLINIC, Site, compared, training_site

from etabli.evaluation.evaluating import training_file
from etabli.evaluation.generated import GeneratedRow
from etabli.training.jobs import TrainingJob
from training.training_parts import probed

pytestmark = pytest.mark.browser
SLIPS = CLINIC / "training" / "fiches-train.jsonl"
LIMIT_MS = 120_000
BOTH = pytest.mark.parametrize(("theme", "language", "width"), [("light", "en", 1280), ("dark", "fr", 360)])


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    with training_site(tmp_path / "clinique", database_url) as one:
        yield one


@pytest.fixture(autouse=True)
def patient() -> Iterator[None]:
    expect.set_options(timeout=LIMIT_MS)  # a busy machine is slow, a broken page never gets there
    yield
    expect.set_options(timeout=5_000)


def sound(page: Page, violations: Callable[[Page], list[str]]) -> None:
    """No fault that axe knows, no scrolling sideways."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def drop(page: Page, path: Path, *, label: str = "Choose the examples") -> None:
    page.get_by_label(label).set_input_files(path)


def mixed(folder: Path) -> Path:
    """The clinic's slips with a line that is no JSON, a role that nobody knows and a line twice."""
    lines = SLIPS.read_text(encoding="utf-8").splitlines()[:40]
    robot = json.loads(lines[4])
    robot["messages"][-1]["role"] = "robot"
    broken = [*lines[:4], json.dumps(robot), lines[5], '{"messages": [<b>', *lines[7:], lines[8]]
    path = folder / "mixed.jsonl"
    path.write_text("\n".join(broken) + "\n", encoding="utf-8")
    return path


def finished(site: Site, **changes: Any) -> TrainingJob:
    job = site.job(**changes)
    with site.running():
        wait(site, job, "succeeded", "failed")
    site.validate_on_the_way(job)
    return site.workspace.training_jobs.get(job.id)


def wait(site: Site, job: TrainingJob, *states: str) -> None:
    until = time.monotonic() + LIMIT_MS / 1000
    while site.workspace.training_jobs.get(job.id).state not in states:
        assert time.monotonic() < until
        time.sleep(0.1)


def rule(page: Page, code: str) -> Locator:
    return page.locator(f".rule[data-rule={code}]")


def test_without_any_it_says_what_an_adapter_is_for(open_page: Any, violations: Any, site: Site) -> None:
    page = open_page("/training")
    expect(page.get_by_role("heading", name="Nothing is trained yet")).to_be_visible()
    expect(page.get_by_text("It does not teach facts")).to_be_visible()
    sound(page, violations)
    page.get_by_role("link", name="New training").click()
    expect(page.get_by_role("heading", name="New training")).to_be_visible()
    sound(page, violations)


def test_from_a_file_to_a_job(open_page: Any, violations: Any, site: Site) -> None:
    page = open_page("/training/new")
    drop(page, SLIPS)
    expect(page.get_by_text("300 lines of 300 are good as they are.")).to_be_visible()
    expect(page.get_by_role("radio", name=re.compile("Answers to follow"))).to_be_checked()
    expect(page.get_by_label("Base", exact=True)).to_have_value(BASE)
    page.get_by_label("Name", exact=True).fill("Fiches de rendez-vous")
    page.get_by_label("For which assistant").select_option("fiches")
    page.get_by_text("Finer settings").click()
    page.get_by_label("Rank").fill("8")
    sound(page, violations)
    expect(page.get_by_role("button", name="Begin")).to_have_count(0)
    page.get_by_role("button", name="Estimate").click()
    expect(page.locator(".estimate")).to_contain_text("4.2 GB")
    expect(page.locator(".estimate")).to_contain_text("not measured yet")
    page.get_by_role("button", name="Measure the time").click()
    expect(page.locator(".estimate")).to_contain_text("about 21 min")
    expect(page.locator(".estimate")).to_contain_text("4.2 Wh")
    sound(page, violations)
    request, calibrated = site.estimated[-1]
    assert calibrated and request.hyperparameters == {"rank": 8, "alpha": 16}
    uploads = site.workspace.uploads
    parts = [uploads.path(request.training_file), uploads.path(request.validation_file or "")]
    lines = [path.read_text(encoding="utf-8").splitlines() for path in parts]
    assert len(lines[1]) == 30 and not set(lines[0]) & set(lines[1])
    assert sorted(lines[0] + lines[1]) == sorted(SLIPS.read_text(encoding="utf-8").splitlines())
    page.get_by_role("button", name="Begin").click()
    expect(page).to_have_url(re.compile(r"/training/ftjob-"))
    (job,) = site.workspace.training_jobs.list(after=None, limit=5).jobs
    assert job.assistant == "fiches" and job.validation_file == request.validation_file
    assert job.model_name.startswith(f"ft:{BASE}:clinique:fiches-de-rendez-vous:") and not job.approve
    expect(page.get_by_role("heading", name="fiches-de-rendez-vous")).to_be_visible()


def test_what_is_wrong_is_said_rule_by_rule_and_mended_by_a_copy(
    open_page: Any, violations: Any, site: Site, tmp_path: Path
) -> None:
    page = open_page("/training/new")
    drop(page, mixed(tmp_path))
    expect(page.get_by_text("38 lines of 41 are good as they are.")).to_be_visible()
    order = page.locator(".rule").evaluate_all("all => all.map(one => one.dataset.rule)")
    assert order[:3] == ["invalid_json", "unrecognized_role", "exact_duplicate"], "errors before warnings"
    expect(rule(page, "invalid_json")).to_contain_text("mixed.jsonl, line 7")
    expect(rule(page, "unrecognized_role")).to_contain_text("robot")
    expect(rule(page, "unrecognized_role")).to_contain_text("messages[2].role")
    expect(page.get_by_role("button", name="Estimate")).to_be_hidden()
    assert page.locator("#page b").count() == 0
    sound(page, violations)
    page.get_by_role("button", name="Go on with a corrected copy").click()
    expect(page.get_by_text("38 lines of 38 are good as they are.")).to_be_visible()
    expect(page.get_by_role("button", name="Estimate")).to_be_visible()
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download the copy").click()
    assert coming.value.suggested_filename == "mixed-corrected.jsonl"
    assert len(Path(coming.value.path()).read_text(encoding="utf-8").splitlines()) == 38
    sound(page, violations)


def test_rows_of_another_format_are_converted(open_page: Any, site: Site, tmp_path: Path) -> None:
    rows = [
        {"instruction": f"Où est la salle {number} ?", "input": "", "output": f"Au couloir {7 * number}."}
        for number in range(60)
    ]
    path = tmp_path / "alpaca.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    page = open_page("/training/new")
    drop(page, path)
    page.get_by_role("button", name="Convert it").click()
    expect(page.locator("#page").get_by_text("60 rows were converted; 0 could not be.")).to_be_visible()
    expect(page.get_by_text("60 lines of 60 are good as they are.")).to_be_visible()


def test_a_refusal_says_what_would_fit(open_page: Any, violations: Any, site: Site, watch: Any) -> None:
    watch.allowed.append("400 (Bad Request)")
    site.refusal = (
        "This training needs about 9.1 GiB of memory and 3.0 GiB is free. What helps: a smaller base."
    )
    page = open_page("/training/new")
    drop(page, SLIPS)
    page.get_by_role("radio", name=re.compile("Nothing")).check()
    with page.expect_response(lambda answer: answer.url.endswith("/preflight")) as refused:
        page.get_by_role("button", name="Estimate").click()
    assert refused.value.status == 400
    expect(page.get_by_role("alert").filter(has_text="What helps: a smaller base.")).to_be_visible()
    expect(page.get_by_role("button", name="Begin")).to_have_count(0)
    sound(page, violations)
    site.refusal = ""
    page.get_by_role("button", name="Estimate again").click()
    expect(page.get_by_role("button", name="Begin")).to_be_focused()
    page.get_by_role("radio", name=re.compile("of the examples")).check()
    (
        expect(page.get_by_role("button", name="Begin")).to_have_count(0),
        "another training needs another estimate",
    )


def test_it_learns_pauses_goes_on_and_is_cancelled(open_page: Any, violations: Any, site: Site) -> None:
    job = site.job()
    site.script(job, steps=400, step_s=0.1, checkpoint=5)
    with site.running():
        page = open_page(f"/training/{job.id}")
        expect(page.get_by_text(re.compile(r"Step [1-9]\d* of 400"))).to_be_visible()
        expect(page.locator(".curve-picture svg")).to_be_visible()
        sound(page, violations)
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".page-head .badge")).to_have_text("paused")
        page.get_by_role("button", name="Go on").click()
        expect(page.locator(".page-head .badge")).to_have_text("learning")
        other = open_page("/training")
        expect(other.locator(f"tr[data-job={job.id}]")).to_contain_text(re.compile(r"\d+ / 400"))
        sound(other, violations)
        page.get_by_role("button", name="Cancel the training").click()
        page.get_by_role("button", name="Let it learn").click()
        expect(page.locator(".page-head .badge")).to_have_text("learning")
        page.get_by_role("button", name="Cancel the training").click()
        page.get_by_role("alertdialog").get_by_role("button", name="Cancel the training").click()
        expect(page.locator(".page-head .badge")).to_have_text("cancelled")
    expect(other.locator(f"tr[data-job={job.id}] .badge")).to_have_text("cancelled")


def test_a_failure_is_told_and_can_be_gone_on_from(open_page: Any, violations: Any, site: Site) -> None:
    job = site.job()
    site.script(job, fail_at=3)
    with site.running():
        wait(site, job, "failed")
        page = open_page(f"/training/{job.id}")
        expect(page.locator(".banner.danger")).to_contain_text("The scripted failure.")
        sound(page, violations)
        site.script(job)
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("heading", name="Your decision")).to_be_visible()


@BOTH
def test_what_it_changed_can_be_seen_and_read(
    open_page: Any, violations: Any, site: Site, theme: str, language: str, width: int
) -> None:
    job = finished(site)
    page = open_page(f"/training/{job.id}", theme=theme, language=language, width=width)
    gain = page.locator(".gain-number")
    expect(gain).to_have_count(2)
    shown = [re.sub(r"\s", "", text) for text in gain.all_inner_texts()]
    held_out = compared()["gains"][0]
    assert shown == [f"{int(100 * held_out[side] / held_out['n'] + 0.5)}%" for side in ("before", "after")]
    expect(page.locator("[data-part=gate]")).to_contain_text("99")
    expect(page.locator(".pairs > li")).not_to_have_count(0)
    page.locator(".filter[data-outcome=wrong]").click()
    pair = page.locator(".pair").first
    pair.locator("summary").click()
    expect(pair.locator("mark.differs").first).to_be_visible()
    page.locator(".filter[data-outcome=worsened]").click()
    lost = page.locator(".pair").filter(has_text=re.compile("Reading|Lire"))
    lost.first.locator("summary").click()
    expect(lost.first.get_by_text("<b>Bonjour</b>.")).to_be_visible()
    page.locator(".curve-table > summary").click()
    expect(page.locator(".curve-table tbody tr")).to_have_count(6)
    assert page.locator(".curve-picture circle.curve-valid").count() == 3
    label = page.locator(".curve-picture svg").get_attribute("aria-label") or ""
    assert re.search(r"1[.,]000.*0[.,]167", label) and re.search(r"0[.,]600.*0[.,]267", label)
    sound(page, violations)


@BOTH
def test_what_the_probes_found_is_shown_and_asked_about(
    open_page: Any, violations: Any, site: Site, theme: str, language: str, width: int
) -> None:
    site.examiner.probes = probed()
    job = finished(site, assistant="fiches")
    page = open_page(f"/training/{job.id}", theme=theme, language=language, width=width)
    part = page.locator("[data-part=probes]")
    expect(part.locator(".banner.danger")).to_be_visible()
    expect(part.locator("tr[data-kind=A3]")).to_contain_text(
        "Leak of the instructions" if language == "en" else "Fuite des consignes"
    )
    expect(part.locator("tr[data-kind=all] td")).to_have_text(["5", "1", "2", "0", "1"])
    turned = part.locator(".pair")
    turned.locator("summary").click()
    expect(turned.get_by_text("I am told to…")).to_be_visible()
    expect(turned.get_by_text("Recite <b>them</b>.").last).to_be_visible()
    sound(page, violations)
    page.locator("[data-act=approve]").click()
    page.get_by_role("alertdialog").get_by_role("button").filter(
        has_text=re.compile("Cancel|Annuler")
    ).click()
    assert site.workspace.adapters.get(job.model_name).state == "trained"


def test_how_far_the_examination_is_can_be_seen(open_page: Any, violations: Any, site: Site) -> None:
    site.examiner.ticks = 400
    job = site.job()
    with site.running():
        page = open_page(f"/training/{job.id}")
        expect(page.locator("[data-part=examination]")).to_have_text(re.compile(r"\d+ of 400 answers"))
        sound(page, violations)
        page.get_by_role("button", name="Cancel the training").click()
        page.get_by_role("alertdialog").get_by_role("button", name="Cancel the training").click()
        expect(page.locator(".page-head .badge")).to_have_text("cancelled")


def test_a_marked_word_is_one_that_is_not_expected(open_page: Any, site: Site) -> None:
    page = open_page("/training")
    text, other = (
        "Naissance : 03/11/1953\nExamen : doppler des bras",
        "Naissance : 03/11/1953\nExamen : doppler des jambes",
    )
    found = page.evaluate(
        """async ([text, other]) => {
            const base = document.querySelector('script[type=module][src*="/js/"]').src.split("/js/")[0];
            const { markedWords } = await import(`${base}/js/training/word_diff.js`);
            const { nodes, marked } = markedWords(text, other);
            const shown = document.createElement("p");
            shown.append(...nodes);
            return [shown.textContent, marked, [...shown.querySelectorAll("mark")].map((one) => one.textContent)];
        }""",
        [text, other],
    )
    assert found == [text, 1, ["bras"]]


def test_approved_and_given_to_an_assistant(open_page: Any, violations: Any, site: Site) -> None:
    job = finished(site, assistant="fiches")
    page = open_page(f"/training/{job.id}")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".decision .badge")).to_have_text("approved")
    assert site.workspace.adapters.get(job.model_name).state == "approved"
    page.get_by_role("button", name="Give to an assistant").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("its certificate no longer holds")
    expect(dialog.get_by_label("Assistant")).to_have_value("fiches")
    sound(page, violations)
    dialog.get_by_role("button", name="Give").click()
    expect(page.locator(".toast")).to_contain_text("Fiches has it from version 2 on.")
    assert site.workspace.assistants.get("fiches").adapter == job.model_name
    page.goto(f"{site.url}/assistants/fiches")
    expect(page.get_by_label("Adapter")).to_have_value(job.model_name)
    page.get_by_label("Adapter").select_option("")
    expect(page.get_by_text("With another adapter its certificate no longer holds")).to_be_visible()
    page.goto(f"{site.url}/models")
    expect(page.locator(f'[data-adapter="{job.model_name}"]')).to_contain_text("fiches")
    sound(page, violations)
    page.goto(f"{site.url}/training/{job.id}")
    page.get_by_role("button", name="Take out of service").click()
    page.get_by_role("textbox", name="Reason").fill("Un meilleur est prêt")
    page.get_by_role("dialog").get_by_role("button", name="Take out of service").click()
    expect(page.locator(".decision .badge")).to_have_text("retired")
    expect(page.locator(".decision")).to_contain_text("Un meilleur est prêt")


def test_what_forgets_too_much_is_approved_only_on_purpose(open_page: Any, site: Site) -> None:
    site.examiner.comparison = compared(forgotten=30, held_out=False)
    job = finished(site)
    page = open_page(f"/training/{job.id}")
    expect(page.get_by_text("It forgot too much")).to_be_visible()
    expect(page.get_by_text("Nothing was put aside, so nobody can say what was gained.")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Cancel").click()
    assert site.workspace.adapters.get(job.model_name).state == "trained"
    page.get_by_role("button", name="Refuse").click()
    page.get_by_role("textbox", name="Reason").fill("Elle ne sait plus lire")
    page.get_by_role("dialog").get_by_role("button", name="Refuse").click()
    expect(page.locator(".decision .badge")).to_have_text("refused")
    page.goto(f"{site.url}/training")
    row = page.locator(f'tr[data-adapter="{job.model_name}"]')
    expect(row).to_contain_text("refused")
    expect(row).to_contain_text("forgot")


def test_the_builder_shows_no_adapter_where_there_is_none(open_page: Any, site: Site) -> None:
    page = open_page("/assistants/fiches")
    expect(page.get_by_label("Model", exact=True)).to_be_visible()
    expect(page.get_by_label("Adapter")).to_be_hidden()


@BOTH
def test_proposed_questions_are_looked_through_with_one_key_each(
    open_page: Any, violations: Any, site: Site, theme: str, language: str, width: int
) -> None:
    file = training_file(site.workspace.settings.questions_dir, "fiches")
    for number in range(4):
        file.add(
            GeneratedRow(
                id="new",
                question=f"À quelle heure ouvre la salle <b>{number}</b> ?",
                language="fr",
                answerable=number != 2,
                source=None if number == 2 else "regles.html",
                answer=None if number == 2 else f"{8 + number} h",
                quote=None if number == 2 else f"La salle {number} ouvre à {8 + number} h.",
                found=number != 1,
            )
        )
    page = open_page("/training", theme=theme, language=language, width=width)
    page.locator('a[href="/training/questions/fiches"]').click()
    card = page.locator("[data-question]")
    expect(card).to_have_attribute("data-question", "g1")
    expect(card.get_by_text("<b>0</b>")).to_be_visible()
    sound(page, violations)
    page.keyboard.press("k")
    expect(card).to_have_attribute("data-question", "g2")
    expect(card.locator(".banner.weak")).to_be_visible()
    page.keyboard.press("d")
    expect(card).to_have_attribute("data-question", "g3")
    sound(page, violations)
    page.keyboard.press("z")
    expect(card).to_have_attribute("data-question", "g2")
    page.keyboard.press("e")
    area = page.get_by_role("dialog").locator("textarea").first
    area.fill("Quand ouvre la salle ? dk")  # letters in a field decide nothing
    sound(page, violations)
    page.get_by_role("dialog").locator("button[type=submit]").click()
    expect(card).to_have_attribute("data-question", "g3")
    page.keyboard.press("k")
    expect(card).to_have_attribute("data-question", "g4")
    page.keyboard.press("d")
    expect(page.get_by_text("etabli data generate fiches")).to_be_visible()
    sound(page, violations)
    assert [row.state for row in file.rows()] == ["kept", "kept", "kept", "dropped"]
    assert file.rows()[1].question == "Quand ouvre la salle ? dk"
