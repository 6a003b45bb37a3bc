"""Checkers against slower ones that are plainly right, on small histories that are drawn."""

from itertools import combinations, permutations

from hypothesis import given, settings
from hypothesis import strategies as st
from tales import Tale, begun

from harness.checkers.interleaving import Piece, interleaves
from harness.verdict import Verdict

NEVER = float("inf")

drawn = settings(deadline=None, derandomize=True, max_examples=300)


# --- logs -------------------------------------------------------------------------------------------


@st.composite
def appended(draw: st.DrawFn) -> list[Piece]:
    """Return up to five texts that were appended, some at once, and some of which nobody knows."""
    count = draw(st.integers(0, 5))
    moments = draw(st.permutations(range(2 * count)))
    pieces = []
    for number in range(count):
        began, ended = sorted(moments[2 * number : 2 * number + 2])
        sure = draw(st.booleans())
        known = sure or draw(st.booleans())
        text = draw(st.sampled_from(["a", "b", "ab", "aa"]))
        pieces.append(Piece(text, began, ended if known else NEVER, sure))
    return sorted(pieces, key=lambda one: one.began)


def possible_logs(pieces: list[Piece]) -> set[str]:
    """Return every log that can be, by trying all of them."""
    found = set()
    for count in range(len(pieces) + 1):
        for some in combinations(pieces, count):
            if not all(one in some for one in pieces if one.sure):
                continue
            for order in permutations(some):
                right = all(
                    order.index(left) < order.index(one)
                    for left in some
                    for one in some
                    if left.ended < one.began
                )
                if right:
                    found.add("".join(one.text for one in order))
    return found


@drawn
@given(appended(), st.text("ab", max_size=8))
def test_a_log_is_made_of_its_texts_or_not(pieces: list[Piece], text: str) -> None:
    """The search finds what trying everything finds."""
    assert interleaves(text, pieces) is (text in possible_logs(pieces))


@drawn
@given(appended())
def test_every_log_that_can_be_is_found(pieces: list[Piece]) -> None:
    """None of them is refused."""
    assert all(interleaves(text, pieces) for text in possible_logs(pieces))


def test_a_log_that_can_be_made_in_too_many_ways() -> None:
    """Nobody waits for the end of the search."""
    pieces = [Piece("a" * (number % 3 + 1), 0, 100 + number, sure=True) for number in range(60)]

    assert interleaves("a" * 1_000, pieces) is None


# --- claims -----------------------------------------------------------------------------------------

Poll = tuple[int, int, int | None]
"""When a poll began, when it was over, and which command it was answered."""


@st.composite
def polls(draw: st.DrawFn) -> list[Poll]:
    """Return up to five polls of one node, some at once, each answered a command or none."""
    count = draw(st.integers(1, 5))
    moments = draw(st.permutations(range(2 * count)))
    answers = draw(st.lists(st.none() | st.integers(1, 4), min_size=count, max_size=count))
    found = []
    for number, answer in enumerate(answers):
        began, ended = sorted(moments[2 * number : 2 * number + 2])
        found.append((began, ended, answer))
    return found


def told(drawn_polls: list[Poll]) -> Tale:
    """Return the history of four backups, asked for one after the other, and of polls."""
    tale = begun()
    for record in range(1, 5):
        tale.run(1, record)
    open_polls: dict[int, int] = {}
    for moment in range(2 * len(drawn_polls)):
        for number, (began, ended, answer) in enumerate(drawn_polls):
            if moment == began:
                open_polls[number] = tale.begin("alpha", "POST /api/agent/commands/poll")
            elif moment == ended:
                payload = {} if answer is None else {"recordId": answer, "taskId": 1}
                tale.end(open_polls[number], tale.command(answer, **payload))
    return tale


def orders(drawn_polls: list[Poll]) -> list[tuple[Poll, ...]]:
    """Return every order in which a master may have answered polls."""
    return [
        order
        for order in permutations(drawn_polls)
        if all(
            order.index(left) < order.index(one)
            for left in drawn_polls
            for one in drawn_polls
            if left[1] < one[0]
        )
    ]


@drawn
@given(polls())
def test_a_command_is_claimed_once_or_not(drawn_polls: list[Poll]) -> None:
    """Whatever is at once, two answers are two."""
    answers = [answer for _, _, answer in drawn_polls if answer is not None]

    verdict = told(drawn_polls).say("claimed once").verdict

    assert (verdict is Verdict.FAIL) is (len(answers) != len(set(answers)))


@drawn
@given(polls())
def test_commands_are_claimed_in_order_or_not(drawn_polls: list[Poll]) -> None:
    """It fails exactly where no order of the polls explains their answers.

    A command that is claimed twice is another checker's.
    """
    answers = [answer for _, _, answer in drawn_polls if answer is not None]
    if len(answers) != len(set(answers)):
        return

    explained = any(
        claimed == sorted(claimed)
        for claimed in (
            [answer for _, _, answer in order if answer is not None]
            for order in orders(drawn_polls)
        )
    )

    assert (told(drawn_polls).say("order").verdict is Verdict.FAIL) is not explained


def lost(drawn_polls: list[Poll]) -> bool:
    """Return whether a perfect queue cannot have given these answers in any order."""
    return not any(_perfect(order) for order in orders(drawn_polls))


def _perfect(order: tuple[Poll, ...]) -> bool:
    waiting = [1, 2, 3, 4]
    return all(answer == (waiting.pop(0) if waiting else None) for _, _, answer in order)


@drawn
@given(polls())
def test_what_a_perfect_queue_answers_is_never_refused(drawn_polls: list[Poll]) -> None:
    """None of the checkers of commands says anything against it."""
    if lost(drawn_polls):
        return

    tale = told(drawn_polls)

    for name in (
        "no phantom",
        "routing",
        "claimed once",
        "orphans explained",
        "conservation",
        "order",
    ):
        assert tale.say(name).verdict is not Verdict.FAIL, name


@drawn
@given(polls())
def test_polls_one_after_the_other_are_judged_wholly(drawn_polls: list[Poll]) -> None:
    """Without overlaps and losses, what no perfect queue answers is refused by one of them."""
    one_by_one = [(2 * at, 2 * at + 1, answer) for at, (_, _, answer) in enumerate(drawn_polls)]

    tale = told(one_by_one)

    names = ("claimed once", "orphans explained", "conservation", "order")
    refused = any(tale.say(name).verdict is Verdict.FAIL for name in names)
    assert refused is lost(one_by_one)
