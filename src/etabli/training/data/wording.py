"""What each rule says to people about the form of a file: what was expected, what was found and what to do.

Sentences are made when somebody reads, in their language. What an example says and how it leaks is worded in
`wording_content`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from etabli.messages import tr

Value = str | int | float
Params = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Told:
    """One finding in sentences."""

    expected: str
    found: str
    fix: str


Teller = Callable[[Params], Told]


def mended_by_copy() -> str:
    """What to do about what the corrected copy mends."""
    return tr("Write a corrected copy with --corrected; it mends this without guessing.")


def _keys() -> str:
    return tr("Allowed are role, content, name, weight, tool_calls and tool_call_id.")


FORM: dict[str, Teller] = {
    "empty_file": lambda p: Told(
        tr("Examples, one JSON object a line."),
        tr("No example at all."),
        tr("Check that it is the right file."),
    ),
    "not_utf8": lambda p: Told(
        tr("Text in UTF-8."),
        tr("The file is in {encoding}.", encoding=p["encoding"])
        if "encoding" in p
        else tr("The bytes {bytes} at place {at} of the line are no UTF-8.", bytes=p["bytes"], at=p["at"]),
        mended_by_copy() if "encoding" in p else tr("Save the file again as UTF-8, or write this line anew."),
    ),
    "byte_order_mark": lambda p: Told(
        tr("Text without a byte order mark."),
        tr("A byte order mark stands before the first sign; some trainers stop there."),
        mended_by_copy(),
    ),
    "not_json_lines": lambda p: Told(
        tr("One JSON object a line, each on a line of its own."),
        tr("The whole file is one JSON value over several lines."),
        tr("Turn it into lines: etabli data convert {file} lines.jsonl", file=p["file"]),
    ),
    "foreign_format": lambda p: Told(
        tr("Examples in the shape of OpenAI's API."),
        tr("Examples in the format {format}.", format=p["format"]),
        tr("Convert it first: etabli data convert {file} converted.jsonl", file=p["file"]),
    ),
    "too_few_examples": lambda p: Told(
        tr("At least {least} examples that can be used.", least=p["least"]),
        tr("{count} of {lines} lines can be used.", count=p["count"], lines=p["lines"]),
        tr("Write more; some fifty good ones are a beginning, some hundreds show."),
    ),
    "file_too_small": lambda p: Told(
        tr("At least {least} bytes.", least=p["least"]),
        tr("{size} bytes.", size=p["size"]),
        tr("Check that it is the right file, and whole."),
    ),
    "too_many_lines": lambda p: Told(
        tr("At most {most} lines.", most=p["most"]),
        tr("More; the rest was not read."),
        tr("Split the file, or take a sample."),
    ),
    "file_too_large": lambda p: Told(
        tr("At most {most} bytes.", most=p["most"]),
        tr("{size} bytes; it was not read.", size=p["size"]),
        tr("Split the file, or take a sample."),
    ),
    "line_too_long": lambda p: Told(
        tr("Lines of at most {most} bytes.", most=p["most"]),
        tr("A longer one, which was not read."),
        tr("Put every example on a line of its own, and shorten this one."),
    ),
    "blank_line": lambda p: Told(tr("An example in every line."), tr("A blank line."), mended_by_copy()),
    "invalid_json": lambda p: Told(
        tr("A line that is JSON."),
        tr("It does not parse at character {column}: {reason}.", column=p["column"], reason=p["reason"])
        if p["column"]
        else tr("It does not parse: {reason}.", reason=p["reason"]),
        tr("Mend the line: quotes, commas and braces, and no line break within a text."),
    ),
    "duplicate_key": lambda p: Told(
        tr("Each key once in an object."),
        tr(
            "The key “{key}” stands twice in one object; which of the two counts differs between programs.",
            key=p["key"],
        ),
        tr("Keep the one that is meant."),
    ),
    "data_type": lambda p: Told(
        tr("A JSON object."),
        tr("{type}: {found}", type=p["type"], found=p["found"]),
        tr("Write an object in {braces}.", braces="{ }"),
    ),
    "missing_messages_list": lambda p: Told(
        tr("A list “{key}” with at least one message.", key=p["key"]),
        str(p["found"]),
        tr("Write the conversation there, as a list of objects with role and content."),
    ),
    "example_missing_assistant_message": lambda p: Told(
        tr("At least one message of the assistant, to learn from."),
        tr("Only messages of: {roles}.", roles=p["roles"]),
        tr("Add the answer that the assistant should give."),
    ),
    "last_role_not_assistant": lambda p: Told(
        tr("Expected last role to be one of: [assistant]."),
        tr("The last message is of: {role}.", role=p["role"]),
        tr(
            "Add the answer. A corrected copy leaves out what follows the last answer: nothing is learned of it."
        ),
    ),
    "example_unrecognized_key": lambda p: Told(
        tr("Only keys that training reads."),
        tr("The key “{key}”, which is not read.", key=p["key"]),
        tr("Check that it is not a misspelt one; it does no harm."),
    ),
    "system_not_first": lambda p: Told(
        tr("A system message at the beginning only."),
        tr("One as message {position}.", position=p["position"]),
        tr("Move it to the beginning; some chat templates refuse it elsewhere."),
    ),
    "roles_do_not_alternate": lambda p: Told(
        tr("Questions and answers in turn."),
        tr("Two messages of {role} in a row.", role=p["role"]),
        tr("Join them, or add what is missing; some chat templates refuse this."),
    ),
    "message_missing_key": lambda p: Told(
        tr("A message with “{key}”.", key=p["key"]),
        str(p["found"]),
        tr("Add the key, or check that it is not misspelt."),
    ),
    "message_unrecognized_key": lambda p: Told(
        _keys(),
        tr("The key “{key}”.", key=p["key"]),
        tr("Remove it. A corrected copy does; check first that it is not a misspelt one."),
    ),
    "unrecognized_role": lambda p: Told(
        tr("One of the roles {allowed}.", allowed=p["allowed"]),
        tr("The role “{found}”.", found=p["found"]),
        tr("Write one of them. A corrected copy mends capitals, spaces and “developer”."),
    ),
    "missing_content": lambda p: Told(
        tr("Text in every message."),
        tr("{found} as the content of {role}.", found=p["found"], role=p["role"]),
        tr("Write what was said, or remove the example."),
    ),
    "content_not_text": lambda p: Told(
        tr("Content that is one text."),
        str(p["found"]),
        tr(
            "Write the text itself. A corrected copy does where there is one part, of text; images are not trained."
        ),
    ),
    "nul_character": lambda p: Told(
        tr("Text without the character U+0000."),
        tr("{count} of them; a text may end there for the model.", count=p["count"]),
        mended_by_copy(),
    ),
    "lone_surrogate": lambda p: Told(
        tr("Whole characters."),
        tr("{found} at place {at}, half of a character.", found=p["found"], at=p["at"]),
        tr("Write the character that was meant; it was cut by the program that wrote the file."),
    ),
    "invalid_weight": lambda p: Told(
        tr("A weight of 0 or 1, on a message of the assistant."),
        tr("{found}, on a message of {role}.", found=p["found"], role=p["role"]),
        tr("Write 0 for an answer that is not to be learned; else leave weight out."),
    ),
    "malformed_tool_call": lambda p: Told(
        tr(
            "A list of calls with id, type “function”, and a function with a name and arguments as JSON text."
        ),
        tr("{reason}: {found}", reason=p["reason"], found=p["found"]),
        tr(
            "Write the call as the API gives it. A corrected copy turns an object of arguments into its text."
        ),
    ),
    "malformed_function": lambda p: Told(
        tr("A list of objects of type “function”, with a function that has a name and parameters."),
        tr("{reason}: {found}", reason=p["reason"], found=p["found"]),
        tr("Write the function as in a request to the API."),
    ),
    "tool_call_unmatched": lambda p: Told(
        tr("A result of a tool after the call that it answers."),
        tr("No call before it has the id “{id}”.", id=p["id"]),
        tr("Write the id of the call, or add the call."),
    ),
    "tool_not_declared": lambda p: Told(
        tr("Every function that is called among the tools of the example."),
        tr("“{name}” is called and not declared.", name=p["name"]),
        tr("Declare it under tools, as it will be in use."),
    ),
    "tokenization_failed": lambda p: Told(
        tr("An example that the base's chat template and tokenizer take."),
        tr("They do not: {reason}", reason=p["reason"]),
        tr("Change or remove the example."),
    ),
    "example_too_long": lambda p: Told(
        tr("At most {most} tokens.", most=p["most"]),
        tr("{tokens} tokens.", tokens=p["tokens"]),
        tr("Shorten the example, or allow more with --max-tokens, which needs more memory."),
    ),
    "round_trip_differs": lambda p: Told(
        tr("Tokens that give back the text of the example."),
        tr("Another text comes back: the tokenizer changes something."),
        tr("Look for rare characters and for control words of the chat template in the text."),
    ),
    "tokens_not_checked": lambda p: Told(
        tr("Lengths and trained shares counted in the base's tokens."),
        tr("They were not, because the tokenizer is not there: {reason}", reason=p["reason"]),
        tr("Install the extra and name the base: pip install 'etabli[training]', then --model NAME"),
    ),
    "nothing_trained": lambda p: Told(
        tr("At least one answer to learn."),
        tr("All {answers} answers have the weight 0.", answers=p["answers"])
        if "answers" in p
        else tr("Not one of its {tokens} tokens is learned.", tokens=p["tokens"]),
        tr("Give one of them the weight 1, or remove the example."),
    ),
    "everything_trained": lambda p: Told(
        tr("A question before the answer."),
        tr("Nothing but answers: there is nothing to answer.")
        if "answers" in p
        else tr("All of its {tokens} tokens are learned.", tokens=p["tokens"]),
        tr("Add what the assistant was asked."),
    ),
}
