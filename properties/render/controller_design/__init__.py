"""How runs of the attestation-controller design (from PR 175 on) are told."""

from properties.render.controller_design.causes import CAUSES, EFFECTS, Facts, reason
from properties.render.controller_design.sequence import tell
from properties.render.controller_design.words import COARSE, MEANINGS, NAMED, PARTS, bounds, derived
from properties.render.vocabulary import Vocabulary

VOCABULARY = Vocabulary(
    parts=PARTS,
    named=NAMED,
    meanings=MEANINGS,
    derived=derived,
    coarse=COARSE,
    bounds=bounds,
    tell=tell,
    explanations={},
    facts=Facts,
    reason=reason,
    causes=CAUSES,
    effects=EFFECTS,
)
