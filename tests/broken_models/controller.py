"""The attestation controller in full fidelity, broken on purpose."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Any

from model.committee import Committee
from model.controller_design import rules
from model.controller_design.controller import Controller, Diff, DiffReceiver, Inserted, State
from model.controller_design.rules import START_CHECKS, VOTE_CHECKS, Check
from model.messages import Batch, SignedBatch
from model.scope import Scope, instance
from tests.broken_models.change import BrokenModel, Change, everywhere

MACHINE = "controller"


def _without(reason: str) -> tuple[Check[Any], ...]:
    return tuple(check for check in VOTE_CHECKS if check.reason != reason)


def _first(reason: str) -> tuple[Check[Any], ...]:
    """The check of this reason before all others."""
    return tuple(sorted(VOTE_CHECKS, key=lambda check: check.reason != reason))


def _as_error(reason: str) -> tuple[Check[Any], ...]:
    return tuple(replace(check, is_error=check.is_error or check.reason == reason) for check in VOTE_CHECKS)


def _skipped(reason: str) -> tuple[Check[Any], ...]:
    return tuple(replace(check, is_error=check.is_error and check.reason != reason) for check in VOTE_CHECKS)


def _vote_checks(changed: tuple[Check[Any], ...]) -> tuple[Change, ...]:
    return everywhere(VOTE_CHECKS, changed, "VOTE_CHECKS")


def _start_checks(*changed: Check[Any]) -> tuple[Change, ...]:
    return everywhere(START_CHECKS, changed, "START_CHECKS")


SAME, GENESIS, NUMBER = START_CHECKS
SAME_BATCH = replace(SAME, holds=lambda at: rules.is_same_batch(at.batch, at.current))
LOWER = replace(NUMBER, holds=lambda at: at.batch.number < at.current.number)


_insert_votes = Controller.insert_votes
_publish = Controller._publish
_diff = State.diff
_subscribe = Controller.subscribe


def _drops_all_with_error(self: Controller, votes: Iterable[SignedBatch]) -> Inserted:
    inserted = _insert_votes(self, votes)
    return inserted if inserted.error is None else Inserted(self, inserted.error)


def _goes_on_after_error(self: Controller, votes: Iterable[SignedBatch]) -> Inserted:
    inserted, controller = Inserted(self), self
    for vote in votes:
        one = _insert_votes(controller, [vote])
        inserted, controller = Inserted(one.controller, inserted.error or one.error), one.controller
    return inserted


def _notifies_nobody_of_error(self: Controller, votes: Iterable[SignedBatch]) -> Inserted:
    inserted = _insert_votes(self, votes)
    return (
        inserted
        if inserted.error is None
        else replace(inserted, controller=replace(self, state=inserted.controller.state))
    )


def _keeps_votes(self: Controller, state: State) -> Controller:
    kept = self.state.votes if self.state and self.state.info != state.info else {}
    return _publish(self, replace(state, votes={**kept, **state.votes}))


def _answers_any_number(self: Controller, want: Batch) -> tuple[SignedBatch, ...]:
    return () if self.state is None else tuple(vote for _, vote in sorted(self.state.votes.items()))


def _sends_all_again(self: State, previous: State | None) -> Diff:
    return replace(_diff(self, previous), votes=tuple(vote for _, vote in sorted(self.votes.items())))


def _starts_as_seen(self: Controller, subscriber: Hashable) -> Controller:
    return replace(self, receivers={**self.receivers, subscriber: DiffReceiver(unseen=False)})


def _starts_with_current(self: Controller, subscriber: Hashable) -> Controller:
    return replace(self, receivers={**self.receivers, subscriber: DiffReceiver(self.state)})


def _weight_of_one(self: Committee, key: str) -> int | None:
    return 1 if key in self else None


def _broken(name: str, about: str, *changes: Change) -> BrokenModel:
    return BrokenModel(name, about, changes, MACHINE)


DIVERGING = Scope(instance("n1f0b0"), batches=2, divergences=1, astray="a")
SPLIT = Scope(instance("n2f0b0"), batches=2, topology="chain", call_steps=True, committees="1,1;0,1", split="a")
"""An attester passes on the other's vote, and starts batches with the committee of the genesis, in which it is."""


CONTROLLER: tuple[BrokenModel, ...] = (
    _broken("duplicates_are_added_once", "A key may occur twice in a list.", *_vote_checks(_without("duplicate"))),
    BrokenModel(
        "hash_not_compared",
        "A vote on the number with another hash is added.",
        _vote_checks(_without("hash")),
        MACHINE,
        ("honest_attesters_sign_once",),
        "pr175+era2657",
        DIVERGING,
    ),
    _broken(
        "known_votes_checked",
        "The signature of a vote whose key has one already is verified.",
        *_vote_checks(_first("signature")),
    ),
    _broken(
        "strangers_first",
        "Whether its key is a member's is asked before the vote's number.",
        *_vote_checks(_first("non-member")),
    ),
    _broken("other_number_is_error", "A vote on another number is an error.", *_vote_checks(_as_error("other number"))),
    BrokenModel(
        "strangers_skipped",
        "A non-member's vote is skipped, as the vote registry does it.",
        _vote_checks(_skipped("non-member")),
        MACHINE,
        ("list_cut_off",),
        "pr175+era2684",
        SPLIT,
    ),
    _broken(
        "bad_signatures_skipped",
        "A bad signature is skipped, as from pull request 170 on.",
        *_vote_checks(_skipped("signature")),
    ),
    _broken(
        "same_number_restarts",
        "The number that is attested may be started again, with another hash or committee.",
        *_start_checks(SAME, GENESIS, LOWER),
    ),
    _broken(
        "committee_not_compared",
        "A start with the same batch and another committee is no change.",
        *_start_checks(SAME_BATCH, GENESIS, NUMBER),
    ),
    _broken("genesis_may_change", "A start on another fork is taken.", *_start_checks(SAME, NUMBER)),
    _broken(
        "list_with_error_dropped",
        "Nothing of a list with an error is kept, as the vote registry's watch does it.",
        Change(Controller, "insert_votes", _drops_all_with_error),
    ),
    _broken(
        "goes_on_after_error",
        "What follows an error in a list is looked at.",
        Change(Controller, "insert_votes", _goes_on_after_error),
    ),
    _broken(
        "error_notifies_nobody",
        "Subscribers are not told of what was added before an error.",
        Change(Controller, "insert_votes", _notifies_nobody_of_error),
    ),
    _broken("start_keeps_votes", "The votes on the former batch stay.", Change(Controller, "_publish", _keeps_votes)),
    _broken(
        "answers_any_number",
        "Votes are given whatever batch is asked for.",
        Change(Controller, "votes", _answers_any_number),
    ),
    _broken(
        "diff_sends_all_again",
        "A diff has all votes, those that the subscriber has seen as well.",
        Change(State, "diff", _sends_all_again),
    ),
    _broken(
        "diff_without_votes_of_new_number",
        "At another number a diff has those votes only whose keys had none before.",
        *everywhere(rules.is_news, lambda is_other_number, was_lacking: was_lacking),
    ),
    _broken(
        "new_subscriber_has_seen_all",
        "Who subscribes has nothing to look at before the next change.",
        Change(Controller, "subscribe", _starts_as_seen),
    ),
    _broken(
        "new_subscriber_knows_state",
        "Who subscribes is told only what comes later.",
        Change(Controller, "subscribe", _starts_with_current),
    ),
    _broken(
        "skipped_wait_goes_on",
        "Who waits for a number that was skipped goes on waiting.",
        *everywhere(rules.is_skipped, lambda current, number: False),
    ),
    _broken("votes_weigh_one", "Each vote has the weight 1.", Change(Committee, "weight", _weight_of_one)),
)
