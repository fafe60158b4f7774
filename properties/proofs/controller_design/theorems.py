"""The theorems about this design, by the property that they are about."""

from __future__ import annotations

from properties.proofs.controller_design import certification
from properties.proofs.controller_design.certification import MATCH, NO_GAPS, VERIFY
from properties.proofs.controller_design.delivery import NO_DEADLOCK, no_vote_lost
from properties.proofs.controller_design.session import rules
from properties.proofs.theorem import Theorem, Theorems

FEW = (1, 2, 3)
MOST = 3
"""With more, the orders of a list that an error cuts off are too many."""

THEOREMS: Theorems = {
    NO_GAPS: (Theorem("no gaps", certification.no_gaps, FEW, few=(1, 2), most=MOST, depends=rules),),
    VERIFY: (
        Theorem("certificates verify", certification.fixed_sizes, FEW, few=(1, 2), most=MOST, depends=rules),
        Theorem("certificates verify, any number", certification.any_number, FEW, few=(1, 2), most=MOST, depends=rules),
    ),
    MATCH: (Theorem("certificates match batches", certification.match, FEW, few=(1, 2), most=MOST, depends=rules),),
    NO_DEADLOCK: (Theorem("no start-up deadlock", no_vote_lost, FEW, few=(2,), most=MOST, depends=rules),),
}
