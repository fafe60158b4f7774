"""What the pull requests claim, and what our proposals do, with the verdicts that are expected.

Each row is a claim in a small scope; the kinds of points of no return are named where there are any.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from model.revisions import PARTS, PROPOSALS, REGISTRY, REVISIONS, of_design, revision
from model.scope import BAD_SIGNATURE, FOREIGN_GENESIS, Scope, instance
from model.system import build
from model.topology import MAIN, RELAY
from properties.claims.catalogue import CATALOGUE, claim
from properties.engines.checking import Check
from properties.results.trace import replay
from properties.results.verdicts import Reached, Verdict, Violated

pytestmark = pytest.mark.slow

JOINED = Scope(instance("n2f0b0"), batches=3)
ONE = Scope(instance("n1f0b0"), batches=3)
OWN = Scope(instance("n1f0b0"), batches=3, own_finders=True)
RELAYED = Scope(instance("n1f0b0"), batches=3, topology="relay")
BAD = {
    kind: Scope(instance("n1f0b0"), batches=2, topology="relay", bad_votes=kind)
    for kind in (BAD_SIGNATURE, FOREIGN_GENESIS)
}
PRUNED = Scope(instance("n1f0b0"), batches=3, pruned=MAIN)
PRUNED_AFTER_STATUS = Scope(instance("n1f0b0"), batches=3, pruned=MAIN, prunes_after_status=True)
PRUNED_EXTERNAL = Scope(instance("n1f0b0"), batches=2, topology="relay", pruned=RELAY)
FORKED = Scope(instance("n1f0b0"), batches=3, regeneses=1)
MERGED = sorted(of_design(REGISTRY))


@cache
def check(name: str, scope: Scope) -> Check:
    return Check(build(revision(name), scope))


@cache
def verdict(name: str, scope: Scope, property: str) -> Verdict:
    return check(name, scope).verdict(claim(property))


def word(name: str, scope: Scope, property: str) -> str:
    return verdict(name, scope, property).word


def kinds(name: str, scope: Scope, property: str = "progress_possible") -> dict[str, int]:
    """The kinds of violations, and the lengths of their shortest traces."""
    found = verdict(name, scope, property)
    return {str(trace.kind): len(trace.steps) for trace in found.kinds} if isinstance(found, Violated) else {}


def by_revision(scope: Scope, property: str, start: str) -> dict[str, str]:
    return {name.split("+")[0]: word(name, scope, property) for name in REVISIONS if name.endswith(start)}


def everywhere(expected: str) -> dict[str, str]:
    return dict.fromkeys(("pr161", "pr165", "pr166", "pr167", "pr169", "pr170"), expected)


class TestPullRequest161:
    def test_at_most_one_quorum(self) -> None:
        assert by_revision(JOINED, "at_most_one_quorum", "era2480") == {**everywhere("EXHAUSTED"), "pr165": "VACUOUS"}

    def test_gaps_appear_although_everybody_is_honest(self) -> None:
        """The claim was that gaps need attesters that vote on higher numbers despite being told not to. They are told
        to, while the first certificate waits to be stored."""
        assert by_revision(JOINED, "no_gaps_on_main_node", "era2480") == {**everywhere("VIOLATED"), "pr165": "VACUOUS"}
        assert by_revision(JOINED, "no_gaps_on_main_node", "era2539") == {**everywhere("EXHAUSTED"), "pr165": "VACUOUS"}

    def test_the_start_up_deadlock_and_its_kinds(self) -> None:
        assert kinds("pr161+era2480", JOINED) == {
            "registry_minimum": 17,
            "newer_vote": 17,
            "newer_vote_at_main": 19,
            "vote_lost": 21,
            "overtaken": 25,
        }

    def test_catching_up_takes_a_poll_for_each_batch(self) -> None:
        assert by_revision(JOINED, "one_batch_at_a_time", "era2539") == {**everywhere("EXHAUSTED"), "pr165": "VACUOUS"}
        assert word("pr161+era2480", JOINED, "one_batch_at_a_time") == "VIOLATED"

    def test_a_restart_of_the_main_node_is_not_always_enough(self) -> None:
        """An attester that has voted on a later batch refuses its own vote on the earlier one, until it restarts."""
        anybody = Scope(instance("n1f0b0"), batches=3, restarts=None)
        main_node = Scope(instance("n1f0b0"), batches=3, restarts=None, restarting=MAIN)
        assert kinds("pr161+era2480", main_node, "restarts_help") == {"newer_vote": 13}
        assert word("pr161+era2480", anybody, "restarts_help") == "EXHAUSTED"
        assert word("pr161+era2539", main_node, "restarts_help") == "EXHAUSTED"

    @pytest.mark.parametrize("name", ["pr167+era2480", "pr169+era2480", "pr170+era2480"])
    def test_from_167_on_it_is_enough_only_if_nobody_else_keeps_the_vote(self, name: str) -> None:
        """The attester restarts by itself, because its number falls; but it is sent its own old vote again."""
        main_node = Scope(instance("n1f0b0"), batches=3, restarts=None, restarting=MAIN)
        assert word(name, main_node, "restarts_help") == "EXHAUSTED"
        assert set(kinds(name, replace(main_node, echo=True), "restarts_help")) == {"newer_vote"}
        assert word(name, replace(main_node, echo=True, restarting=""), "restarts_help") == "EXHAUSTED"
        assert word(name, replace(main_node, topology="relay"), "restarts_help") == "VIOLATED"


class TestPullRequest2539:
    @pytest.mark.parametrize("consensus", ["pr161", "pr166", "pr167", "pr169", "pr170"])
    @pytest.mark.parametrize("scope", [JOINED, OWN, RELAYED], ids=lambda scope: scope.name)
    def test_cures_the_deadlock_and_the_gaps(self, consensus: str, scope: Scope) -> None:
        for name in ("progress_possible", "no_gaps_on_main_node", "attestation_starts_at_first_batch"):
            assert word(f"{consensus}+era2539", scope, name) == "EXHAUSTED"

    @pytest.mark.parametrize("restarts", [1, None])
    def test_restarts_and_broken_connections_do_no_lasting_harm(self, restarts: int | None) -> None:
        scope = Scope(instance("n2f0b0"), batches=2, restarts=restarts, disconnects=restarts)
        assert word("pr161+era2539", scope, "queued_certificate_lost") == "REACHED"
        for name in ("progress_possible", "one_batch_at_a_time", "attestation_starts_at_first_batch"):
            assert word("pr161+era2539", scope, name) == "EXHAUSTED"


class TestPullRequests165And166:
    def test_as_merged_165_never_starts_an_executor(self) -> None:
        ended = dict.fromkeys(("pr167", "pr169", "pr170"), "VIOLATED")
        for start, gone in (("era2480", ended), ("era2539", {})):
            expected = {**everywhere("EXHAUSTED"), "pr165": "VIOLATED", **gone}
            assert by_revision(JOINED, "executor_can_start", start) == expected
            for name in ("executor_can_start", "attestation_can_start", "progress_possible"):
                assert set(kinds(f"pr165+{start}", JOINED, name)) == {"never_starts"}

    def test_nothing_but_polling_happens_in_165(self) -> None:
        explored = check("pr165+era2539", OWN)
        taken = {
            explored.stepper.action(action).name
            for level, words in enumerate(explored.search.levels)
            for place in range(len(words[0]))
            for action in explored.stepper.enabled(explored.search.state(level, place))
        }
        assert taken == {"produce_first_block", "seal_batch", "update_status"}

    def test_between_165_and_169_no_node_gossips_before_its_first_answer(self) -> None:
        waiting = dict.fromkeys(("pr165", "pr166", "pr167"), "UNREACHED")
        for scope in (JOINED, RELAYED):
            assert by_revision(scope, "gossips_before_first_answer", "era2539") == {**everywhere("REACHED"), **waiting}

    def test_waiting_for_the_first_answer_does_not_cure_the_deadlock(self) -> None:
        assert kinds("pr166+era2480", JOINED) == kinds("pr161+era2480", JOINED)


class TestPullRequest167:
    def test_a_smaller_number_stops_the_node(self) -> None:
        falls = {"pr161": "VIOLATED", "pr166": "VIOLATED"}
        assert by_revision(JOINED, "status_never_falls", "era2480") == {**everywhere("EXHAUSTED"), **falls}
        assert word("pr161+era2480", JOINED, "minimum_lowered") == "REACHED"
        for name in ("pr167+era2480", "pr169+era2480", "pr170+era2480"):
            assert word(name, JOINED, "smaller_number_stops_node") == "REACHED"
            assert word(name, JOINED, "minimum_lowered") == "UNREACHED"

    def test_with_the_start_of_2539_there_is_no_smaller_number(self) -> None:
        rises = {**everywhere("EXHAUSTED"), "pr165": "VACUOUS"}
        assert by_revision(JOINED, "status_never_falls", "era2539") == rises
        assert word("pr167+era2539", JOINED, "smaller_number_stops_node") == "UNREACHED"

    @pytest.mark.parametrize("name", ["pr167+era2480", "pr169+era2480", "pr170+era2480"])
    def test_alone_it_does_not_cure_the_deadlock(self, name: str) -> None:
        """On the main node, which nobody restarts, the error only ends its consensus: one step sooner than the minimum
        of its registry does."""
        assert kinds(name, JOINED) == {
            "error_to_come": 16,
            "registry_minimum": 17,
            "consensus_dead": 17,
            "newer_vote_at_main": 19,
            "vote_lost": 21,
            "overtaken": 25,
        }
        assert "own_minimum" not in kinds(name, OWN)

    @pytest.mark.parametrize("name", ["pr167+era2480", "pr169+era2480", "pr170+era2480"])
    def test_it_does_not_even_if_somebody_restarts_the_main_node(self, name: str) -> None:
        """A node restarts only when it has been told a larger number itself. The main node that has not been, and that
        has an attester's later vote, keeps that vote and skips the earlier one."""
        found = kinds(name, replace(JOINED, supervised="all"))
        assert found == {"newer_vote_at_main": 19, "vote_lost": 24, "overtaken": 25}
        assert found == kinds(f"{name}+error_returned", JOINED)
        assert "registry_minimum" not in kinds(name, replace(OWN, supervised="all"))

    def test_who_is_restarted_after_an_error_decides_what_remains(self) -> None:
        """The table of docs/findings/refusal-is-no-cure.md."""

        def remains(supervised: str, echo: bool) -> set[str]:
            return set(kinds("pr167+era2480", replace(ONE, supervised=supervised, echo=echo)))

        restarted = {"vote_lost", "overtaken", "newer_vote_at_main"}
        as_is = restarted | {"registry_minimum", "error_to_come", "consensus_dead"}
        assert remains("external", echo=False) == as_is
        assert remains("external", echo=True) == as_is | {"newer_vote"}
        assert remains("all", echo=False) == restarted
        assert remains("all", echo=True) == restarted | {"newer_vote"}
        assert remains("nobody", echo=False) == as_is | {"newer_vote", "attesters_dead"}

    @pytest.mark.parametrize("name", ["pr167+era2480", "pr169+era2480", "pr170+era2480"])
    def test_an_attester_is_sent_its_own_vote_again(self, name: str) -> None:
        """With votes that flow in both directions, what its restart has made an attester forget comes back."""
        assert "newer_vote" not in kinds(name, ONE)
        assert "newer_vote" in kinds(name, replace(ONE, echo=True))

    @pytest.mark.parametrize("name", ["pr167+era2480", "pr169+era2480", "pr170+era2480"])
    def test_alone_it_does_not_cure_gaps(self, name: str) -> None:
        assert word(name, JOINED, "no_gaps_on_main_node") == "VIOLATED"


class TestErrors:
    @pytest.mark.parametrize("name", [name for name in MERGED if "pr165" not in name])
    def test_one_error_ends_the_main_nodes_consensus_for_good(self, name: str) -> None:
        scope = Scope(instance("n1f0b0"), batches=2, errors=1)
        assert set(kinds(name, scope)) == {"consensus_dead"}
        assert word(name, replace(scope, failing="a"), "progress_possible") == "EXHAUSTED"
        for cured in (f"{name}+error_returned", name):
            restarted = scope if cured != name else replace(scope, supervised="all")
            assert word(cured, restarted, "progress_possible") == "EXHAUSTED"
            assert word(cured, restarted, "executor_can_start") == "EXHAUSTED"

    def test_returning_the_error_cures_it_with_two_attesters_and_any_number_of_errors(self) -> None:
        name, scope = "pr170+era2539+error_returned", replace(JOINED, errors=None)
        for property in ("progress_possible", "every_batch_certified", "no_gaps_on_main_node"):
            assert word(name, scope, property) == "EXHAUSTED"

    def test_without_answers_a_relay_takes_no_part_until_pull_request_169(self) -> None:
        scope = Scope(instance("n1f0b0"), batches=2, topology="relay", unanswered=RELAY)
        for name in ("pr166+era2539", "pr167+era2539"):
            assert kinds(name, scope) == {"never_answered": 1}
            assert kinds(name, scope, "executor_can_start") == {"executor_waits": 0}
        for name in ("pr161+era2539", "pr169+era2539", "pr170+era2539"):
            assert word(name, scope, "every_batch_certified") == "EXHAUSTED"

    def test_one_of_two_external_nodes_side_by_side_is_enough(self) -> None:
        scope = Scope(instance("n1f0b0"), batches=2, topology="relays", unanswered="X")
        for name in ("pr166+era2539", "pr167+era2539"):
            assert word(name, scope, "every_batch_certified") == "EXHAUSTED"
            assert kinds(name, replace(scope, unanswered="X,Y")) == {"never_answered": 1}
            assert kinds(name, replace(scope, topology="relay_chain")) == {"never_answered": 1}

    def test_old_answers_of_the_same_fork_do_no_lasting_harm_with_the_start_of_2539(self) -> None:
        scope = replace(ONE, stale_answers=None)
        for name in (name for name in MERGED if name.endswith("era2539") and "pr165" not in name):
            for property in ("progress_possible", "every_batch_certified", "no_gaps_on_main_node"):
                assert word(name, scope, property) == "EXHAUSTED"
            falls = "VIOLATED" if name.startswith(("pr161", "pr166")) else "EXHAUSTED"
            assert word(name, scope, "status_never_falls") == falls

    def test_old_answers_of_the_former_fork_make_gaps_until_pull_request_167_refuses_them(self) -> None:
        scope = replace(FORKED, stale_answers=None)
        for name in ("pr161+era2539", "pr166+era2539"):
            assert set(kinds(name, scope)) == {"newer_vote", "newer_vote_at_main", "overtaken"}
            assert word(name, scope, "no_gaps_on_main_node") == "VIOLATED"
        for name in ("pr167+era2539", "pr170+era2539"):
            for property in ("progress_possible", "every_batch_certified", "no_gaps_on_main_node"):
                assert word(name, scope, property) == "EXHAUSTED"

    @pytest.mark.parametrize("name", ["pr161+era2539", "pr170+era2480", "pr170+era2539"])
    def test_an_attester_that_has_pruned_a_batch_cannot_vote_on_it(self, name: str) -> None:
        pruned = replace(PRUNED, pruned="a")
        assert "pruned_at_attesters" in kinds(name, pruned)
        restarts = replace(pruned, restarts=None)
        assert "pruned_at_attesters" in kinds(name, restarts, "restarts_help")


class TestPullRequest2544:
    def test_a_pruned_main_node_may_never_attest(self) -> None:
        expected = {**everywhere("VIOLATED")}
        assert by_revision(PRUNED, "attestation_can_start", "era2539") == expected
        assert kinds("pr161+era2539", PRUNED, "attestation_can_start") == {
            "pruned_too_early": 4,
            "pruned_in_the_way": 10,
        }
        assert kinds("pr166+era2539", PRUNED, "executor_can_start") == {"pruned_too_early": 3}
        assert word("pr169+era2539", PRUNED, "executor_can_start") == "EXHAUSTED"

    def test_the_certificate_of_a_pruned_batch_blocks_the_queue(self) -> None:
        """It cannot be inserted and is tried for ever, whatever the rule for the start."""
        for name in ("pr161+era2480", "pr161+era2539", "pr169+era2539+prune_aware"):
            assert "pruned_in_the_way" in kinds(name, PRUNED, "attestation_can_start")

    def test_a_pruned_certificate_lets_the_number_fall(self) -> None:
        """The certificate is deleted with its batch, and without any the rule of 2480 starts again."""
        two = replace(PRUNED, batches=2)
        assert word("pr161+era2480", replace(two, pruned=""), "status_never_falls") == "EXHAUSTED"
        assert word("pr161+era2480", two, "status_never_falls") == "VIOLATED"

    def test_first_way_out_the_query_takes_pruning_into_account(self) -> None:
        """It is enough for the executors to start; attestation also has to get past the certificate that is lost."""
        name = "pr169+era2539+prune_aware"
        assert kinds("pr166+era2539+prune_aware", PRUNED, "executor_can_start") == {}
        assert kinds(name, PRUNED, "attestation_can_start") == {"pruned_in_the_way": 11}
        cured = f"{name}+pruned_dropped"
        for property in ("attestation_can_start", "progress_possible", "every_batch_certified"):
            assert word(cured, PRUNED, property) == "EXHAUSTED"

    @pytest.mark.parametrize("name", ["pr161+era2539", "pr166+era2539", "pr169+era2539"])
    def test_second_way_out_to_wait_for_the_main_nodes_status_is_not_enough(self, name: str) -> None:
        """The attesters ask the same query, and must have their answers before the pruning, too."""
        assert kinds(name, PRUNED_AFTER_STATUS, "attestation_can_start")["pruned_too_early"] == 5

    def test_third_way_out_to_prune_an_external_node(self) -> None:
        for name in ("pr161+era2539", "pr166+era2539", "pr169+era2539"):
            for property in ("attestation_can_start", "executor_can_start", "progress_possible"):
                assert word(name, PRUNED_EXTERNAL, property) == "EXHAUSTED"


class TestPullRequest170:
    def test_a_bad_signature_no_longer_cuts_a_connection(self) -> None:
        survive = {**everywhere("VIOLATED"), "pr165": "VACUOUS", "pr170": "EXHAUSTED"}
        assert by_revision(BAD[BAD_SIGNATURE], "connections_survive_bad_votes", "era2539") == survive
        assert kinds("pr169+era2539", BAD[BAD_SIGNATURE]) == {"messages_refused": 1}
        assert word("pr170+era2539", BAD[BAD_SIGNATURE], "progress_possible") == "EXHAUSTED"

    def test_bad_votes_in_some_messages_close_connections_and_do_no_lasting_harm(self) -> None:
        """The next message may be without one, and has all votes again."""
        for kind in (BAD_SIGNATURE, FOREIGN_GENESIS):
            scope = replace(BAD[kind], some_bad_votes=True)
            for name in ("pr161+era2539", "pr169+era2539"):
                assert word(name, scope, "connections_survive_bad_votes") == "VIOLATED"
                for property in ("progress_possible", "every_batch_certified"):
                    assert word(name, scope, property) == "EXHAUSTED"

    def test_a_foreign_genesis_still_does(self) -> None:
        cut = {**everywhere("VIOLATED"), "pr165": "VACUOUS"}
        assert by_revision(BAD[FOREIGN_GENESIS], "connections_survive_bad_votes", "era2539") == cut
        assert kinds("pr170+era2539", BAD[FOREIGN_GENESIS]) == {"messages_refused": 1}

    def test_to_skip_it_as_well_cures_that(self) -> None:
        for property in ("connections_survive_bad_votes", "progress_possible", "every_batch_certified"):
            assert word("pr170+era2539+foreign_skipped", BAD[FOREIGN_GENESIS], property) == "EXHAUSTED"


class TestRegenesis:
    @pytest.mark.parametrize("name", ["pr161+era2539", "pr167+era2539", "pr170+era2539"])
    def test_no_certificate_mixes_forks_and_no_fork_has_a_gap(self, name: str) -> None:
        for property in (
            "no_certificate_mixes_forks",
            "no_gaps_on_main_node",
            "attestation_starts_at_first_batch",
            "one_batch_at_a_time",
            "progress_possible",
        ):
            assert word(name, FORKED, property) == "EXHAUSTED"

    def test_until_167_a_node_takes_numbers_of_the_new_fork_before_it_restarts(self) -> None:
        assert word("pr166+era2539", FORKED, "status_never_falls") == "VIOLATED"
        assert word("pr167+era2539", FORKED, "status_never_falls") == "EXHAUSTED"


class TestExternalNodes:
    @pytest.mark.parametrize("name", ["pr161+era2480", "pr170+era2480", "pr161+era2539", "pr170+era2539"])
    @pytest.mark.parametrize("echo", [False, pytest.param(True, marks=pytest.mark.deep)])
    def test_the_main_nodes_guarantees_do_not_depend_on_one_that_looks_on(self, name: str, echo: bool) -> None:
        alone = Scope(instance("n1f0b0"), batches=3, echo=echo)
        observed = replace(alone, topology="observed")
        for property in ("no_gaps_on_main_node", "attestation_starts_at_first_batch", "status_never_falls"):
            assert word(name, observed, property) == word(name, alone, property)
        assert set(kinds(name, observed)) == set(kinds(name, alone))

    def test_they_may_have_gaps_and_the_main_node_has_none(self) -> None:
        for name in ("pr161+era2539", "pr170+era2539"):
            assert word(name, RELAYED, "external_node_has_gap") == "REACHED"
            assert word(name, RELAYED, "no_gaps_on_main_node") == "EXHAUSTED"

    def test_a_relay_loses_votes_exactly_where_numbers_can_fall(self) -> None:
        assert word("pr161+era2480", RELAYED, "relay_skips_vote") == "REACHED"
        assert kinds("pr161+era2480", RELAYED)["relay_minimum"] == 15
        assert word("pr161+era2539", RELAYED, "relay_skips_vote") == "UNREACHED"


class TestProposals:
    """In the scope where attesters have their own minimum, which is where most kinds show."""

    def test_what_is_there_to_cure(self) -> None:
        assert set(kinds("pr161+era2480", OWN)) == {
            "registry_minimum",
            "own_minimum",
            "own_vote_skipped",
            "newer_vote",
            "newer_vote_at_main",
            "vote_lost",
            "overtaken",
        }

    @pytest.mark.parametrize(
        ("proposal", "cured"),
        [
            ("finder_listens", {"registry_minimum", "own_minimum"}),
            ("votes_kept", {"vote_lost", "own_vote_skipped"}),
            ("finder_listens+votes_kept", {"registry_minimum", "own_minimum", "vote_lost", "own_vote_skipped"}),
            ("asked_vote_wins", set()),
            ("finder_listens+votes_kept+asked_vote_wins", {"registry_minimum", "own_minimum", "own_vote_skipped"}),
        ],
    )
    def test_which_kinds_a_proposal_removes(self, proposal: str, cured: set[str]) -> None:
        before, after = set(kinds("pr161+era2480", OWN)), set(kinds(f"pr161+era2480+{proposal}", OWN))
        assert after <= before
        assert before - after == cured

    def test_no_change_of_finder_and_registry_cures_gaps(self) -> None:
        for name in PROPOSALS:
            if name.startswith("pr161+era2480") and not revision(name).remembers_start:
                assert word(name, OWN, "no_gaps_on_main_node") == "VIOLATED"

    @pytest.mark.parametrize("scope", [JOINED, OWN, RELAYED], ids=lambda scope: scope.name)
    def test_to_keep_where_attestation_starts_cures_everything(self, scope: Scope) -> None:
        name = "pr161+era2480+start_kept"
        for property in ("progress_possible", "no_gaps_on_main_node", "attestation_can_start", "status_never_falls"):
            assert word(name, scope, property) == "EXHAUSTED"
        assert word(name, scope, "attestation_starts_at_first_batch") == "VIOLATED"

    def test_to_keep_it_does_not_cure_the_pruned_main_node(self) -> None:
        """The main node must find the genesis' first block before it is pruned, to keep its number."""
        for more in ("", "+pruned_dropped"):
            assert kinds(f"pr169+era2539+start_kept{more}", PRUNED, "attestation_can_start")["pruned_too_early"] == 3

    @pytest.mark.parametrize("name", ["pr161+era2480+start_kept", "pr161+era2539", "pr161+era2539+start_kept"])
    @pytest.mark.parametrize("scope", [ONE, OWN, RELAYED], ids=lambda scope: scope.name)
    def test_the_cures_certify_every_batch_in_the_end(self, name: str, scope: Scope) -> None:
        assert word(name, scope, "every_batch_certified") == "EXHAUSTED"

    def test_certificates_by_number_verify(self) -> None:
        scope = Scope(instance("w5,1b1"), batches=2)
        assert word("pr161+era2539", scope, "certificates_verify") == "VIOLATED"
        assert word("pr161+era2539+votes_by_number", scope, "certificates_verify") == "EXHAUSTED"

    def test_each_proposal_is_in_a_revision_that_is_reported(self) -> None:
        named = {part for name in PROPOSALS for part in name.split("+")}
        assert {name for name, part in PARTS.items() if part.is_proposal} <= named


class TestByzantine:
    def test_attesters_can_be_lost_in_different_ways(self) -> None:
        """Either of the light attesters can be spared, both cannot."""
        found = kinds("pr161+era2480", Scope(instance("w4,1,1b0"), batches=3))
        assert "attesters_lost" in found
        assert "unclassified" not in found

    def test_byzantine_attesters_may_go_on_for_ever(self) -> None:
        scope = Scope(instance("w3,2,1b1"), batches=2)
        assert word("pr161+era2539", scope, "every_batch_certified") == "EXHAUSTED"

    def test_a_false_certificate_ends_the_main_nodes_consensus_or_stops_it_again_and_again(self) -> None:
        scope = Scope(instance("n1f0b1"), batches=1)
        ended = {"false_certificate": 4, "byzantine_weight": 1, "consensus_dead": 7}
        assert kinds("pr161+era2539", scope) == ended
        del ended["consensus_dead"]
        assert kinds("pr161+era2539", replace(scope, supervised="all")) == ended

    def test_silence_of_too_much_weight_is_final_at_once(self) -> None:
        scope = Scope(instance("n2f0b1"), batches=2)
        assert kinds("pr161+era2539", scope) == {"byzantine_weight": 1}

    def test_tolerated_weight_does_not_stop_progress(self) -> None:
        assert word("pr161+era2539", Scope(instance("w5,1b1"), batches=2), "progress_possible") == "EXHAUSTED"


@pytest.mark.slow
@pytest.mark.parametrize("scope", [JOINED, OWN, RELAYED, PRUNED, FORKED, BAD[BAD_SIGNATURE]], ids=lambda s: s.name)
@pytest.mark.parametrize("name", ["pr161+era2480", "pr170+era2480", "pr161+era2539"])
def test_every_trace_replays_and_every_violation_has_a_kind(name: str, scope: Scope) -> None:
    for one in CATALOGUE:
        found = verdict(name, scope, one.name)
        traces = [found.trace, *found.kinds] if isinstance(found, Violated) else []
        traces += [found.trace] if isinstance(found, Reached) else []
        for trace in traces:
            replay(trace, check(name, scope).stepper)
        if isinstance(found, Violated):
            assert "unclassified" not in {trace.kind for trace in found.kinds}
