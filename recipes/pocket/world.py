"""The words that the pocket model knows: things, colors, places and others.

The order of each table is the order of its drawings in the atlas. After a change here, begin again at the stage
`sprites`.
"""

import zlib
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Thing:
    """A thing that the model draws.

    Attributes:
        name: its name in captions, in the singular.
        sprite: the name of its drawing in Fluent emoji.
        also: other names in captions, in the singular.
        plural: its plural, if irregular.
        colors: whether it is also drawn in other colors than its own.
    """

    name: str
    sprite: str
    also: tuple[str, ...] = ()
    plural: str = ""
    colors: bool = True

    @property
    def many(self) -> str:
        """Its name in the plural."""
        if self.plural:
            return self.plural
        if self.name.endswith(("s", "x", "ch", "sh")):
            return f"{self.name}es"
        if self.name.endswith("y"):
            return f"{self.name[:-1]}ies"
        return f"{self.name}s"


def _plain(*names: str) -> tuple[Thing, ...]:
    """Things with the same name as their drawing."""
    return tuple(Thing(name, name.replace(" ", "-")) for name in names)


THINGS: Final = (
    # Food and drink.
    Thing("apple", "red-apple"),
    Thing("cherry", "cherries"),
    Thing("grapes", "grapes", plural="grapes", also=("bunch of grapes",)),
    *_plain(
        "strawberry",
        "pear",
        "lemon",
        "banana",
        "pineapple",
        "watermelon",
        "carrot",
        "mushroom",
        "avocado",
        "pretzel",
        "croissant",
    ),
    Thing("tomato", "tomato", plural="tomatoes"),
    Thing("broccoli", "broccoli", plural="broccoli"),
    Thing("cheese", "cheese-wedge", plural="cheeses", also=("piece of cheese",)),
    Thing("burger", "hamburger", also=("hamburger",), colors=False),
    Thing("pizza", "pizza", also=("slice of pizza",), colors=False),
    Thing("donut", "doughnut", also=("doughnut",)),
    Thing("cookie", "cookie", also=("biscuit",)),
    Thing("cake", "birthday-cake", also=("birthday cake",)),
    Thing("cupcake", "cupcake", also=("muffin",)),
    Thing("ice cream", "soft-ice-cream", also=("ice cream cone",)),
    Thing("lollipop", "lollipop"),
    Thing("cup of coffee", "hot-beverage", plural="cups of coffee", also=("coffee", "cup of tea")),
    Thing("teapot", "teapot"),
    Thing("wine glass", "wine-glass", plural="wine glasses", also=("glass of wine",)),
    # Animals.
    *_plain("cat", "dog", "rabbit", "horse", "cow", "pig", "elephant", "giraffe", "tiger", "panda", "fox"),
    *_plain("frog", "penguin", "owl", "duck", "swan", "flamingo", "parrot"),
    Thing("bird", "bird"),
    Thing("fish", "tropical-fish", plural="fish", also=("tropical fish",)),
    Thing("shark", "shark"),
    Thing("whale", "spouting-whale"),
    *_plain("dolphin", "octopus", "crab", "snail", "turtle", "snake", "crocodile", "butterfly", "spider"),
    Thing("bee", "honeybee", also=("honeybee",)),
    Thing("ladybug", "lady-beetle", also=("ladybird",)),
    Thing("dinosaur", "t-rex", also=("t-rex",)),
    Thing("dragon", "dragon"),
    *_plain("unicorn", "camel", "kangaroo", "hedgehog", "zebra"),
    # Vehicles.
    Thing("car", "automobile", also=("automobile",)),
    Thing("bus", "bus"),
    Thing("truck", "delivery-truck", also=("lorry",)),
    *_plain("tractor", "helicopter", "rocket", "sailboat", "bicycle"),
    Thing("train", "locomotive", also=("steam train",)),
    Thing("plane", "airplane", also=("airplane",)),
    Thing("ship", "passenger-ship", also=("boat",)),
    Thing("ufo", "flying-saucer", also=("flying saucer",)),
    # Plants, the sky and fire.
    *_plain("rose", "tulip", "sunflower"),
    Thing("cactus", "cactus", plural="cacti"),
    Thing("tree", "deciduous-tree"),
    Thing("pine tree", "evergreen-tree", also=("fir tree",)),
    Thing("palm tree", "palm-tree", also=("palm",)),
    Thing("leaf", "maple-leaf", plural="leaves", also=("maple leaf",)),
    Thing("sun", "sun"),
    Thing("moon", "crescent-moon", also=("crescent moon",)),
    Thing("star", "star"),
    Thing("cloud", "cloud"),
    Thing("snowflake", "snowflake"),
    Thing("rainbow", "rainbow", colors=False),
    Thing("fire", "fire", also=("flame",)),
    # Buildings and landmarks.
    *_plain("house", "castle", "church", "tent"),
    Thing("volcano", "volcano", plural="volcanoes"),
    Thing("ferris wheel", "ferris-wheel"),
    # Other objects.
    *_plain("balloon", "umbrella", "crown", "ring", "key", "bell", "pencil", "guitar", "drum", "trumpet", "camera"),
    Thing("gift", "wrapped-gift", also=("present",)),
    Thing("heart", "red-heart"),
    Thing("lock", "locked", also=("padlock",)),
    Thing("book", "closed-book"),
    Thing("phone", "mobile-phone", also=("smartphone",)),
    Thing("television", "television", also=("tv",)),
    Thing("light bulb", "light-bulb", also=("lamp",)),
    *_plain("candle", "chair", "door", "trophy", "kite", "anchor", "hammer", "shield", "backpack"),
    Thing("scissors", "scissors", plural="scissors"),
    Thing("hat", "top-hat", also=("top hat",)),
    Thing("shoe", "running-shoe", also=("sneaker",)),
    Thing("dress", "dress"),
    Thing("shirt", "t-shirt", also=("t-shirt",)),
    Thing("glasses", "glasses", plural="glasses"),
    Thing("ball", "soccer-ball", also=("soccer ball", "football")),
    Thing("sword", "dagger", also=("dagger",)),
    *_plain("robot", "ghost"),
    Thing("snowman", "snowman", plural="snowmen"),
    Thing("teddy bear", "teddy-bear", also=("teddy",)),
    Thing("pumpkin", "jack-o-lantern", also=("jack-o-lantern",)),
    Thing("skull", "skull"),
)

COLORS: Final = {
    "red": (222, 40, 48),
    "orange": (250, 130, 26),
    "yellow": (252, 212, 40),
    "green": (44, 160, 62),
    "turquoise": (38, 196, 196),
    "blue": (40, 92, 220),
    "purple": (132, 52, 190),
    "pink": (250, 128, 184),
    "brown": (126, 78, 42),
    "black": (34, 34, 38),
    "gray": (142, 142, 148),
    "white": (250, 250, 250),
}
"""Colors in sRGB, 0 to 255."""

PLACES: Final = {
    "beach": "on the beach",
    "forest": "in the forest",
    "desert": "in the desert",
    "mountains": "in the mountains",
    "city": "in the city",
    "meadow": "in a meadow",
    "snow": "in the snow",
    "sea": "under the sea",
    "space": "in space",
    "room": "in a room",
}
"""Names of places, and their phrases in captions."""

OPEN_PLACES: Final = ("beach", "forest", "desert", "mountains", "city", "meadow", "snow")
"""Places under the sky, which have times of day and weather."""

TIMES: Final = {"day": ("", "by day", "on a sunny day"), "sunset": ("at sunset",), "night": ("at night",)}
WEATHERS: Final = {
    "none": ("",),
    "rain": ("in the rain", "while it rains", "rainy"),
    "snowfall": ("while it snows", "snowfall"),
    "fog": ("in the fog", "foggy"),
}
STYLES: Final = {
    "flat": ("",),
    "pixel art": ("pixel art", "in pixel art style"),
    "black and white": ("black and white", "in black and white"),
    "pencil sketch": ("pencil sketch", "as a pencil sketch"),
    "pastel": ("pastel colors", "in pastel colors"),
}
NUMBERS: Final = {1: "one", 2: "two", 3: "three", 4: "four"}
SIZES: Final = {"small": ("small", "tiny", "little"), "normal": ("",), "big": ("big", "large", "huge")}
SIDES: Final = {
    "left": "on the left",
    "right": "on the right",
    "top": "at the top",
    "bottom": "at the bottom",
}
RELATIONS: Final = {"and": "and", "beside": "next to", "above": "above", "below": "below"}
RELATION_SIDES: Final = {
    "and": ("left", "right"),
    "beside": ("left", "right"),
    "above": ("top", "bottom"),
    "below": ("bottom", "top"),
}
"""The sides of the first and the second thing in each relation."""


ALIASES: Final = {
    "gray": ("grey", "silver"),
    "purple": ("violet", "lilac"),
    "turquoise": ("teal", "cyan"),
    "red": ("crimson", "scarlet"),
    "yellow": ("golden", "gold"),
    "brown": ("chocolate",),
    "pink": ("rose-colored", "magenta"),
    "blue": ("navy",),
    "cat": ("kitten", "kitty"),
    "dog": ("puppy", "hound"),
    "rabbit": ("bunny", "hare"),
    "horse": ("pony", "stallion"),
    "pig": ("piglet",),
    "cow": ("bull",),
    "fox": ("vixen",),
    "frog": ("toad",),
    "duck": ("duckling",),
    "dinosaur": ("dino", "trex"),
    "snake": ("serpent",),
    "crocodile": ("alligator",),
    "turtle": ("tortoise",),
    "bird": ("robin",),
    "fish": ("goldfish",),
    "car": ("vehicle", "taxi"),
    "bicycle": ("bike",),
    "rocket": ("spaceship",),
    "truck": ("van",),
    "plane": ("aeroplane", "jet"),
    "sailboat": ("yacht",),
    "tree": ("oak",),
    "house": ("home", "cottage"),
    "castle": ("palace", "fortress"),
    "gift": ("parcel",),
    "book": ("novel",),
    "glasses": ("spectacles",),
    "sword": ("knife", "blade"),
    "shirt": ("tshirt", "tee"),
    "shoe": ("boot",),
    "donut": ("bagel",),
    "fire": ("bonfire",),
    "ghost": ("spook",),
    "robot": ("android",),
    "heart": ("love",),
    "beach": ("seaside", "shore"),
    "forest": ("woods", "jungle"),
    "city": ("town", "street"),
    "meadow": ("field", "garden"),
    "sea": ("ocean", "water"),
    "mountains": ("hills", "alps"),
    "room": ("kitchen", "livingroom"),
    "night": ("nighttime", "midnight"),
    "sunset": ("dusk", "dawn"),
    "big": ("giant", "enormous"),
    "small": ("mini",),
    "two": ("2", "couple"),
    "three": ("3",),
    "four": ("4",),
    "one": ("1", "single"),
    "picture": ("image", "photo"),
}  # fmt: skip - a list to look over
"""Synonyms of words in captions; the stage `wording` teaches them."""


def is_held_out(thing: str, other: str) -> bool:
    """Whether training never draws a thing with this color, place or number, so that the evaluation can ask for it.

    About one pair in twelve is held out, the same ones on every machine.
    """
    return zlib.crc32(f"{thing}|{other}".encode()) % 12 == 0


def lone_thing_words() -> list[str]:
    """All words of captions that name one thing and nothing else, sorted.

    The shipped model learnt such captions with one arrangement, so it draws them alike from every seed.
    """
    names = [name for thing in THINGS for name in (thing.name, *thing.also, *ALIASES.get(thing.name, ()))]
    phrases = [*names, "a an the of one picture drawing flat emoji", *ALIASES["one"], *ALIASES["picture"]]
    return sorted({word for phrase in phrases for word in phrase.split()})


def vocabulary() -> list[str]:
    """All words of captions, sorted."""
    phrases = [name for thing in THINGS for name in (thing.name, thing.many, *thing.also)]
    phrases += [*COLORS, *PLACES, *PLACES.values(), *NUMBERS.values(), *SIDES.values(), *RELATIONS.values()]
    phrases += [
        phrase for table in (TIMES, WEATHERS, STYLES, SIZES) for phrases in table.values() for phrase in phrases
    ]
    phrases += [alias for aliases in ALIASES.values() for alias in aliases]
    phrases += ["a an the of with background picture drawing flat emoji center middle"]
    return sorted({word for phrase in phrases for word in phrase.replace(",", " ").split()})
