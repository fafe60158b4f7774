"""The theorems about this design, by the property that they are about."""

from __future__ import annotations

from properties.proofs.registry_design import certificates, no_gaps
from properties.proofs.registry_design.certificates import MATCH, NONE_BELOW, ONE_QUORUM, VERIFY, registry_rules
from properties.proofs.registry_design.session import NO_GAPS
from properties.proofs.registry_design.start_up_deadlock import NO_DEADLOCK, no_deadlock
from properties.proofs.theorem import Theorem, Theorems

MOST_WITH_ECHO = 3
"""With how many attesters votes both ways, in every topology, are proved by default."""

UP_TO_8 = (1, 2, 3, 4, 5, 6, 7, 8)

THEOREMS: Theorems = {
    NO_GAPS: (
        Theorem("no gaps", no_gaps.fixed_sizes, UP_TO_8, few=(1, 2, 3, 6)),
        Theorem("no gaps, any number of attesters", no_gaps.any_number, UP_TO_8[1:], few=(2, 3)),
        Theorem(
            "no gaps, every topology, votes both ways",
            no_gaps.topologies,
            (2, MOST_WITH_ECHO),
            most=MOST_WITH_ECHO,
            takes_long=True,
        ),
        Theorem("threshold arithmetic", no_gaps.arithmetic, depends=lambda _: None),
        Theorem("a gap is possible at the bound", no_gaps.at_the_bound),
    ),
    NO_DEADLOCK: (Theorem("no start-up deadlock", no_deadlock, (1, 2, 3, 4, 5, 6), few=(1, 2, 6), most=8),),
    ONE_QUORUM: (Theorem("registry", certificates.one_quorum, (1, 2, 3, 4, 5), most=8, depends=registry_rules),),
    VERIFY: (
        Theorem("signers of a certificate", certificates.signers, (1, 2, 3, 4, 5), most=8, depends=registry_rules),
        Theorem("certificates verify", certificates.verify, (1, 2, 3, 4, 5), few=(1, 2), most=8),
    ),
    MATCH: (Theorem("certificates match batches", certificates.match, (1, 2, 3, 4, 5), few=(1, 2), most=8),),
    NONE_BELOW: (
        Theorem("no vote below the minimum", certificates.none_below_minimum, (1, 2, 3, 4, 5, 6), few=(1, 2)),
    ),
}
"""That of the start-up deadlock is weaker than `progress_possible`, and says so."""
