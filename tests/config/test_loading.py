"""Settings and catalogue: right ones load, wrong ones end in one sentence that names the field."""

import tomllib
from pathlib import Path

import msgspec
import pytest
from pydantic import SecretStr

from config.areas.area import Area
from config.areas.discord import DiscordSettings
from config.catalogue import load_catalogue
from config.loading import ConfigError, load_settings
from config.reading import NotReadable
from config.settings import Settings
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.costs import Cost, usual_cost
from pipeline.protocol.catalogue.networks import FileSource, FolderSource, TextMaskSpec
from tests.pipeline.backends.children.speech import READY

ROOT = Path(__file__).parents[2]
UNSET = {
    ("discord", "token"),
    ("discord", "token_file"),
    ("downloads", "hub_token"),
    ("downloads", "hub_token_file"),
    ("downloads", "civitai_token"),
    ("downloads", "civitai_token_file"),
    ("pipeline", "cache_directory"),
    ("pipeline", "lora_directory"),
    ("pipeline", "safety_checker"),
    ("quotas", "personal_amount"),
    ("prompts", "wildcards"),
    ("provenance", "key_file"),
    ("provenance", "chain_file"),
    ("safety", "words"),
    ("backup", "directory"),
    ("hosts", "scale_hook"),
    ("safety", "hard_lists"),
    ("safety", "people"),
    ("safety", "on_hard_rule"),
    ("safety", "image_blocks"),
    ("safety", "image_check"),
}


def test_the_example_holds_every_setting_with_its_default() -> None:
    example = tomllib.loads((ROOT / "easel.example.toml").read_text())
    text = (ROOT / "easel.example.toml").read_text()
    for area, field in Settings.model_fields.items():
        assert isinstance(field.annotation, type)
        assert issubclass(field.annotation, Area)
        for name, setting in field.annotation.model_fields.items():
            assert setting.description, f"{area}.{name} is not described"
            assert setting.description in text
            assert (area, name) in UNSET or name in example[area], f"{area}.{name}"
    shipped = load_settings(ROOT / "easel.example.toml")
    assert shipped.quotas == Settings().quotas
    assert shipped.pipeline.default_model == Settings().pipeline.default_model


def test_variables_win_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "easel.toml"
    file.write_text("[quotas]\namount = 3\nperiod = 'week'\n")
    monkeypatch.setenv("EASEL_QUOTAS__AMOUNT", "4")
    settings = load_settings(file)
    assert (settings.quotas.amount, settings.quotas.period) == (4, "week")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[quotas]\namount = 'many'\n", r"quotas\.amount .*EASEL_QUOTAS__AMOUNT.* valid integer.* 'many' now"),
        ("[quotas]\namount = -1\n", r"quotas\.amount .*greater than or equal to 0"),
        ("[quotas]\nperiod = 'year'\n", r"quotas\.period .*'hour', 'day', 'week' or 'month'"),
        ("[quotas]\ntime_zone = 'Mars/Base'\n", r"quotas\.time_zone .*no IANA time zone"),
        ("[quotas]\namont = 3\n", r"no setting quotas\.amont"),
        ("[quota]\namount = 3\n", r"no setting quota "),
        ("[pipeline]\ndevice = 'tpu'\n", r"pipeline\.device .*'cpu'"),
        ("[discord]\napi_base_url = 'discord.com'\n", r"discord\.api_base_url .*must begin with http"),
        ("[provenance]\ntimestamp_url = 'freetsa.org'\n", r"provenance\.timestamp_url "),
        ("[quotas\n", r"not valid TOML"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "easel.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        load_settings(file)


LATIN_1 = "[discord]\n# für Ada\n".encode("latin-1")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xef\xbb\xbf[quotas]\namount = 3\n", None),
        (LATIN_1, r"easel\.toml is not written in UTF-8 \(byte 0xfc in line 2\); save it as UTF-8\.$"),
        ("[quotas]\n".encode("utf-16"), "is written in UTF-16; save it as UTF-8"),
        (None, r"easel\.toml is a folder; name a file\.$"),
    ],
    ids=["a mark", "Latin-1", "UTF-16", "a folder"],
)
def test_a_file_of_another_editor_is_read_or_named(tmp_path: Path, content: bytes | None, sentence: str | None) -> None:
    (tmp_path / "a").mkdir()
    for name, load in (("easel.toml", load_settings), ("models.toml", lambda path: load_catalogue(path, "a"))):
        file = tmp_path / name
        if content is None:
            file.mkdir()
        elif name == "models.toml" and sentence is None:
            file.write_bytes(b"\xef\xbb\xbf[[model]]\n" + ENTRY.encode())
        else:
            file.write_bytes(content)
        if sentence is None:
            load(file)
            continue
        with pytest.raises(ConfigError, match=sentence.removeprefix(r"easel\.toml ")):
            load(file)


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        (
            "EASEL_QUOTA__AMOUNT",
            r"no setting EASEL_QUOTA__AMOUNT; did you mean EASEL_QUOTAS__AMOUNT \(quotas\.am",
        ),
        ("EASEL_QUOTAS_AMOUNT", "did you mean EASEL_QUOTAS__AMOUNT"),
        ("easel_storge__directory", "did you mean EASEL_STORAGE__DIRECTORY"),
        ("EASEL_QUOTAS__AMONT", r"no setting quotas\.amont .*did you mean quotas\.amount"),
        ("EASEL_XYZ__UVW", "no setting EASEL_XYZ__UVW; easel.example.toml lists them all"),
        # Kubernetes sets these for a service called easel.
        ("EASEL_SERVICE_HOST", None),
        ("EASEL_PORT_80_TCP_ADDR", None),
        ("EASEL_QUEUE__ROLE_WEIGHTS__7", None),
    ],
)
def test_a_misspelt_variable_is_told_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, sentence: str | None
) -> None:
    monkeypatch.setenv(variable, "5")
    if sentence is None:
        assert load_settings().quotas == Settings().quotas
        return
    with pytest.raises(ConfigError, match=sentence):
        load_settings()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xef\xbb\xbfabc.def\r\n", None),
        (b"Bot abc.def\n", None),
        (b'"abc.def"', None),
        (b" \n", r"token .*\(discord\.token_file\) is empty; paste the one"),
        (b"Bot \n", "is empty"),
        (b"abc.def\nxyz", "is not one word"),
        (b"DISCORD TOKEN", "is not one word"),
        ("abc.déf".encode(), "is not one word of plain letters"),
        ("abc.déf".encode("latin-1"), "is not written in UTF-8"),
        ("abc.def".encode("utf-16"), "is written in UTF-16"),
    ],
)
def test_a_token_is_read_as_people_paste_it_and_nothing_of_it_is_told(
    tmp_path: Path, content: bytes, sentence: str | None
) -> None:
    file = tmp_path / "token.txt"
    file.write_bytes(content)
    settings = DiscordSettings(token_file=file)
    if sentence is None:
        assert settings.read_token() == "abc.def"
        return
    with pytest.raises(NotReadable, match=sentence.removeprefix("token .*")) as error:
        settings.read_token()
    assert "abc" not in str(error.value).replace(str(tmp_path), "")
    with pytest.raises(NotReadable, match="is a folder"):
        DiscordSettings(token_file=tmp_path).read_token()


def test_an_empty_variable_leaves_the_token_to_its_file(tmp_path: Path) -> None:
    file = tmp_path / "token.txt"
    file.write_text("abc.def")
    assert DiscordSettings(token=SecretStr(""), token_file=file).read_token() == "abc.def"
    assert DiscordSettings(token=SecretStr("one"), token_file=file).read_token() == "one"
    with pytest.raises(NotReadable, match=r"discord\.token is empty"):
        DiscordSettings(token=SecretStr(" ")).read_token()


def test_a_wrong_token_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "easel.toml"
    file.write_text("[discord]\ntoken = 123456789\n")
    with pytest.raises(ConfigError, match=r"discord\.token") as error:
        load_settings(file)
    assert "123456789" not in str(error.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load_settings(tmp_path / "none.toml")


def test_the_token_comes_from_a_file_and_is_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("secret-of-the-bot\n")
    monkeypatch.setenv("EASEL_DISCORD__TOKEN_FILE", str(tmp_path / "token"))
    assert load_settings().discord.read_token() == "secret-of-the-bot"
    monkeypatch.setenv("EASEL_DISCORD__TOKEN", "another-secret")
    settings = load_settings()
    assert settings.discord.read_token() == "another-secret"
    assert "another-secret" not in repr(settings)


def test_the_shipped_catalogue_has_absolute_paths_and_the_model_is_there() -> None:
    catalogue = load_catalogue(Settings().pipeline.catalogue, "pocket")
    source = catalogue.default.source
    assert isinstance(source, FolderSource)
    assert (Path(source.path) / "model_index.json").is_file()


ENTRY = 'key = "a"\ntitle = "A"\nfamily = "sd"\nlicense = "x"\nsource = { kind = "folder", path = "a" }\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[model]]\n" + ENTRY + "[[model]]\n" + ENTRY, "two models with the key 'a'"),
        ("[[model]]\n" + ENTRY.replace('"A"', '""'), "model 'a' .* its title is empty"),
        ("[[model]]\n" + ENTRY.replace('"A"', '" \\u200b\\t"'), "its title is empty"),
        ("[[model]]\n" + ENTRY.replace('"a"\n', f'"{"a" * 65}"\n', 1), "key"),
        ("[[model]]\n" + ENTRY + "[[model]]\n" + ENTRY.replace('"a"\n', '"b"\n', 1), "title 'A', which is the key of"),
        ("[[model]]\n" + ENTRY.replace('"sd"', '"dalle"'), r"Invalid enum value 'dalle'"),
        ("[[model]]\n" + ENTRY.replace("folder", "torrent"), r"Invalid value 'torrent'"),
        ("[[model]]\n" + ENTRY + "colour = 1\n", "colour"),
        ("[[model]]\n" + ENTRY + "defaults = { steps = 70 }\n", "defaults.steps is over bounds.max_steps"),
        (
            "[[model]]\n" + ENTRY + "defaults = { guidance_start = 0.5, guidance_end = 0.5 }\n",
            "defaults.guidance_start is not below defaults.guidance_end",
        ),
        ("[[model]]\n" + ENTRY + 'lacks = ["guidance"]\n', "it lacks guidance, so defaults.cfg must be at most 1"),
        ("[[model]]\n" + ENTRY + 'lacks = ["flight"]\n', "Invalid enum value 'flight'"),
        ("[[model]]\n" + ENTRY + "defaults = { guidance_rescale = 1.5 }\n", "guidance_rescale"),
        ("[[model]]\n" + ENTRY + "defaults = { width = 2048 }\n", "default size is outside its bounds"),
        ("[[model]]\n" + ENTRY + "defaults = { width = 513 }\n", "width"),
        ("[[model]]\n" + ENTRY + 'samplers = ["Restart"]\n', "names the sampler 'Restart'"),
        ("[[model]]\n" + ENTRY + 'samplers = ["Flow Euler"]\n', "does not fit its family 'sd'; these do: Euler, "),
        (
            "[[model]]\n" + ENTRY.replace('"sd"', '"sd3"'),
            "2M Karras', which does not fit .*: Flow Euler, Flow Heun",
        ),
        ("[[model]]\n" + ENTRY.replace('"sd"', '"pipeline"'), "does not fit .* 'pipeline'; these do: Model's own"),
        (
            "[[model]]\n"
            + ENTRY.replace('"sd"', '"pipeline"')
            + 'defaults = { sampler = "Model\'s own", guidance_end = 0.6 }\n',
            "guided at every step, so leave out",
        ),
        (
            "[[model]]\n" + ENTRY.replace('"sd"', '"sd3"') + 'defaults = { width = 520, sampler = "Flow Euler" }\n',
            "no multiples of the 16 pixels",
        ),
        ("[[model]]\n" + ENTRY + 'prediction = "velocity"\n', r"Invalid enum value 'velocity'"),
        ("[[model]]\n" + ENTRY + "clip_skip = 0\n", "clip_skip"),
        ("[[model]]\n" + ENTRY + 'prediction = "epsilon"\nzero_snr = true\n', "zero_snr needs prediction"),
        (
            "[[model]]\n" + ENTRY + 'zero_snr = true\nsamplers = ["Euler", "Heun"]\ndefaults = { sampler = "Euler" }\n',
            "the sampler 'Heun', which cannot honour its prediction and zero_snr; these can: Euler, Euler Karras, ",
        ),
        (
            "[[model]]\n" + ENTRY + 'prediction = "sample"\ndefaults = { sampler = "Euler a" }\n',
            "the sampler 'Euler a', which cannot honour",
        ),
        (
            "[[model]]\n"
            + ENTRY.replace('"sd"', '"sd3"')
            + 'prediction = "epsilon"\ndefaults = { sampler = "Flow Euler" }\n',
            "only for the families sd and sdxl",
        ),
        (
            "[[model]]\n"
            + ENTRY.replace('"sd"', '"pipeline"')
            + 'clip_skip = 2\ndefaults = { sampler = "Model\'s own" }\n',
            "clip_skip is only for the families sd, sdxl and sd3",
        ),
        ("[[model]]\n" + ENTRY + "call = { eta = 1.0 }\n", "call is only for the family pipeline"),
        ("[[model]]\n" + ENTRY, "default_model is 'pocket', which .* does not list; it lists a"),
        ("[[model\n", "not valid TOML"),
    ],
)
def test_a_wrong_catalogue_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "models.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        load_catalogue(file, "pocket" if "default_model" in sentence else "a")


def test_what_the_catalogue_says_of_a_model_is_read(tmp_path: Path) -> None:
    more = 'prediction = "v_prediction"\nzero_snr = true\nclip_skip = 2\n'
    file = tmp_path / "models.toml"
    file.write_text("[[model]]\n" + ENTRY + more + 'vae = { kind = "file", path = "v.safetensors", config = "c" }\n')
    spec = load_catalogue(file, "a").default
    assert (spec.prediction, spec.zero_snr, spec.clip_skip) == ("v_prediction", True, 2)
    assert spec.vae == FileSource(path=str(tmp_path / "v.safetensors"), config=str(tmp_path / "c"))
    assert "Heun" not in spec.offered_samplers
    assert "Euler" in spec.offered_samplers


def test_a_catalogue_heeds_what_a_worker_found(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text("[[model]]\n" + ENTRY)
    catalogue = load_catalogue(file, "a")
    usual = catalogue.default
    lacks = {"a": (Capability.NEGATIVE_PROMPT,)}
    catalogue.heed(msgspec.structs.replace(READY, samplers={"a": ("DDIM", "Euler")}, lacks=lacks))
    assert catalogue.default.offered_samplers == ("DDIM", "Euler")
    assert catalogue.default.defaults.sampler == "DDIM"
    assert not catalogue.default.can(Capability.NEGATIVE_PROMPT)
    catalogue.heed(READY)
    assert catalogue.default == usual


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "words.json, which the model catalogue names, does not exist"),
        ("not json", "words.json is not the JSON that"),
        ("[1]", "words.json is not the JSON that"),
        ('{"words": "apple"}', r"words.json is not the JSON that .* `\$.words`"),
        ('{"colours": []}', "colours"),
    ],
)
def test_a_vocabulary_that_is_missing_or_wrong_is_named(tmp_path: Path, content: str | None, sentence: str) -> None:
    (tmp_path / "models.toml").write_text("[[model]]\n" + ENTRY + 'vocabulary = { path = "words.json" }\n')
    if content is not None:
        (tmp_path / "words.json").write_text(content)
    with pytest.raises(ConfigError, match=sentence):
        load_catalogue(tmp_path / "models.toml", "a")


def test_a_vocabulary_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text("[[model]]\n" + ENTRY + 'vocabulary = { path = "words.json" }\n')
    (tmp_path / "words.json").write_text('{"words": ["a", "cat"], "things": ["cat"]}')
    read = load_catalogue(tmp_path / "models.toml", "a").default.vocabulary
    assert read is not None
    assert (read.words, read.things) == (frozenset({"a", "cat"}), ("cat",))


@pytest.mark.parametrize(
    ("key", "width"),
    [
        ("sd15", 512),
        ("sdxl", 1024),
        ("sdxl-lightning", 1024),
        ("sd35", 1024),
        ("z-image", 1024),
        ("klein", 1024),
        ("flux", 1024),
    ],
)
def test_commented_entries_of_the_shipped_catalogue_are_right(tmp_path: Path, key: str, width: int) -> None:
    text = (ROOT / "config" / "models.toml").read_text()
    entry = text[text.index(f'# [[model]]\n# key = "{key}"') :].split("\n\n")[0]
    file = tmp_path / "models.toml"
    file.write_text("\n".join(line.removeprefix("# ").removeprefix("#") for line in entry.splitlines()))
    assert load_catalogue(file, key).default.defaults.width == width


def test_the_table_of_loras_for_few_steps_is_right(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "models.md").read_text()
    table = text[text.index("| LoRA | family | `sampler` |") :].split("\n\n")[0].splitlines()[2:]
    assert len(table) == 7
    for number, row in enumerate(table):
        families, sampler, steps, cfg, scale = (cell.strip() for cell in row.split("|")[2:7])
        (tmp_path / "models.toml").write_text(
            f"[[model]]\nkey = 'a'\ntitle = 'A{number}'\nlicense = '-'\nfamily = '{families.split('`')[1]}'\n"
            "source = { kind = 'folder', path = 'a' }\n"
            f"lora = {{ path = 'a.safetensors', scale = {scale} }}\n"
            f"[model.defaults]\nsampler = '{sampler.strip('`')}'\nsteps = {steps.split()[0].rstrip(',')}\ncfg = {cfg}\n"
        )
        load_catalogue(tmp_path / "models.toml", "a")


UPSCALER = '[[upscalers]]\nkey = "net"\ntitle = "Net"\npath = "net.safetensors"\nlicense = "MIT"\n'


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("[[model]]\n" + ENTRY, ["realesr-animevideov3"]),
        ("upscalers = []\n[[model]]\n" + ENTRY, []),
        ("[[model]]\n" + ENTRY + UPSCALER + UPSCALER.replace("net", "other"), ["net", "other"]),
    ],
)
def test_a_catalogue_has_its_own_upscalers_or_the_shipped_one(tmp_path: Path, text: str, keys: list[str]) -> None:
    path = tmp_path / "models.toml"
    path.write_text(text)
    catalogue = load_catalogue(path, "a")
    assert [*catalogue.upscalers] == keys
    assert [*catalogue.entries] == ["a", *keys]
    owner = ROOT if keys[:1] == ["realesr-animevideov3"] else tmp_path
    assert all(Path(spec.path).is_relative_to(owner.resolve()) for spec in catalogue.upscalers.values())


def test_a_text_mask_lies_beside_the_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text("[[model]]\n" + ENTRY + '[text_mask]\npath = "clipseg"\nlicense = "MIT"\n')
    found = load_catalogue(path, "a").text_mask
    assert found == TextMaskSpec(path=str(tmp_path.resolve() / "clipseg"), license="MIT", threshold=0.4)
    path.write_text("[[model]]\n" + ENTRY)
    assert load_catalogue(path, "a").text_mask is None


def test_networks_for_faces_are_entries_with_absolute_paths(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text("upscalers = []\n[[model]]\n" + ENTRY + UPSCALER.replace("upscalers", "faces"))
    catalogue = load_catalogue(path, "a")
    assert [*catalogue.entries] == ["a", "net"]
    assert catalogue.faces["net"].path == str(tmp_path.resolve() / "net.safetensors")


def test_networks_for_cutouts_are_entries_with_absolute_paths(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    cutout = UPSCALER.replace("upscalers", "cutouts")
    path.write_text("upscalers = []\n[[model]]\n" + ENTRY + cutout + 'family = "isnet"\n')
    catalogue = load_catalogue(path, "a")
    assert [*catalogue.entries] == ["a", "net"]
    assert catalogue.cutouts["net"].path == str(tmp_path.resolve() / "net.safetensors")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (UPSCALER.replace("upscalers", "cutouts"), "family"),
        (UPSCALER + UPSCALER.replace("upscalers", "cutouts") + 'family = "u2net"\n', "two entries with the key 'net'"),
        ('[text_mask]\npath = "clipseg"\n', "license"),
        ('[text_mask]\npath = "clipseg"\nlicense = "MIT"\nthreshold = 1.0\n', "text_mask.threshold"),
        (UPSCALER + UPSCALER, "two entries with the key 'net'"),
        (UPSCALER.replace('"net"', '"a"'), "two entries with the key 'a'"),
        (UPSCALER.replace('"Net"', '" "'), "empty title"),
        (UPSCALER.replace("title", "name"), "upscalers"),
        (UPSCALER + "cost = 0\n", "upscalers"),
        (UPSCALER + UPSCALER.replace("upscalers", "faces"), "two entries with the key 'net'"),
        (UPSCALER.replace("upscalers", "faces") + "strength = 2\n", "faces"),
    ],
)
def test_a_wrong_upscaler_or_network_for_faces_gets_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "models.toml"
    path.write_text("[[model]]\n" + ENTRY + text)
    with pytest.raises(ConfigError) as error:
        load_catalogue(path, "a")
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_an_entry_without_a_cost_takes_that_of_its_pipeline_class(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "model_index.json").write_text('{"_class_name": "SanaPipeline"}')
    file = tmp_path / "models.toml"
    whole = ENTRY.replace('"sd"', '"pipeline"') + 'defaults = { sampler = "Model\'s own" }\n'
    file.write_text("[[model]]\n" + whole)
    assert load_catalogue(file, "a").default.cost == usual_cost("pipeline", FileSource(path=""), "SanaPipeline")
    file.write_text("[[model]]\n" + whole + "[model.cost]\nrow_linear = 2.0\nrow_constant = 1.0\n")
    assert load_catalogue(file, "a").default.cost == Cost(row_linear=2.0, row_constant=1.0)
