"""What can be wrong with a file of training data: every rule by its code, how grave it is, and where it applies.

Codes that OpenAI's own checks have (`data_type`, `missing_messages_list`, `message_missing_key`,
`message_unrecognized_key`, `unrecognized_role`, `missing_content`, `example_missing_assistant_message`) mean the same
here; the others are ours. What each says to people is in `wording`.
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
Group = Literal[
    "file", "json", "conversation", "message", "tokens", "loss", "preference", "content", "leakage"
]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong.

    Args:
        code: for programs; never changes.
        severity: an `error` stops a training, a `warning` asks for a look, a `note` tells what was not checked.
        group: what it is about.
        mends: what the corrected copy does where nothing has to be guessed: `always` mends the line, `sometimes`
            does where the finding says so, `leaves_out` leaves the line out although it is only a warning; else an
            error's line is left out and a warning's stays.
    """

    code: str
    severity: Severity
    group: Group
    mends: Literal["", "always", "sometimes", "leaves_out"] = ""


_ALL = (
    Rule("empty_file", "error", "file"),
    Rule("not_utf8", "error", "file", "sometimes"),
    Rule("byte_order_mark", "warning", "file", "always"),
    Rule("not_json_lines", "error", "file"),
    Rule("foreign_format", "error", "file"),
    Rule("too_few_examples", "error", "file"),
    Rule("file_too_small", "error", "file"),
    Rule("too_many_lines", "error", "file"),
    Rule("file_too_large", "error", "file"),
    Rule("line_too_long", "error", "file"),
    Rule("blank_line", "warning", "file", "leaves_out"),
    Rule("invalid_json", "error", "json"),
    Rule("duplicate_key", "error", "json"),
    Rule("data_type", "error", "json"),
    Rule("missing_messages_list", "error", "conversation"),
    Rule("example_missing_assistant_message", "error", "conversation"),
    Rule("last_role_not_assistant", "error", "conversation", "sometimes"),
    Rule("example_unrecognized_key", "warning", "conversation"),
    Rule("system_not_first", "warning", "conversation"),
    Rule("roles_do_not_alternate", "warning", "conversation"),
    Rule("message_missing_key", "error", "message"),
    Rule("message_unrecognized_key", "error", "message", "always"),
    Rule("unrecognized_role", "error", "message", "sometimes"),
    Rule("missing_content", "error", "message"),
    Rule("content_not_text", "error", "message", "sometimes"),
    Rule("nul_character", "error", "message", "always"),
    Rule("lone_surrogate", "error", "message"),
    Rule("invalid_weight", "error", "message", "sometimes"),
    Rule("malformed_tool_call", "error", "message", "sometimes"),
    Rule("malformed_function", "error", "message"),
    Rule("tool_call_unmatched", "error", "message"),
    Rule("tool_not_declared", "warning", "message"),
    Rule("tokenization_failed", "error", "tokens"),
    Rule("example_too_long", "error", "tokens"),
    Rule("round_trip_differs", "error", "tokens"),
    Rule("tokens_not_checked", "note", "tokens"),
    Rule("nothing_trained", "error", "loss"),
    Rule("everything_trained", "error", "loss"),
    Rule("missing_preference_key", "error", "preference"),
    Rule("prompt_last_role", "error", "preference"),
    Rule("output_not_one_answer", "error", "preference"),
    Rule("chosen_equals_rejected", "error", "preference"),
    Rule("label_not_boolean", "error", "preference", "sometimes"),
    Rule("labels_one_sided", "warning", "preference"),
    Rule("longer_preferred", "warning", "preference"),
    Rule("exact_duplicate", "warning", "content", "leaves_out"),
    Rule("near_duplicate", "warning", "content"),
    Rule("near_not_checked", "note", "content"),
    Rule("personal_data", "warning", "content"),
    Rule("secret", "error", "content"),
    Rule("language_differs", "warning", "content"),
    Rule("language_mix", "warning", "content"),
    Rule("answer_length_skew", "warning", "content"),
    Rule("answer_unsupported", "warning", "content"),
    Rule("in_validation", "error", "leakage"),
    Rule("near_validation", "warning", "leakage"),
    Rule("in_evaluation", "error", "leakage"),
    Rule("near_evaluation", "warning", "leakage"),
    Rule("evaluation_not_checked", "note", "leakage"),
)
RULES: dict[str, Rule] = {rule.code: rule for rule in _ALL}
"""By code, in the order in which they are told."""
CODES: tuple[str, ...] = tuple(RULES)
PLACES: dict[str, int] = {code: place for place, code in enumerate(CODES)}
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
