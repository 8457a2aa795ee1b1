"""AlphaStar's policy: units, a map and scalars to an LSTM, and from it the parts of an action."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from flopledger import Published, register
from torch import Tensor, nn

UNITS, SIDE = 512, 128  # entities at most; the map's side
FEATURES = 1_500  # of a unit: one-hots, whose lists of orders have no published length (assumed)
PLANES = 20  # of the map, without the 32 of scattered units
ACTIONS = 564  # kinds of action: pysc2's raw ones (assumed)
SELECTED = 64  # units that one action selects at most
EMBEDDING = 1_024  # autoregressive: what the parts of an action are conditioned on
# scalars and how wide each is embedded; the lengths of lists are pysc2's or assumed
SCALARS = {
    "agent_statistics": (10, 64), "upgrades": (90, 128), "enemy_upgrades": (90, 128),
    "unit_counts": (256, 64), "mmr": (7, 64), "last_delay": (128, 64),
    "last_action": (ACTIONS, 128), "last_repeat_queued": (20, 256),
}  # fmt: skip
CONTEXTS = {
    "race": (5, 32), "opponents_race": (5, 32), "available_actions": (ACTIONS, 64),
    "built": (256, 32), "effects": (16, 32), "researched": (90, 32),
}  # fmt: skip


def _perceptron(*sizes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class EntityLayer(nn.Module):
    """Two heads of 128, then a perceptron: [game, units, 256] in and out."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(256, 3 * 2 * 128)
        self.output = nn.Linear(2 * 128, 256)  # each head's 128 doubled to 256, and summed
        self.mlp = nn.Sequential(nn.Linear(256, 1024), nn.ReLU(), nn.Linear(1024, 256))
        self.norm1, self.norm2 = nn.LayerNorm(256), nn.LayerNorm(256)

    def forward(self, x: Tensor) -> Tensor:
        qkv = self.qkv(x).unflatten(2, (3, 2, 128)).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(*qkv.unbind(0))
        x = self.norm1(x + self.output(y.transpose(1, 2).flatten(2)))
        return self.norm2(x + self.mlp(x))


class ResBlock(nn.Module):
    """Two 3 x 3 convolutions of 128 channels and a skip."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(128, 128, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.conv2(F.relu(self.conv1(x))))


class SpatialEncoder(nn.Module):
    """The map and the units on it [game, 52, 128, 128] to 256 numbers, and four skips, 16 x 16."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Conv2d(PLANES + 32, 32, kernel_size=1)
        self.downsample = nn.Sequential(
            nn.Conv2d(32, 64, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(64, 128, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(128, 128, 4, stride=2, padding=1), nn.ReLU(),
        )  # fmt: skip
        self.blocks = nn.ModuleList(ResBlock() for _ in range(4))
        self.embed = _perceptron(128 * 16 * 16, 256)

    def forward(self, planes: Tensor) -> tuple[Tensor, list[Tensor]]:
        x, skips = self.downsample(F.relu(self.project(planes))), []
        for block in self.blocks:
            x = block(x)
            skips.append(x)
        return self.embed(x.flatten(1)), skips


class GLU(nn.Module):
    """An input whose numbers the context lets through, then a linear layer."""

    def __init__(self, inputs: int, context: int, outputs: int) -> None:
        super().__init__()
        self.gate, self.output = nn.Linear(context, inputs), nn.Linear(inputs, outputs)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return self.output(self.gate(context).sigmoid() * x)


class ActionType(nn.Module):
    """16 residual blocks of 256 to the action's kind, and the embedding that its parts hang on."""

    def __init__(self, context: int) -> None:
        super().__init__()
        self.embed = nn.Linear(384, 256)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(256, 256), nn.LayerNorm(256), nn.ReLU(), nn.Linear(256, 256),
                          nn.LayerNorm(256))
            for _ in range(16)
        )  # fmt: skip
        self.logits = GLU(256, context, ACTIONS)
        self.chosen = _perceptron(ACTIONS, 256)
        self.chosen_glu, self.lstm_glu = GLU(256, context, EMBEDDING), GLU(384, context, EMBEDDING)

    def forward(self, lstm: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        x = self.embed(lstm)
        for block in self.blocks:
            x = F.relu(x + block(x))
        logits = self.logits(x, context)
        chosen = self.chosen_glu(self.chosen(logits), context)
        return logits, chosen + self.lstm_glu(lstm, context)


class Argument(nn.Module):
    """The delay, or whether to queue: its logits, and what it adds to the embedding."""

    def __init__(self, choices: int) -> None:
        super().__init__()
        self.decode = nn.Sequential(_perceptron(EMBEDDING, 256, 256), nn.Linear(256, choices))
        self.encode = nn.Sequential(_perceptron(choices, 256, 256), nn.Linear(256, EMBEDDING))

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.decode(embedding)
        return logits, embedding + self.encode(logits)


class Units(nn.Module):
    """Queries made one after another from the embedding, each over every unit's key.

    The selection's queries come of an LSTM; that of the target unit is a single one.
    """

    def __init__(self, queries: int) -> None:
        super().__init__()
        self.queries = queries
        self.function = _perceptron(256, 256)  # of the kinds of unit that the action may take
        self.key = nn.Linear(256, 32)
        self.embed = nn.Linear(EMBEDDING, 256)
        self.query = nn.Linear(256, 32)
        self.lstm = nn.LSTM(32, 32, batch_first=True) if queries > 1 else None
        self.add = nn.Linear(32, EMBEDDING) if queries > 1 else None

    def forward(self, embedding: Tensor, units: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
        keys = self.key(units)
        # in play each choice changes the next query; all at once are as many products
        repeated = embedding.unsqueeze(1).expand(-1, self.queries, -1)
        query = self.query(F.relu(self.embed(repeated) + self.function(kinds).unsqueeze(1)))
        if self.lstm is not None:
            query, _ = self.lstm(query)
        logits = query @ keys.transpose(1, 2)
        if self.add is not None:
            embedding = embedding + self.add(keys[:, : self.queries]).sum(dim=1)
        return logits, embedding


class GatedResBlock(nn.Module):
    """Two convolutions scaled and shifted by the embedding, and a third that gates (assumed)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.gate = (nn.Conv2d(128, 128, 3, padding=1) for _ in range(3))
        self.film = nn.Linear(EMBEDDING, 2 * 128)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.film(embedding)[:, :, None, None].chunk(2, dim=1)
        y = self.conv2(F.relu(self.conv1(x) * scale + shift))
        return x + y * self.gate(x).sigmoid()


class Location(nn.Module):
    """The embedding and the map's skips to one logit a point of 256 x 256."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Conv2d(128 + EMBEDDING // 256, 128, kernel_size=1)
        self.blocks = nn.ModuleList(GatedResBlock() for _ in range(4))
        layers: list[nn.Module] = []
        for inputs, outputs in ((128, 128), (128, 64), (64, 16), (16, 1)):
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), nn.ReLU()]
        self.upsample = nn.Sequential(*layers[:-1])

    def forward(self, embedding: Tensor, skips: list[Tensor]) -> Tensor:
        x = torch.cat((embedding.unflatten(1, (-1, 16, 16)), skips[-1]), dim=1)
        x = F.relu(self.project(F.relu(x)))
        for block, skip in zip(self.blocks, reversed(skips), strict=True):
            x = block(x + skip, embedding)
        return self.upsample(x)


class AlphaStar(nn.Module):
    """Units [game, 512, features], a map [game, 20, 128, 128] and scalars [game, n] in.

    The kind of action, its delay, whether it queues, the units that it selects, its target and its
    place out. Left out are the order in which buildings were made (a transformer 8 wide) and the
    value baselines, which see the opponent too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.entity_in = nn.Linear(FEATURES, 256)
        self.transformer = nn.Sequential(*(EntityLayer() for _ in range(3)))
        self.entity_out = nn.Sequential(nn.ReLU(), nn.Linear(256, 256), nn.ReLU())
        self.entity_embed = _perceptron(256, 256)
        self.scatter = _perceptron(256, 32)
        self.spatial_encoder = SpatialEncoder()
        self.scalars = nn.ModuleList(_perceptron(*sizes) for sizes in SCALARS.values())
        self.contexts = nn.ModuleList(_perceptron(*sizes) for sizes in CONTEXTS.values())
        context = sum(width for _, width in CONTEXTS.values())
        scalar = sum(width for _, width in SCALARS.values()) + context
        self.core = nn.LSTM(256 + 256 + scalar, 384, num_layers=3, batch_first=True)
        self.action_type = ActionType(context)
        self.delay, self.queued = Argument(128), Argument(2)
        self.selected_units, self.target_unit = Units(SELECTED), Units(1)
        self.location = Location()

    def forward(self, units: Tensor, planes: Tensor, scalars: Tensor) -> list[Tensor]:
        x = self.transformer(self.entity_in(units))
        entities, whole = self.entity_out(x), self.entity_embed(x.mean(dim=1))
        # where units stand does not change the count: all stand everywhere
        scattered = self.scatter(entities).mean(dim=1)[:, :, None, None]
        scattered = scattered.expand(-1, -1, SIDE, SIDE)
        spatial, skips = self.spatial_encoder(torch.cat((planes, scattered), dim=1))
        lengths = [length for length, _ in (*SCALARS.values(), *CONTEXTS.values())]
        pieces = scalars.split(lengths, dim=1)
        layers = (*self.scalars, *self.contexts)
        parts = [layer(piece) for layer, piece in zip(layers, pieces, strict=True)]
        context = torch.cat(parts[len(SCALARS) :], dim=1)
        lstm, _ = self.core(torch.cat((whole, spatial, *parts), dim=1).unsqueeze(1))
        action, embedding = self.action_type(lstm.squeeze(1), context)
        delay, embedding = self.delay(embedding)
        queued, embedding = self.queued(embedding)
        kinds = scalars[:, :256]  # those that the action may take; again, values do not matter
        selected, embedding = self.selected_units(embedding, entities, kinds)
        target, _ = self.target_unit(embedding, entities, kinds)
        return [action, delay, queued, selected, target, self.location(embedding, skips)]


@register(
    inputs=lambda: (torch.zeros(1, UNITS, FEATURES), torch.zeros(1, PLANES, SIDE, SIDE),
                    torch.zeros(1, sum(n for n, _ in (*SCALARS.values(), *CONTEXTS.values())))),
    axes=("game, unit, feature", "game, plane, row, column", "game, scalar"),
    year=2019,
    paper="Vinyals et al. 2019, Nature 575, supplement (detailed-architecture.txt)",
    published=[
        Published(
            "params",
            55e6,
            "Vinyals et al. 2019, Nature 575, Methods (weights that inference needs)",
            rtol=0.5 / 55,
            differs="the text gives most widths, but not the length of its lists, the depth and "
            "gates of its blocks or the width of some embeddings; where these weights are is not "
            "known here",
        ),
    ],
)  # fmt: skip
def alphastar() -> nn.Module:
    """AlphaStar's policy as far as its widths are published, one step of one game."""
    return AlphaStar()
