"""A `#[test]` for era-consensus: what happened to one vote registry, played to the real `BatchVotes`.

It is for certificates that do not verify, for these need nothing but the registry. Source: era-consensus at
`bce5e3e8`, `node/actors/network/src/gossip/tests/mod.rs`, whose ways of making keys and hashes it follows.
"""

from __future__ import annotations

from collections.abc import Iterator

from model.algebra import const
from model.registry_design.network import RESTARTS, forge_vote, receive_votes
from model.registry_design.node import publish_vote, set_min_batch_number
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
    if trace.scope.batches is None:
        raise CannotRender("a Rust test needs a scope with a number of batches")
    story = Story(trace)
    return filled(
        __package__,
        explanation=comment(trace, explain(story), PLACE),
        name=f"certificate_verifies_{trace.scope.instance.name.replace(',', '_')}",
        weights=", ".join(map(str, trace.scope.instance.weights)),
        hashes=trace.scope.batches + 1,
        operations="\n".join(f"    {operation}" for operation in _operations(story, _finder(story))),
    )


def _finder(story: Story) -> int:
    """The node whose finder finds the certificate."""
    last, electorate = len(story.trace.steps), story.system.electorate
    for position, node in enumerate(story.of(RegistryDesign).state.nodes):
        quorum = node.registry.find_quorum(electorate)
        if story.value(quorum.found & ~node.registry.certificate_verifies(quorum.vote, electorate), last):
            return position
    raise CannotRender("no certificate in the last state of this run fails to verify")


def _operations(story: Story, node: int) -> Iterator[str]:
    """The calls that the real registry of a node sees, in order. A vote that is skipped is given to it as well."""
    minimum = story.of(RegistryDesign).state.nodes[node].registry.min_batch_number
    here = story.system.topology.places[node].name
    for number, step in enumerate(story.trace.steps):
        if votes := [_vote(story, number, *vote) for vote in _votes(story, here, number, step)]:
            chain = ["votes", f".update(attesters, &genesis, &[{', '.join(votes)}])", ".unwrap()"]
            # As rustfmt does it: a longer chain has a line for each call.
            yield ("" if len("".join(chain)) <= CHAIN_WIDTH else "\n        ").join(chain) + ";"
        elif step.node == here and step.action == set_min_batch_number.name:
            yield f"votes.set_min_batch_number(attester::BatchNumber({story.value(minimum, number + 1)}));"
        elif step.node == here and step.action in {restart.name for restart in RESTARTS}:
            yield "votes = BatchVotes::default();"


def _votes(story: Story, here: str, number: int, step: TraceStep) -> Iterator[tuple[int, Vote]]:
    """The votes that a step gives to the registry, each with its attester."""
    attesters = story.system.topology.attesters
    if step.action == receive_votes.name and step.node == here:
        for key, vote, _ in message(story, str(step.arguments["from"]), here, number):
            yield key, vote
    elif step.action == forge_vote.name and step.arguments["at"] == here:
        batch, variant = (const(int(step.arguments[name])) for name in ("number", "variant"))
        yield attesters.index(step.node), Vote(batch, variant)
    elif step.action == publish_vote.name and step.node == here:
        yield attesters.index(here), Vote(const(Teller(story, number + 1, step).published_number), const(0))


def _vote(story: Story, number: int, key: int, vote: Vote) -> str:
    batch, hash_ = (story.value(part, number) for part in (vote.number, vote.hash))
    if hash_ < 0:
        raise CannotRender("a vote of this run has a hash that is less than those of all batches; the test has none")
    return f"vote({key}, {batch}, {hash_})"
