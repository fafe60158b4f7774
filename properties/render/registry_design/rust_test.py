"""A `#[test]` for era-consensus: what happened to one vote registry, played to the real `BatchVotes`.

It is for certificates that do not verify, for these need nothing but the registry. Source: era-consensus at
`bce5e3e8`, `node/actors/network/src/gossip/tests/mod.rs`, whose ways of making keys and hashes it follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from model.algebra import const
from model.registry_design.network import RESTARTS, forge_vote, receive_votes
from model.registry_design.node import publish_vote, set_min_batch_number
from model.registry_design.registry import Registry
from model.registry_design.system import RegistryDesign
from model.votes import Vote
from properties.render import CannotRender
from properties.render.explanations import explain
from properties.render.registry_design.sequence import Teller, message
from properties.render.rust_test import comment, filled
from properties.render.sources import COMMIT
from properties.render.story import Story
from properties.results.trace import Trace, TraceStep

CLAIM = "certificates_verify"
PLACE = f"node/actors/network/src/gossip/tests/mod.rs at {COMMIT[:8]} (PR 161)"
CHAIN_WIDTH = 60


def render(trace: Trace) -> str:
    """The test, ready to be pasted into `gossip/tests/mod.rs`. Raises `CannotRender` if the violation is not one of a
    single registry."""
    if trace.claim != CLAIM or trace.failed is None:
        raise CannotRender(
            f"a Rust test needs a violation within the vote registry, that is of {CLAIM}; for {trace.claim} "
            "ask for markdown or pytest"
        )
    story = Story(trace)
    return filled(
        __package__,
        explanation=comment(trace, explain(story), PLACE),
        name=f"certificate_verifies_{trace.scope.instance.name.replace(',', '_')}",
        weights=", ".join(map(str, trace.scope.instance.weights)),
        hashes=_hashes(story),
        operations="\n".join(f"    {operation}" for operation in _Registry(story, _finder(story)).operations()),
    )


def _hashes(story: Story) -> int:
    """How many hashes there are: of every batch, and one more."""
    if story.trace.scope.batches is None:
        raise CannotRender("a Rust test needs a scope with a number of batches")
    return story.trace.scope.batches + 1


def _finder(story: Story) -> str:
    """The node whose finder finds the certificate."""
    last = len(story.trace.steps)
    for place, node in zip(story.system.topology.places, story.of(RegistryDesign).state.nodes, strict=True):
        quorum = node.registry.find_quorum(story.system.electorate)
        valid = node.registry.certificate_verifies(quorum.vote, story.system.electorate)
        if story.value(quorum.found & ~valid, last):
            return place.name
    raise CannotRender("no certificate in the last state of this run fails to verify")


@dataclass(frozen=True)
class _Registry:
    """What happens to the registry of one node."""

    story: Story
    node: str

    def operations(self) -> Iterator[str]:
        """The calls that the real registry sees, in order. A vote that is skipped is given to it as well."""
        for number, step in enumerate(self.story.trace.steps):
            is_here = step.node == self.node
            if step.action == receive_votes.name and is_here:
                yield self._update(self._received(number, step))
            elif step.action == forge_vote.name and step.arguments["at"] == self.node:
                yield self._update([self._forged(step)])
            elif step.action == publish_vote.name and is_here:
                yield self._update([self._published(number, step)])
            elif step.action == set_min_batch_number.name and is_here:
                minimum = self.story.value(self._registry.min_batch_number, number + 1)
                yield f"votes.set_min_batch_number(attester::BatchNumber({minimum}));"
            elif step.action in {restart.name for restart in RESTARTS} and is_here:
                yield "votes = BatchVotes::default();"

    @property
    def _place(self) -> int:
        return self.story.system.topology.position(self.node)

    @property
    def _registry(self) -> Registry:
        return self.story.of(RegistryDesign).state.nodes[self._place].registry

    def _update(self, votes: list[str]) -> str:
        chain = ["votes", f".update(attesters, &genesis, &[{', '.join(votes)}])", ".unwrap()"]
        # As rustfmt does it: a longer chain has a line for each call.
        return ("" if len("".join(chain)) <= CHAIN_WIDTH else "\n        ").join(chain) + ";"

    def _received(self, number: int, step: TraceStep) -> list[str]:
        votes = message(self.story, str(step.arguments["from"]), step.node, number)
        return [self._vote(key, vote, number) for key, vote, _ in votes]

    def _forged(self, step: TraceStep) -> str:
        vote = Vote(const(int(step.arguments["number"])), const(int(step.arguments["variant"])))
        return self._vote(self.story.system.topology.attesters.index(step.node), vote, 0)

    def _published(self, number: int, step: TraceStep) -> str:
        key = self.story.system.topology.places[self._place].key
        assert key is not None
        batch = Teller(self.story, number + 1, step).published_number
        return self._vote(key, Vote(const(batch), const(0)), number)

    def _vote(self, key: int, vote: Vote, number: int) -> str:
        batch, hash_ = (self.story.value(part, number) for part in (vote.number, vote.hash))
        if hash_ < 0:
            raise CannotRender(
                "a vote of this run has a hash that is less than those of all batches; the test has none"
            )
        return f"vote({key}, {batch}, {hash_})"
