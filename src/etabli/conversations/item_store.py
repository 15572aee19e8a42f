"""The items of a conversation as one list, for OpenAI's `/v1/conversations`: those of the branch that is shown.

An item lies in the input or the output of a turn, whose key its identifier holds. Every method blocks.
"""

from psycopg import Connection

from etabli.conversations.branches import branch_numbers, turns_by_number
from etabli.conversations.items import JSON, grouped, identified, new_key, turn_key_of, with_reasons
from etabli.conversations.rows import find_conversation, find_turn, lock_conversation
from etabli.conversations.storable import clean, jsonb
from etabli.conversations.turns import Turns, note_text, remove_turn
from etabli.conversations.values import Asker, Conversation, NewTurn, Turn
from etabli.errors import InvalidInputError, NotFoundError
from etabli.messages import kept, tr
from etabli.storage.database import Database

_TURNS_AT_ONCE = 50


class Items:
    """The items of conversations.

    Args:
        database: where they are kept.
        turns: adds turns.
    """

    def __init__(self, database: Database, turns: Turns) -> None:
        self._database = database
        self._turns = turns

    def page(
        self, key: str, asker: Asker, *, limit: int, after: str | None, newest_first: bool
    ) -> tuple[list[JSON], bool]:
        """A page of items, and whether there are more.

        Raises:
            NotFoundError: the conversation or the item is not there.
        """
        with self._database.reader(asker.principals) as connection:
            conversation = find_conversation(connection, key, account_id=asker.account_id)
            numbers = _branch(connection, conversation, asker)
            if not newest_first:
                numbers.reverse()
            skipping = after is not None
            if after is not None:
                turn = _turn_of_item(connection, after, conversation, asker)
                numbers = numbers[numbers.index(turn.number) :] if turn.number in numbers else []
            found: list[JSON] = []
            for start in range(0, len(numbers), _TURNS_AT_ONCE):
                for turn in turns_by_number(connection, numbers[start : start + _TURNS_AT_ONCE]):
                    for item in _items(turn, newest_first=newest_first):
                        if not skipping:
                            found.append(item)
                        elif item["id"] == after:
                            skipping = False
                if len(found) > limit:
                    break
        return found[:limit], len(found) > limit

    def add(self, key: str, asker: Asker, items: list[JSON]) -> list[JSON]:
        """Add items after the head, as turns of their own. Gives them with their identifiers.

        Raises:
            NotFoundError: there is no such conversation, or it is somebody else's.
        """
        added: list[JSON] = []
        with self._database.owner() as connection:
            conversation = lock_conversation(connection, key, account_id=asker.account_id)
            head = conversation.head
            parent = find_turn(connection, head, account_id=asker.account_id) if head else None
            for asked, answered in grouped(clean(items)):
                turn_key = new_key("resp")
                new = NewTurn(
                    id=turn_key,
                    model="",
                    assistant=None,
                    engine=None,
                    request={},
                    input=identified(asked, turn_key),
                    conversation_id=key,
                )
                output = identified(answered, turn_key, output=True)
                parent = self._turns.append(connection, new, output, asker, parent)
                added += [*parent.input, *parent.output]
        return added

    def get(self, key: str, identifier: str, asker: Asker) -> JSON:
        """One item.

        Raises:
            NotFoundError: the conversation or the item is not there.
        """
        with self._database.reader(asker.principals) as connection:
            conversation = find_conversation(connection, key, account_id=asker.account_id)
            turn = _turn_of_item(connection, identifier, conversation, asker)
        return _item(turn, identifier)

    def find(self, identifier: str, asker: Asker) -> JSON:
        """One item of any turn of the asker's.

        Raises:
            NotFoundError: there is none.
        """
        key = turn_key_of(identifier)
        if key is None:
            raise _no_item(identifier)
        with self._database.reader(asker.principals) as connection:
            return _item(find_turn(connection, key, account_id=asker.account_id), identifier)

    def remove(self, key: str, identifier: str, asker: Asker) -> Conversation:
        """Delete one item; a turn without any goes.

        Raises:
            NotFoundError: the conversation or the item is not there.
            InvalidInputError: it is still being written.
        """
        with self._database.owner() as connection:
            conversation = lock_conversation(connection, key, account_id=asker.account_id)
            turn = _turn_of_item(connection, identifier, conversation, asker)
            _item(turn, identifier)
            if turn.status == "in_progress":
                raise InvalidInputError(tr("This item is still being written. Stop the answer first."))
            asked = [item for item in turn.input if item["id"] != identifier]
            answered = [item for item in turn.output if item["id"] != identifier]
            if asked or answered:
                connection.execute(
                    "UPDATE turn SET input = %s, output = %s WHERE id = %s",
                    (jsonb(asked), jsonb(with_reasons(answered, kept)), turn.number),
                )
                note_text(connection, turn.number, asked, answered)
            else:
                remove_turn(connection, turn)
            return find_conversation(connection, key, account_id=asker.account_id)


def _branch(connection: Connection, conversation: Conversation, asker: Asker) -> list[int]:
    if conversation.head is None:
        return []
    return branch_numbers(
        connection, find_turn(connection, conversation.head, account_id=asker.account_id).number
    )


def _turn_of_item(connection: Connection, identifier: str, conversation: Conversation, asker: Asker) -> Turn:
    key = turn_key_of(identifier)
    if key is None:
        raise _no_item(identifier)
    turn = find_turn(connection, key, account_id=asker.account_id)
    if turn.conversation_id != conversation.id:
        raise _no_item(identifier)
    return turn


def _items(turn: Turn, *, newest_first: bool) -> list[JSON]:
    items = [*turn.input, *turn.output]
    return items[::-1] if newest_first else items


def _item(turn: Turn, identifier: str) -> JSON:
    for item in _items(turn, newest_first=False):
        if item["id"] == identifier:
            return item
    raise _no_item(identifier)


def _no_item(identifier: str) -> NotFoundError:
    return NotFoundError(tr("There is no item “{id}” here.", id=identifier[:80]))
