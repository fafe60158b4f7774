"""How runs of the vote-registry design (PRs 161 to 170) are told."""

from properties.render.registry_design.causes import Facts, reason
from properties.render.registry_design.sequence import Teller
from properties.render.registry_design.words import NAMED, PARTS, bounds
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
