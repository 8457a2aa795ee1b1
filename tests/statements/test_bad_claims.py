"""Files of claims that cannot be judged: one line with file, claim and key."""

import json

import pytest
from flopledger import claims
from flopledger.storage.facts import BadFacts

GOOD = """
[[claims]]
id = "mine"
statement = "s"
sense = "about"
claimed = 1
source = "me"
found = "1"
reason = "{x:.1f}"
[claims.figures]
x = "2"
"""


@pytest.fixture
def refused(tmp_path):
    """What is said of a file of claims, in which a text is replaced by another."""

    def message_of(old, new):
        assert old in GOOD
        path = tmp_path / "mine.toml"
        path.write_bytes(GOOD.replace(old, new).encode())
        with pytest.raises(BadFacts) as caught:
            claims(path)
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert "\n" not in message
        assert "\0" not in message
        assert len(message) < 1500
        return message.removeprefix(f"{path}: ")

    return message_of


def test_a_good_file_is_judged(tmp_path):
    (tmp_path / "mine.toml").write_text(GOOD)
    (verdict,) = claims(str(tmp_path / "mine.toml"))
    assert (verdict.word, verdict.found, verdict.reason) == ("holds", 1, "2.0")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("sense", "sence", "[claims.mine] sence is no key here; did you mean sense?"),
        (
            'source = "me"',
            'source = "me"\nurl = "https://a.org/b"',
            "[claims.mine] url says where, but not when it was read; give retrieved, the day",
        ),
        (
            'source = "me"',
            'source = "me"\nurl = "https://a.org/b"\nretrieved = 2999-01-01',
            "[claims.mine] retrieved is 2999-01-01, a day to come",
        ),
        ('source = "me"', 'source = "me"\nretrieved = 2020-01-01', "url does not say where"),
        ("claimed = 1", 'claimed = 1\nunit = "order"', "unit is 'order'; write \"orders\""),
        (
            'sense = "about"\nclaimed = 1\nsource = "me"\nfound = "1"',
            'sense = "question"\nsource = "me"',
            'a "question" needs found: what answers it',
        ),
        ("[[claims]]", "[[clams]]", "clams is no key here; did you mean claims?"),
        (GOOD, "", "claims is missing; add it"),
        (GOOD, "claims = []", "[claims] List should have at least 1 item"),
        (GOOD, "claims = [1]", "[claims.0] should be a table: keys with values"),
        (GOOD, GOOD + GOOD, "two claims are called mine; rename one"),
        (GOOD, "a = " + "[" * 3000, "not TOML: maximum recursion depth"),
        ('"s"', '"\0"', "not TOML: Illegal character"),
        ('"mine"', r'"a\u0000b"', "id] holds a NUL character; remove it"),
        ('"mine"', '""', "[claims.1.id] String should match"),
        ('"mine"', '"' + "x" * 200_000 + '"', "[claims.1.id] String should match"),
        ('"s"', '" "', "[claims.mine.statement] String should have at least 1 character"),
        ('"s"', '"' + "s" * 200_000 + '"', "[claims.mine.statement] String should have at most"),
        ('"me"', '""', "[claims.mine] has no source"),
        ('"about"', '"abuot"', "[claims.mine.sense] Input should be 'about', 'at least'"),
        ('"about"', '"open"', '[claims.mine] an "open" claim needs decides'),
        ('found = "1"', "", '[claims.mine] a claim "about" needs found'),
        ('found = "1"', f'found = "1{" + 1" * 400}"', "found] String should have at most 1000"),
        ("claimed = 1", "", '[claims.mine] a claim "about" needs claimed'),
        ("claimed = 1", 'claimed = "1"', "[claims.mine.claimed"),
        ("claimed = 1", "claimed = true", "[claims.mine.claimed"),
        ("claimed = 1", "claimed = [1, 2, 3]", "[claims.mine.claimed"),
        ("claimed = 1", "claimed = [0, 2]", "claimed is 0, which no factor leads to"),
        ('found = "1"', "found = 1", "[claims.mine.found] should be a table"),
        ('found = "1"', 'found = {a = ""}', "[claims.mine.found.a] '': it is no expression"),
        ('"me"', '"me"\nretrieved = "2020"', "mine.retrieved] Input should be a valid date"),
        ("claimed = 1", "claimed = inf", "[claims.mine.claimed"),
        ("claimed = 1", "claimed = nan", "[claims.mine.claimed"),
        ("claimed = 1", "claimed = 0", "claimed is 0, which no factor leads to"),
        ('claimed = 1', 'claimed = -1', "claimed is -1, which no factor leads to"),
        ('"about"\nclaimed = 1', '"at least"\nclaimed = 0', "claimed is 0, which no factor leads"),
        ('found = "1"', 'found = {"" = "1"}', "found has a version without a name; name it"),
        ('found = "1"', 'found = {" " = "1"}', "found has a version without a name; name it"),
        ('found = "1"', 'found = {Go = "1 / 0"}', "[claims.mine.found.Go] '1 / 0': it divides"),
        ('x = "2"', 'x = "1 / 0"', "[claims.mine.figures.x] '1 / 0': it divides by zero"),
        ('x = "2"', 'x = 2', "[claims.mine.figures.x] Input should be a valid string"),
        ('"{x:.1f}"', f'"{"x" * 200_000}"', "[claims.mine.reason] String should have at most"),
        ("claimed = 1", f'claimed = 1\nunit = "{"x" * 200_000}"', "mine.unit] String should have"),
        (GOOD, GOOD + "[defaults.mine]\norigin = '1'", "[defaults.mine] origin is no key"),
        ("claimed = 1", "claimed = [15, 10]", "claimed goes from 15 down to 10"),
        ('"me"', '"me"\nurl = "javascript:alert(1)"', "url] 'javascript:alert(1)' is no addr"),
        ('"me"', '"me"\nretrieved = "yesterday"', "[claims.mine.retrieved] Input should be a"),
        ("{x:.1f}", "{y}", "[claims.mine.reason] no figure is called 'y'"),
        ("{x:.1f}", "{x.__class__}", "[claims.mine.reason] no figure is called 'x.__class__'"),
        ("{x:.1f}", "{x.real}", "[claims.mine.reason] no figure is called 'x.real'"),
        ("{x:.1f}", "{x[0]}", "[claims.mine.reason] no figure is called 'x[0]'"),
        ("{x:.1f}", "{}", "[claims.mine.reason] no figure is called '0'"),
        ("{x:.1f}", "{x:999999999f}", "[claims.mine.reason] 999999999f is no format"),
        ("{x:.1f}", "{", "[claims.mine.reason] Single '{' encountered"),
    ],
)  # fmt: skip
def test_a_bad_claim_gives_one_line_with_file_claim_and_key(refused, old, new, words):
    assert words in refused(old, new)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("prfile('alexnet', 'params')", "no function is called 'prfile'; did you mean profile?"),
        ("rand()", "no function is called 'rand'"),
        ("profile('alexnt', 'params')", "did you mean alexnet"),
        ("profile('alexnet', 'parms')", "a profile has no 'parms'; say params, macs"),
        ("profile('alexnet')", "profile is called as profile(model, figure)"),
        ("share('alexnet')", "share is called as share(model, kind, [largest_kernel])"),
        ("sped_up('a')", "sped_up is called as sped_up(a, b, *factors)"),
        ("profile('alexnet', figure='params')", "figure='params') is not evaluated here"),
        ("flops(1)", "flops(model): model is text in quotes, not 1"),
        ("elo('a')", "elo(win_rate): win_rate is a number, not 'a'"),
        ("min('a', 'b')", "min(x, *more): x is a number, not 'a'"),
        ("min(1, 'b')", "min(x, *more): more is a number, not 'b'"),
        ("max()", "max is called as max(x, *more)"),
        ("orders((-8) ** 0.5)", "orders(x): x is a number, not ("),
        ("(-8) ** 0.5", "it comes to (1.7"),
        ("(-8) ** 0.5 < 1", "it cannot be evaluated: '<' not supported"),
        ("compute('alexnet', 'nosuch')", "no accounting is called 'nosuch'; say all or training"),
        ("win_rate('')", "nothing that was tuned is called ''; say one of: all settings before"),
        ("win_rate('search')", "several things that were tuned is called 'search'; say one of"),
        ("evaluations_per_move('alexnet')", "alexnet has no search"),
        ("fact('alexnt', 'images')", "no run is called 'alexnt'; did you mean alexnet"),
        ("fact('alexnet', 'games')", "alexnet has no fact 'games'; it has images, epochs"),
        ("factor('alexnet', 'passes')", "a ledger has no factor 'passes'; say flops, backward"),
        ("ratio('price', 'alexnet', 'vgg16')", "there is no figure 'price'; say params"),
        ("compute('alphago-master')", "its gradient steps are not known, so it has no total"),
        ("hours('alexnet')", "alexnet has no time to 93% top-5"),
        ("system('AlexNet', 'Epoch 1999')", "no table is called 'Epoch 1999'"),
        ("system('HAL', 'Epoch 2025')", "Epoch 2025 has no figure of 'HAL'"),
        ("elo(2)", "a win rate of 2.0 is none"),
        ("compute(hours)", "hours is no name here; put names in quotes"),
        ("'a'", "'a' is text, which only a function takes"),
        ("True", "True is no number"),
        ("1 < 2", "it comes to True, no number"),
        ("None", "None is no number"),
        ("profile", "profile is no name here"),
        ("1j", "1j is no number"),
        ("1e400", "it comes to inf, no number"),
        ("1 / 0", "it divides by zero"),
        ("orders(0)", "orders(0): only a number above 0 has orders of magnitude"),
        ("", "is no expression"),
        ("(", "is no expression: '(' was never closed"),
        ("1 << 999999999", "the operator LShift is not evaluated here"),
        ("min(*[1])", "*[1] is not evaluated here"),
        ("min(1)(2)", "min(1) is no function here"),
        ("elo(0)", "it comes to -inf, no number"),
        ("batches()", "no batch is known of no entry; name some"),
        ("fact('bert-large', 'samples')", "in '512 tokens'; name the phase, too"),
        ("hours('zzz')", "of 28 names the nearest are"),
        ("1; 2", "is no expression"),
        ("x = 1", "is no expression"),
        ("x", "x is no name here; put names in quotes"),
        ("9**9**9", "a number that is too large"),
        ("2**2**2**2**2", "too large"),
        ("10**1000000", "too large"),
        ("10.0**400", "too large"),
        ("9" * 999, "too large"),
        ("'a' * 10**9", "'a' is text, which only a function takes"),
        ("'%999999999d' % 1", "'%999999999d' is text, which only a function takes"),
        ("5 % 3", "the operator Mod is not evaluated here"),
        ("5 // 3", "the operator FloorDiv is not evaluated here"),
        ("~1", "the operator Invert is not evaluated here"),
        ("not 1", "the operator Not is not evaluated here"),
        ("1 if 2 else 3", "is not evaluated here"),
        ("[1]", "[1] is not evaluated here"),
        ("-" * 999 + "1", "nested too deep"),
        ("__import__('os')", "no function is called '__import__'"),
        ("(1).__class__", "1 .__class__ is not evaluated here"),
        ("().__class__.__bases__", "is not evaluated here"),
        ("profile('alexnet', 'params').real", "is not evaluated here"),
        ("'{0.__class__}'.format(1)", "is no function here"),
        ("f'{1}'", "is not evaluated here"),
        ("'abc'[0]", "is not evaluated here"),
        ("[1 for _ in 'ab']", "is not evaluated here"),
        ("lambda: 1", "is not evaluated here"),
    ],
)
def test_an_expression_that_cannot_be_evaluated_gives_one_line(refused, expression, words):
    message = refused('"1"', json.dumps(expression))
    quoted = expression if len(expression) <= 120 else f"{expression[:117]}..."
    assert message.startswith(f"[claims.mine.found] {quoted!r}: ")
    assert words in message


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadFacts, match="not UTF-8"):
        claims(tmp_path / "mine.toml")
    with pytest.raises(BadFacts, match="cannot be read"):
        claims(tmp_path)
