"""What each rule says to people about preferences, about what examples say, and about leaks."""

from etabli.messages import tr
from etabli.training.data.wording import Params, Teller, Told


def _same_words(p: Params) -> str:
    return tr("“{text}” stands in {source}.", text=p["text"], source=p["source"])


def _remove_from_training() -> str:
    return tr("Remove it from the training data: a model that has seen the questions measures nothing.")


CONTENT: dict[str, Teller] = {
    "missing_preference_key": lambda p: Told(
        tr("The key “{key}”.", key=p["key"]),
        str(p["found"]),
        tr("Add it, or check that the method is the right one (--method)."),
    ),
    "prompt_last_role": lambda p: Told(
        tr("A prompt that ends with what is answered."),
        tr("The last message is of: {role}.", role=p["role"]),
        tr("Move the answer out of the prompt."),
    ),
    "output_not_one_answer": lambda p: Told(
        tr("A list with one message, of the assistant."),
        str(p["found"]),
        tr("Keep the answer alone there; what was said before belongs to the prompt."),
    ),
    "chosen_equals_rejected": lambda p: Told(
        tr("A preferred answer that differs from the other."),
        tr("Twice “{text}”.", text=p["text"]),
        tr("Remove the example: nothing can be learned from it."),
    ),
    "label_not_boolean": lambda p: Told(
        tr("A label that is true or false."),
        tr("{type}: {found}", type=p["type"], found=p["found"]),
        tr("Write true or false without quotes. A corrected copy does for “true”, “false”, 1 and 0."),
    ),
    "labels_one_sided": lambda p: Told(
        tr("Good and bad answers."),
        tr("{good} good and {bad} bad ones.", good=p["good"], bad=p["bad"]),
        tr("Add some of the other kind, at least one in ten; from one kind alone little is learned."),
    ),
    "longer_preferred": lambda p: (
        Told(
            tr("Preferences that do not follow length."),
            tr(
                "The preferred answer is the longer one in {share} % of {count} examples.",
                share=p["share"],
                count=p["count"],
            ),
            tr("Add examples where the shorter one is better, or the model learns to write at length."),
        )
        if p["longer"]
        else Told(
            tr("Preferences that do not follow length."),
            tr(
                "The preferred answer is the shorter one in {share} % of {count} examples.",
                share=p["share"],
                count=p["count"],
            ),
            tr("Add examples where the longer one is better, or the model learns to write little."),
        )
    ),
    "exact_duplicate": lambda p: Told(
        tr("Every example once."),
        tr("The same as line {other}.", other=p["other"]),
        tr("Keep one of them; the corrected copy keeps the first. To weigh examples, train for more epochs."),
    ),
    "near_duplicate": lambda p: Told(
        tr("Examples that differ."),
        tr(
            "Nearly the same as line {other} (similarity {similarity}).",
            other=p["other"],
            similarity=p["similarity"],
        ),
        tr("Look at both; keep them where the small difference is what should be learned."),
    ),
    "near_not_checked": lambda p: Told(
        tr("Near duplicates looked for among all examples."),
        tr("They were among the first {count} only.", count=p["count"]),
        tr("Check parts of the file on their own."),
    ),
    "personal_data": lambda p: Told(
        tr("No personal data, which a model may repeat to anybody."),
        tr("{kind}: {masked}", kind=p["kind"], masked=p["masked"]),
        tr("Replace it by an invented one, unless it is public and meant to be said."),
    ),
    "secret": lambda p: Told(
        tr("No secrets, which a model may repeat to anybody."),
        tr("{kind}: {masked}", kind=p["kind"], masked=p["masked"]),
        tr("Take it out, and change it where it is in use: it has lain in a file."),
    ),
    "language_differs": lambda p: Told(
        tr("An answer in the language of its question."),
        tr("A question in “{asked}”, an answer in “{answered}”.", asked=p["asked"], answered=p["answered"]),
        tr("Look at it; keep it where a translation is asked for."),
    ),
    "language_mix": lambda p: Told(
        tr("Enough examples of each language that is asked in."),
        tr("{french} answers in French and {english} in English.", french=p["french"], english=p["english"]),
        tr(
            "Add examples in the rarer language, or remove it: a handful teaches little and may mix languages."
        ),
    ),
    "answer_length_skew": lambda p: Told(
        tr("Answers that weigh about the same."),
        tr(
            "The longest hundredth of the answers holds {share} % of their text; half of them have at most {median} "
            "characters.",
            share=p["share"],
            median=p["median"],
        ),
        tr(
            "Look at the longest ones (from {longest} characters): they count most in training.",
            longest=p["longest"],
        ),
    ),
    "answer_unsupported": lambda p: Told(
        tr("Citations of passages that the example shows, and that hold what is said."),
        tr("“{what}” does not stand in {cited}.", what=p["what"], cited=p["cited"]),
        tr("Correct the answer or its citation: else the model learns to invent sources."),
    ),
    "in_validation": lambda p: Told(
        tr("Examples that the validation file does not have."), _same_words(p), _remove_from_training()
    ),
    "near_validation": lambda p: Told(
        tr("Examples that differ from those of the validation file."),
        tr(
            "Nearly “{text}” of {source} (similarity {similarity}).",
            text=p["text"],
            source=p["source"],
            similarity=p["similarity"],
        ),
        tr("Look at both; remove one where it is the same question."),
    ),
    "in_evaluation": lambda p: Told(
        tr("No question that evaluation or certification asks."), _same_words(p), _remove_from_training()
    ),
    "near_evaluation": lambda p: Told(
        tr("No question close to one that evaluation or certification asks."),
        tr(
            "Nearly “{text}” of {source} (similarity {similarity}).",
            text=p["text"],
            source=p["source"],
            similarity=p["similarity"],
        ),
        tr("Look at both; remove it where it is the same question."),
    ),
    "evaluation_not_checked": lambda p: Told(
        tr("Training data compared with the questions of evaluation and certification."),
        tr("There were none to compare with."),
        tr("Check within the workspace (-w FOLDER), which holds its question files."),
    ),
}
