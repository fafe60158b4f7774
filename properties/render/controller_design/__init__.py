"""How runs of the attestation-controller design (from PR 175 on) are told."""

from properties.render.controller_design.causes import Facts, reason
from properties.render.controller_design.sequence import Teller
from properties.render.controller_design.words import NAMED, PARTS, bounds
from properties.render.vocabulary import Vocabulary, texts

VOCABULARY = Vocabulary(
    parts=PARTS,
    named=NAMED,
    bounds=bounds,
    teller=Teller,
    facts=Facts,
    reason=reason,
    **texts(__name__),
)
