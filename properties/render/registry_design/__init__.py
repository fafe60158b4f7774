"""How runs of the vote-registry design (PRs 161 to 170) are told."""

from properties.render.registry_design.causes import CAUSES, EFFECTS, Facts, reason
from properties.render.registry_design.explanations import EXPLANATIONS
from properties.render.registry_design.sequence import tell
from properties.render.registry_design.words import COARSE, MEANINGS, NAMED, PARTS, bounds, derived
from properties.render.vocabulary import Vocabulary

VOCABULARY = Vocabulary(
    parts=PARTS,
    named=NAMED,
    meanings=MEANINGS,
    derived=derived,
    coarse=COARSE,
    bounds=bounds,
    tell=tell,
    explanations=EXPLANATIONS,
    facts=Facts,
    reason=reason,
    causes=CAUSES,
    effects=EFFECTS,
)
