"""A profile as a notebook shows it: the icicle, the layers with their shares, the total."""

from base64 import b64encode
from html import escape

import pandas as pd

from flopledger.profiles.tables import Profile
from flopledger.reports.notebook import as_html
from flopledger.reports.profile_texts import footnotes, heading
from flopledger.reports.units import by_x, percent

_ROWS = 100  # of a table in a notebook


def profile_html(profile: Profile) -> str:
    """Where a pass computes: the icicle, then a row a layer, its shares, and the total."""
    depth, frame = _folded(profile)
    params, flops = (frame[name].sum() for name in ("params", "flops"))
    rows = pd.DataFrame(
        {
            "layer": frame["layer"].replace("", "(top)"),
            "kind": frame["kind"],
            "calls": frame["calls"],
            "params": frame["params"],
            "params %": [percent(each, params) for each in frame["params"]],
            "MACs": frame["macs"],
            "FLOPs": frame["flops"],
            "FLOPs %": [percent(each, flops) for each in frame["flops"]],
            "other FLOPs": frame["other_flops"],
            "FLOPs per parameter": frame["flops_per_param"],
            "output": frame["output_shape"].map(by_x),
        }
    )
    shares = {"params %": percent(params, params), "FLOPs %": percent(flops, flops)}
    sums = {name: rows[name].sum() for name in ("calls", "params", "MACs", "FLOPs", "other FLOPs")}
    lines = footnotes(profile)
    if depth is not None:
        lines.append(f"layers are folded to depth {depth}; by_layer() has each")
    return icicle(profile) + as_html(
        heading(profile), rows, lines, {"layer": "total", **shares, **sums}
    )


def icicle(profile: Profile) -> str:
    """The picture of where the FLOPs are, as an image; nothing where there are none."""
    from flopledger.reports import profile_icicle  # imports altair: half as long as torch

    if not profile.total("flops"):
        return ""
    svg = str(profile_icicle.render(profile, "svg")).encode()
    words = escape(f"Where the FLOPs of {profile.model} are")
    source = f"data:image/svg+xml;base64,{b64encode(svg).decode()}"
    return f'<img alt="{words}" src="{source}" style="max-width: 100%">'


def _folded(profile: Profile) -> tuple[int | None, pd.DataFrame]:
    """The layers' table, folded to the depth at which a notebook still shows it whole."""
    frame = profile.by_layer()
    if len(frame) <= _ROWS:
        return None, frame
    deepest = max(path.count(".") for path in frame["layer"])
    for depth in range(deepest, 0, -1):
        frame = profile.by_layer(depth)
        if len(frame) <= _ROWS:
            break
    return depth, frame
