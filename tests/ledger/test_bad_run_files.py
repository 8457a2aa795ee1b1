"""Runs read from files that cannot be used: one clear line for each mistake."""

import pytest
from flopledger.ledger.run_file import find_run
from flopledger.storage.facts import BadFacts
from good_run import ANSWERS, GOOD, HEADS, changed, refused

BAD = {
    "an unknown key": (
        ('title = "A run"', 'title = "A run"\ncolour = 1'),
        "colour is no key here; of 35 names the nearest are ",
    ),
    "a mistyped key": (
        ("value = 1000", "vlaue = 1000"),
        "[images] vlaue is no key here; did you mean value?",
    ),
    "a mistyped table": (("[images]", "[imgaes]"), "imgaes is no key here; did you mean images"),
    "no source": (('source = "a paper, section 1"', ""), "[images] has no source; give the paper"),
    "a wrong unit": (("value = 1000", 'value = 1000\nunit = "epochs"'), "[images] is in 'images'"),
    "a negative count": (("value = 1000", "value = -1000"), "[images] value is -1000"),
    "zero": (("value = 1000", "value = 0"), "[images] value is 0; give a number above 0"),
    "no number": (("value = 1000", 'value = "many"'), "[images.value] Input should be a valid"),
    "low above high": (("low = 8", "low = 11"), "[epochs] low 11 exceeds high 10"),
    "value outside": (
        ("value = 9", "value = 11"),
        "[epochs] the interval 8 to 10 does not contain",
    ),
    "an unknown kind": (('kind = "assumed"', 'kind = "felt"'), "[epochs.kind]"),
    "an unknown method": (('"supervised"', '"osmosis"'), "[method]"),
    "no method": (('method = "supervised"', ""), "no method; say method"),
    "a fact of another method": (("[images]", "[games]"), "[games] is no fact of a supervised run"),
    "no TOML": (('title = "A run"', "title = "), "not TOML"),
    "a number in quotes": (("value = 1000", 'value = "1000"'), "[images.value] Input should be"),
    "a truth value": (("value = 1000", "value = true"), "[images.value] Input should be a valid"),
    "no network": (('model = "alexnet"\n', ""), "[model] is missing; name the network, or give [["),
    "a list of no networks": (('"alexnet"', "[]"), "[model] is an empty list; name a network"),
    "a network without a name": (('"alexnet"', '""'), "[model] String should have at least 1"),
    "one end of an interval": (("high = 10\n", ""), "[epochs] an interval has two ends"),
    "a published total below zero": (("value = 2", "value = -2"), "[published.0] value is -2;"),
    "an endless published total": (("value = 2", "value = inf"), "[published.0] value is inf"),
    "a published total without source": (('"a blog"', '" "'), "[published.0] has no source"),
    "a published total in hours": (
        ('"pfs-day"', '"hours"'),
        "[published.0] is in 'FLOP' or 'pfs-day', not 'hours'; convert it",
    ),
}


@pytest.mark.parametrize("mistake", BAD)
def test_a_mistake_gives_one_line_with_file_and_key(run_of, mistake):
    (old, new), complaint = BAD[mistake]
    assert old in GOOD
    with pytest.raises(BadFacts) as caught:
        run_of(GOOD.replace(old, new))
    assert "mine.toml: " in str(caught.value)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


HARDWARE = """
[hardware]
chip = "TPU v1"
precision = "int8"
chips = {value = 8, source = "x"}
hours = {value = 2.5, source = "x"}
"""
NESTED = f"nest = {'[' * 3000}{']' * 3000}"
WORSE = {
    "alternatives that do not add up": (
        ("value = 1000", ANSWERS.replace("0.7", "0.6")),
        "[images] the alternatives' weights 0.3 + 0.6 do not add up to 1; mend them",
    ),
    "an alternative of no weight": (
        ("value = 1000", ANSWERS.replace("0.7", "1").replace("0.3", "0")),
        "[images] the alternatives' weights 0 + 1 do not add up to 1",
    ),
    "an alternative without a source": (
        ("value = 1000", ANSWERS.replace(', source = "y"', "")),
        "[images.alternatives.1] has no source; give the paper and section",
    ),
    "an alternative below zero": (
        ("value = 1000", ANSWERS.replace("= 1000", "= -1000")),
        "[images] an alternative is -1000; give a number above 0",
    ),
    "alternatives beside a value": (
        ("value = 1000", f"value = 1000\n{ANSWERS}"),
        "[images] has neither value nor alternatives, or both",
    ),
    "alternatives beside an interval": (
        ("value = 1000", f"low = 1\nhigh = 5000\n{ANSWERS}"),
        "[images] has an interval and alternatives; give one",
    ),
    "no value": (("value = 1000", ""), "[images] has neither value nor alternatives"),
    "two of the same fact": (
        ("[epochs]", "[images]\nvalue = 3\nsource = 'y'\n[epochs]"),
        "not TOML: Cannot declare ('images',) twice",
    ),
    "more than can be counted": (
        ("value = 1000", "value = 1e308"),
        "[images] 1e+308 is beyond counting; give a number below 1e+60",
    ),
    "less than can be counted": (
        ("value = 1000", "value = 1e-308"),
        "[images] 1e-308 is next to nothing; give one above 1e-60",
    ),
    "half an image": (
        ("value = 1000", "value = 1000.5"),
        "[images] 1000.5 is no number of images: a count is whole; round it",
    ),
    "an alternative with half an image": (
        ("value = 1000", ANSWERS.replace("= 1000", "= 1000.5")),
        "[images] 1000.5 is no number of images: a count is whole; round it",
    ),
    "fewer than one image": (
        ("value = 1000", "value = 0.5\nkind = 'assumed'"),
        "[images] 0.5 is no number of images; give 1 or more",
    ),
    "an interval that begins below one image": (
        ("value = 1000", "value = 1000\nlow = 0.5\nhigh = 2000"),
        "[images] 0.5 is no number of images; give 1 or more",
    ),
    "a batch of half a sample": (
        (
            "[images]",
            "steps = {value = 18000, source = 'x'}\nbatch_size = {value = 0.5, source = 'x'}"
            "\n[images]",
        ),
        "[batch_size] 0.5 is no number of samples per step; give 1 or more",
    ),
    "an empty title": (('"A run"', '""'), "[title] String should have at least 1 character"),
    "a blank title": (('"A run"', '" "'), "[title] String should have at least 1 character"),
    "a NUL in a title": (('"A run"', r'"A\u0000run"'), "[title] holds a NUL character; remove it"),
    "a NUL in a source": (
        ('"the usual"', r'"the\u0000usual"'),
        "[epochs.source] holds a NUL",
    ),
    "a NUL in a model": (('"alexnet"', r'"alex\u0000net"'), "[model] holds a NUL"),
    "a NUL in a file of a model": (('"alexnet"', r'"a\u0000.py:Net"'), "[model] holds a NUL"),
    "a NUL in a base": (
        ('title = "A run"', 'title = "A run"\nbase = "a\\u0000.toml"'),
        "[base] holds a NUL",
    ),
    "a source of 200,000 characters": (
        ('"the usual"', f'"{"x" * 200_000}"'),
        "[epochs.source] String should have at most 4000 characters",
    ),
    "a title of 200,000 characters": (
        ('"A run"', f'"{"x" * 200_000}"'),
        "[title] String should have at most 400 characters",
    ),
    "arrays nested 3,000 deep": (('title = "A run"', f'title = "A run"\n{NESTED}'), "not TOML: "),
    "tables nested 3,000 deep": (
        ('title = "A run"', f'title = "A run"\n{".".join("a" * 3000)} = 1'),
        "a is no key here",
    ),
    "a fact nested 3,000 deep": (
        ("value = 1000", f"value = 1000\n{'.'.join('a' * 3000)} = 1"),
        "[images] a is no key here",
    ),
    "a source that is not known": (
        ('tag = "E"', 'ref = "silver-2071-az"'),
        "[images] no source is called 'silver-2071-az'; did you mean silver-2017-az",
    ),
    "ref and url": (
        ('tag = "E"', 'ref = "silver-2017-az"\nurl = "https://example.org"'),
        "[images] has both ref and url; give one",
    ),
    "a day without an address": (
        ('tag = "E"', "retrieved = 2026-11-26"),
        "[images] retrieved says when, but url does not say where; give url",
    ),
    "a day in quotes": (
        ('tag = "E"', 'url = "https://example.org"\nretrieved = "2026-11-26"'),
        "[images.retrieved] Input should be a valid date",
    ),
    "an address without a day": (
        ('tag = "E"', 'url = "https://example.org"'),
        "[images] url says where, but not when it was read; give retrieved, the day, or tag",
    ),
    "an address of no page": (
        ('tag = "E"', 'url = "javascript:alert(1)"\nretrieved = 2020-01-01'),
        "[images.url] 'javascript:alert(1)' is no address; begin with https://",
    ),
    "a day to come": (
        ('tag = "E"', 'url = "https://example.org"\nretrieved = 2999-01-01'),
        "[images] retrieved is 2999-01-01, a day to come",
    ),
    "a fact that is a number": (
        ("[epochs]", "[[phases]]\nname = 'a'\nepochs = 9\n[epochs]"),
        "[phases.epochs] should be a table: keys with values",
    ),
    "a mistyped key of a phase's fact": (
        ("[epochs]", "[[phases]]\nname = 'a'\n[phases.epochs]\nvalues = 9\n[epochs]"),
        "[phases.epochs] values is no key here; did you mean value?",
    ),
    "a phase with half an image": (
        ("[epochs]", "[[phases]]\nname = 'a'\nimages = {value = 0.5, source = 'x'}\n[epochs]"),
        "[phases.images] 0.5 is no number of images",
    ),
    "a terminal's command in a title": (
        ('"A run"', r'"A \u001b[31mrun"'),
        "[title] holds a control character; remove it",
    ),
    "a total older than its run": (
        ('"a blog"', '"a blog"\nas_of = 2019-12-31'),
        "[published.0] is of 2019-12-31, before the run's 2020-01-01: it cannot be this run's",
    ),
    "a total of a day to come": (
        ('"a blog"', '"a blog"\nas_of = 2999-12-31'),
        "[published.0] is of 2999-12-31, a day to come",
    ),
    "a source with an address that nobody read": (
        ('tag = "E"', 'ref = "mine"\n[sources.mine]\ncite = "x"\nurl = "https://example.org"'),
        "[sources.mine] url says where, but not when it was read; give retrieved, the day",
    ),
    "a source with a day and no address": (
        ('tag = "E"', 'ref = "mine"\n[sources.mine]\ncite = "x"\nretrieved = 2020-01-01'),
        "[sources.mine] retrieved says when, but url does not say where",
    ),
    "a key of 200,000 characters": (("value = 1000", f"{'x' * 200_000} = 1000"), "is no key here"),
    "a ref of 200,000 characters": (
        ('tag = "E"', f'ref = "{"x" * 200_000}"'),
        "[images.ref] String should have at most 400 characters",
    ),
    "a network's file of 3,000 characters": (
        ('"alexnet"', f'"{"x" * 300}.py:Net"'),
        ".py beside it nor in facts/configs",
    ),
    "an accounting that nobody follows": (
        ('"a blog"', '"a blog"\naccounting = "direct"'),
        "[published.0.accounting] Input should be 'all' or 'training'",
    ),
    "two phases of one name": (
        ("[images]", '[[phases]]\nname = "a"\n[[phases]]\nname = "a"\n[images]'),
        "[phases] two phases have one name",
    ),
    "a phase without a name": (
        ("[images]", '[[phases]]\nname = ""\n[images]'),
        "[phases.name] String should have at least 1 character",
    ),
    "both model and models": (
        ("[images]", f"{HEADS}[images]"),
        "[model] and [[models]] both name the network; remove one",
    ),
    "models that do not add up": (
        (
            'model = "alexnet"\nmethod = "supervised"',
            f'method = "supervised"{HEADS.replace("25", "3")}',
        ),
        "[models] the alternatives' weights 0.75 + 0.3 do not add up to 1",
    ),
    "a list of no models": (
        (
            'model = "alexnet"\nmethod = "supervised"',
            'method = "supervised"' + HEADS.replace('"alphazero-go"', "[]"),
        ),
        "[models.0.model",
    ),
    "a file that is not there": (
        ('"alexnet"', '"nets.py:Net"'),
        "[model] there is no nets.py beside it nor in facts/configs",
    ),
    "a configuration that is not there": (
        ('"alexnet"', '"hf:gpt5.json"'),
        "[model] there is no gpt5.json beside it",
    ),
    "half a chip": (
        ("[images]", HARDWARE.replace("= 8", "= 1.5") + "[images]"),
        "[hardware.chips] 1.5 is no number of chips: a count is whole; round it",
    ),
    "hours below zero": (
        ("[images]", HARDWARE.replace("2.5", "-2.5") + "[images]"),
        "[hardware.hours] value is -2.5",
    ),
    "a mistyped key of hardware": (
        ("[images]", HARDWARE.replace("chip =", "chpi =") + "[images]"),
        "[hardware] chpi is no key here; did you mean chip",
    ),
    "a teacher of no distillation": (
        ('title = "A run"', 'title = "A run"\nteacher = "resnet50"'),
        "[teacher] a distillation has one, and nothing else does",
    ),
    "a distillation without a teacher": (('"supervised"', '"distillation"'), "[teacher] a distill"),
    "a base that is not known": (
        ('title = "A run"', 'title = "A run"\nbase = "resnet5"'),
        "[base] no run is called 'resnet5'; did you mean resnet50",
    ),
    "a base that is not there": (
        ('title = "A run"', 'title = "A run"\nbase = "none.toml"'),
        "[base] there is no file none.toml beside it; name another",
    ),
    "a base that is itself": (
        ('title = "A run"', 'title = "A run"\nbase = "mine.toml"'),
        "[base] mine.toml goes on from this run itself",
    ),
}


@pytest.mark.parametrize("mistake", WORSE)
def test_what_cannot_be_used_gives_one_short_line_with_file_and_key(run_of, mistake):
    (old, new), complaint = WORSE[mistake]
    line = refused(run_of, changed(old, new))
    assert complaint in line
    assert len(line) < 600


@pytest.mark.parametrize("name", ["", " ", "\0", "alex\0net", "a\0.toml"])
def test_what_is_no_name_finds_no_run(name):
    with pytest.raises(BadFacts, match="is no run's name; flopledger compare --list shows them"):
        find_run(name)
