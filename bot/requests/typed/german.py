"""German words for everyday things, for small models that know only English ones.

This is a table without grammar. It reads `drei gelbe Sterne am Strand`, and leaves unknown words as they are.
"""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

# Each entry is an English word and its German forms.
_THINGS: Final = """
apple: apfel äpfel äpfeln|cherry: kirsche kirschen|grapes: traube trauben weintraube weintrauben
strawberry: erdbeere erdbeeren|pear: birne birnen|lemon: zitrone zitronen|banana: banane bananen
pineapple: ananas|watermelon: wassermelone wassermelonen|carrot: karotte karotten möhre möhren
mushroom: pilz pilze pilzen|avocado: avocados|pretzel: brezel brezeln|croissant: hörnchen|tomato: tomate tomaten
broccoli: brokkoli|cheese: käse|burger: hamburger|pizza: pizzen|donut: krapfen|cookie: keks kekse keksen
cake: kuchen torte torten|cupcake: muffin muffins|ice cream: eis eiscreme|lollipop: lutscher
cup of coffee: kaffee kaffeetasse|teapot: teekanne teekannen|wine glass: weinglas weingläser|cat: katze katzen
dog: hund hunde hunden|rabbit: hase hasen kaninchen|horse: pferd pferde pferden|cow: kuh kühe kühen
pig: schwein schweine schweinen|elephant: elefant elefanten|giraffe: giraffen|tiger: tigern|panda: pandabär
fox: fuchs füchse füchsen|frog: frosch frösche fröschen|penguin: pinguin pinguine pinguinen|owl: eule eulen
duck: ente enten|swan: schwan schwäne schwänen|flamingo: flamingos|parrot: papagei papageien
bird: vogel vögel vögeln|fish: fisch fische fischen|shark: hai haie haien|whale: wal wale walen
dolphin: delfin delfine delphin|octopus: krake kraken tintenfisch|crab: krabbe krabben
snail: schnecke schnecken|turtle: schildkröte schildkröten|snake: schlange schlangen|crocodile: krokodil krokodile
butterfly: schmetterling schmetterlinge|spider: spinne spinnen|bee: biene bienen|ladybug: marienkäfer
dinosaur: dinosaurier|dragon: drache drachen|unicorn: einhorn einhörner|camel: kamel kamele
kangaroo: känguru kängurus|hedgehog: igel|zebra: zebras|car: auto autos|bus: busse bussen
truck: lastwagen laster|tractor: traktor traktoren|helicopter: hubschrauber|rocket: rakete raketen
sailboat: segelboot segelboote|bicycle: fahrrad fahrräder|train: zug züge|plane: flugzeug flugzeuge
ship: schiff schiffe schiffen|ufo: ufos|rose: rosen|tulip: tulpe tulpen|sunflower: sonnenblume sonnenblumen
cactus: kaktus kakteen|tree: baum bäume bäumen|pine tree: tanne tannen kiefer|palm tree: palme palmen
leaf: blatt|leaves: blätter|sun: sonne|moon: mond|star: stern sterne sternen|cloud: wolke wolken
snowflake: schneeflocke schneeflocken|rainbow: regenbogen|fire: feuer|house: haus häuser häusern
castle: schloss burg burgen|church: kirche kirchen|tent: zelt zelte|volcano: vulkan vulkane
ferris wheel: riesenrad|balloon: luftballon luftballons|umbrella: regenschirm regenschirme schirm
crown: krone kronen|ring: ringe|key: schlüssel|bell: glocke glocken|pencil: bleistift bleistifte|guitar: gitarre
drum: trommel trommeln|trumpet: trompete|camera: kamera|gift: geschenk geschenke|heart: herz herzen
lock: vorhängeschloss|book: buch bücher büchern|phone: handy telefon|television: fernseher
light bulb: glühbirne|candle: kerze kerzen|chair: stuhl stühle|door: tür türen|trophy: pokal
kite: papierdrachen|anchor: anker|hammer: hämmer|shield: schild|backpack: rucksack|scissors: schere
hat: hut hüte hüten|shoe: schuh|shoes: schuhe schuhen|dress: kleid kleider|shirt: hemd hemden
glasses: brille|ball: bälle|sword: schwert schwerter|robot: roboter|ghost: gespenst gespenster geist
snowman: schneemann|teddy bear: teddybär teddy|pumpkin: kürbis kürbisse|skull: totenkopf
beach: strand|forest: wald|desert: wüste|mountains: berge bergen gebirge|city: stadt|meadow: wiese
snow: schnee|sea: meer|space: weltraum weltall|room: zimmer|night: nacht|sunset: sonnenuntergang|rain: regen
fog: nebel|background: hintergrund
"""
_COLORS: Final = """
red: rot|orange: orangen|yellow: gelb|green: grün|turquoise: türkis|blue: blau|purple: lila violett|pink: rosa
brown: braun|black: schwarz|gray: grau|white: weiß|small: klein|big: groß
"""
_BETWEEN: Final = """
a: ein eine einen einem einer eines|the: der die das den dem|and: und|in the: im ins|on the: am|on: auf an
with: mit|next to: neben|above: über|below: unter|of: von aus|in: vor|at: bei|two: zwei|three: drei|four: vier
at night: nachts|left: links|right: rechts|top: oben|bottom: unten
"""
_ENDINGS: Final = re.compile(r"(?:e[nrsm]?)$")
_WORD: Final = re.compile(r"[^\W\d_]+")
_WORD_OR_TAG: Final = re.compile(rf"<[^<>]*>|{_WORD.pattern}")
_SEVERAL: Final = ("two", "three", "four")


def _table(lines: str) -> Mapping[str, str]:
    rows = (row.split(": ") for row in lines.strip().replace("\n", "|").split("|"))
    return MappingProxyType({german: english for english, forms in rows for german in forms.casefold().split()})


_THING_OF: Final = _table(_THINGS)
_COLOR_OF: Final = _table(_COLORS)
_BETWEEN_OF: Final = _table(_BETWEEN)
TABLES: Final = (_THING_OF, _COLOR_OF)
"""Tables of visible things: German word, folded with `str.casefold`, to English word."""


def in_english(prompt: str, known: Collection[str]) -> str:
    """The prompt in English, word by word, if it is German; any other prompt stays the same.

    A prompt is German if it contains a German word for a thing and either a German function word or no English word.

    Args:
        prompt: any text.
        known: the model's English words; they stay as they are.
    """
    words = [word.casefold() for word in _WORD.findall(prompt)]
    strange = {word for word in words if word not in known}
    is_shown = any(_shown(word) for word in strange)
    is_between = any(word in _BETWEEN_OF for word in strange)
    if not is_shown or not (is_between or all(_shown(word) for word in words)):
        return prompt
    is_several = False

    def translated(match: re.Match[str]) -> str:
        nonlocal is_several
        folded = match[0].casefold()
        if folded in known:
            return match[0]
        english = _BETWEEN_OF.get(folded) or _shown(folded) or match[0]
        if english in _SEVERAL:
            is_several = True
        elif is_several and folded in _THING_OF:
            is_several = False
            return next((plural for plural in _plurals(english) if plural.split()[-1] in known), english)
        return english

    return _WORD_OR_TAG.sub(translated, prompt)


def _shown(folded: str) -> str | None:
    """The English word for a German thing or look; None if there is none."""
    return _THING_OF.get(folded) or _COLOR_OF.get(folded) or _COLOR_OF.get(_ENDINGS.sub("", folded))


def _plurals(english: str) -> tuple[str, ...]:
    return (f"{english}s", f"{english}es", f"{english[:-1]}ies")
