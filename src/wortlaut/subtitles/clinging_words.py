"""Words that lean on the word behind them, by language: no line should end with one.

Articles, prepositions, conjunctions, subject pronouns and possessives. The lists hold the most frequent ones;
languages without a list are broken by punctuation and pauses alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_ENGLISH = """
a an the my your his her its our their this these those no every each some any i you he she it we they who which
that of to in on at by for from with about into over under after before between through during without against
and or but nor so if because although while when than as am is are was were be been have has had do does did will
would can could shall should may might must not very too more most
"""
_GERMAN = """
der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner mein meine meinen meinem
meiner dein deine sein seine seinen seinem seiner ihr ihre ihren ihrem ihrer unser unsere unseren euer eure dieser
diese dieses diesen diesem jeder jede jedes ich du er sie es wir man wer in im an am auf aus bei beim mit nach von
vom vor zu zum zur über unter für durch gegen ohne um bis seit während zwischen hinter neben und oder aber denn
sondern weil dass ob wenn als wie obwohl damit nicht sehr ganz so
"""
_FRENCH = """
le la les l' un une des du de d' au aux ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre vos leur
leurs je tu il elle on nous vous ils elles qui que qu' à dans en sur sous par pour avec sans chez vers entre et ou
mais donc or ni car si quand comme parce ne n' se s' me m' te t' très plus
"""
_SPANISH = """
el la los las un una unos unas lo mi mis tu tus su sus nuestro nuestra este esta estos estas yo él ella nosotros
ellos que quien a ante con de del al desde en entre hacia hasta para por según sin sobre y e o u pero ni si porque
cuando como aunque no se me te le les muy más
"""
_ITALIAN = """
il lo la i gli le l' un uno una un' mio mia tuo tua suo sua nostro nostra questo questa quel quella io tu lui lei
noi voi loro che chi di del dello della dei degli delle a al allo alla ai agli alle da dal dalla in nel nella con su
sul sulla per tra fra e ed o ma se perché quando come non si mi ti ci vi molto più
"""
_DUTCH = """
de het een mijn jouw zijn haar ons onze hun deze dit die dat ik jij je hij zij ze wij we jullie in op aan uit bij
met naar van voor tot over onder door tegen zonder om tussen en of maar want omdat als dan toen niet heel zo
"""
_PORTUGUESE = """
o a os as um uma uns umas meu minha teu tua seu sua nosso nossa este esta esse essa eu tu ele ela nós eles elas que
quem de do da dos das em no na nos nas a ao à por pelo pela para com sem sobre entre até e ou mas se porque quando
como não me te lhe muito mais
"""

CLINGING: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "en": frozenset(_ENGLISH.split()),
        "de": frozenset(_GERMAN.split()),
        "fr": frozenset(_FRENCH.split()),
        "es": frozenset(_SPANISH.split()),
        "it": frozenset(_ITALIAN.split()),
        "nl": frozenset(_DUTCH.split()),
        "pt": frozenset(_PORTUGUESE.split()),
    }
)

_ABBREVIATED_TITLES = """
mr mrs ms dr prof st hr fr dipl ing mme m mlle sr sra dott
"""
_FULL_TITLES = """
sir lady lord saint president king queen herr herrn frau doktor professor fräulein monsieur madame señor señora don
doña signor signora mijnheer mevrouw meneer senhor senhora
"""
_ABBREVIATIONS = """
z.b. d.h. u.a. e.g. i.e. bzw. ca. vs. nr. no. approx. p.ej. c.-à-d.
"""

ABBREVIATED_TITLES = frozenset(_ABBREVIATED_TITLES.split())
TITLES = ABBREVIATED_TITLES | frozenset(_FULL_TITLES.split())
"""Forms of address, without their full stop: the name follows."""

ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())
"""Words whose full stop does not end a sentence."""
