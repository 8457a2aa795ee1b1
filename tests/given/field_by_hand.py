"""Systems as a few rows of an Epoch download, and as objects: what the field's tests are given."""

import csv
from datetime import date
from io import StringIO

from flopledger.field.published_systems import PublishedSystem

COLUMNS = ("Model", "Publication date", "Domain", "Parameters", "Training compute (FLOP)")
ALEXNET = ("AlexNet", "2012-09-30", "Vision", "60000000.0", "4.7e+17")
ZERO = ("AlphaGo Zero", "2017-10-18", "Games", "46400244.0", "6.494399e+20")


def download(path, *rows, columns=COLUMNS):
    """A CSV file with these rows, as Epoch AI would write it; its path."""
    text = StringIO()
    csv.writer(text).writerows([columns, *rows])
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


def system(name="one", day=date(2012, 1, 1), params=1e6, orders=6.0, domain="Vision", **fields):
    """A system of 10 ** orders FLOP per parameter."""
    fields = {"table": "made up", "accounting": "training", **fields}
    return PublishedSystem(name=name, published_on=day, params=params,
                           flop=params * 10.0**orders, domain=domain, **fields)  # fmt: skip
