"""AlphaFold 2: alignments and pairs of residues talk to each other, then fold a backbone."""

import torch
from flopledger import register
from torch import Tensor, nn

MSA, PAIR, SINGLE, EXTRA = 256, 128, 384, 64  # channels
HEADS, BINS = 12, 15  # of the structure module; of recycled distances


class Attention(nn.Module):
    """Gated self-attention along axis 2: [protein, rows, tokens, width] in and out.

    `bias` [protein, heads, tokens, tokens], if there is one, is added to every row's logits.
    """

    def __init__(self, width: int, heads: int, channels: int) -> None:
        super().__init__()
        self.heads, self.scale = heads, channels**-0.5
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * heads * channels, bias=False)
        self.gate = nn.Linear(width, heads * channels)
        self.output = nn.Linear(heads * channels, width)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        x = self.norm(x)
        qkv = self.qkv(x).unflatten(3, (3, self.heads, -1)).permute(3, 0, 1, 4, 2, 5)
        query, key, value = qkv.unbind(0)
        logits = self.scale * query @ key.transpose(3, 4)
        if bias is not None:
            logits = logits + bias.unsqueeze(1)
        y = (logits.softmax(dim=4) @ value).transpose(2, 3).flatten(3)
        return self.output(self.gate(x).sigmoid() * y)


class GlobalColumnAttention(nn.Module):
    """Every column asks once, with the mean of its queries: [protein, rows, residues, width]."""

    def __init__(self, width: int, heads: int, channels: int) -> None:
        super().__init__()
        self.heads, self.scale = heads, channels**-0.5
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, heads * channels, bias=False)
        self.key_value = nn.Linear(width, 2 * channels, bias=False)
        self.gate = nn.Linear(width, heads * channels)
        self.output = nn.Linear(heads * channels, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        query = self.query(x.mean(dim=1)).unflatten(2, (self.heads, -1))
        key, value = self.key_value(x).transpose(1, 2).chunk(2, dim=3)
        weights = (self.scale * query @ key.transpose(2, 3)).softmax(dim=3)
        y = (weights @ value).flatten(2).unsqueeze(1)
        return self.output(self.gate(x).sigmoid() * y)


class OuterProductMean(nn.Module):
    """An alignment [protein, rows, residues, width] to pairs [protein, residues, residues, 128]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.left, self.right = nn.Linear(width, 32), nn.Linear(width, 32)
        self.output = nn.Linear(32 * 32, PAIR)

    def forward(self, m: Tensor) -> Tensor:
        rows, residues = m.shape[1], m.shape[2]
        m = self.norm(m)
        left, right = self.left(m).flatten(2), self.right(m).flatten(2)
        outer = (left.transpose(1, 2) @ right) / rows
        outer = outer.unflatten(2, (residues, 32)).unflatten(1, (residues, 32))
        return self.output(outer.transpose(2, 3).flatten(3))


class TriangleMultiplication(nn.Module):
    """Each pair (i, j) from the pairs of i and of j with every third residue."""

    def __init__(self, outgoing: bool) -> None:
        super().__init__()
        self.outgoing = outgoing
        self.norm, self.center = nn.LayerNorm(PAIR), nn.LayerNorm(PAIR)
        self.sides, self.side_gates = nn.Linear(PAIR, 2 * PAIR), nn.Linear(PAIR, 2 * PAIR)
        self.gate, self.output = nn.Linear(PAIR, PAIR), nn.Linear(PAIR, PAIR)

    def forward(self, z: Tensor) -> Tensor:
        z = self.norm(z)
        left, right = (self.sides(z) * self.side_gates(z).sigmoid()).permute(0, 3, 1, 2).chunk(2, 1)
        product = left @ right.mT if self.outgoing else left.mT @ right
        return self.gate(z).sigmoid() * self.output(self.center(product.permute(0, 2, 3, 1)))


def _transition(width: int, factor: int = 4) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, factor * width),
        nn.ReLU(),
        nn.Linear(factor * width, width),
    )


class EvoformerBlock(nn.Module):
    """One block: m [protein, rows, residues, width] and z [protein, residues, residues, 128]."""

    def __init__(self, width: int, channels: int, extra: bool) -> None:
        super().__init__()
        self.extra = extra
        self.pair_bias = nn.Sequential(nn.LayerNorm(PAIR), nn.Linear(PAIR, 8, bias=False))
        self.row_attention = Attention(width, 8, channels)
        column = GlobalColumnAttention if extra else Attention
        self.column_attention = column(width, 8, channels)
        self.msa_transition = _transition(width)
        self.outer_product_mean = OuterProductMean(width)
        self.outgoing = TriangleMultiplication(outgoing=True)
        self.incoming = TriangleMultiplication(outgoing=False)
        self.start_bias = nn.Sequential(nn.LayerNorm(PAIR), nn.Linear(PAIR, 4, bias=False))
        self.start_attention = Attention(PAIR, 4, 32)
        self.end_bias = nn.Sequential(nn.LayerNorm(PAIR), nn.Linear(PAIR, 4, bias=False))
        self.end_attention = Attention(PAIR, 4, 32)
        self.pair_transition = _transition(PAIR)

    def forward(self, m: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        m = m + self.row_attention(m, self.pair_bias(z).permute(0, 3, 1, 2))
        if self.extra:
            m = m + self.column_attention(m)
        else:
            m = m + self.column_attention(m.transpose(1, 2)).transpose(1, 2)
        m = m + self.msa_transition(m)
        z = z + self.outer_product_mean(m)
        z = z + self.outgoing(z)
        z = z + self.incoming(z)
        z = z + self.start_attention(z, self.start_bias(z).permute(0, 3, 1, 2))
        turned = z.transpose(1, 2)
        z = z + self.end_attention(turned, self.end_bias(turned).permute(0, 3, 1, 2)).transpose(
            1, 2
        )
        return m, z + self.pair_transition(z)


class StructureModule(nn.Module):
    """Eight times the same layer: attention over residues and pairs, then a step of each frame.

    Points in space are compared coordinate by coordinate: no products of the counted kind.
    """

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.pair_norm = nn.LayerNorm(SINGLE), nn.LayerNorm(PAIR)
        self.initial = nn.Linear(SINGLE, SINGLE)
        self.scalars = nn.Linear(SINGLE, 3 * HEADS * 16)
        self.points = nn.Linear(SINGLE, HEADS * (4 + 4 + 8) * 3)
        self.pair_bias = nn.Linear(PAIR, HEADS)
        self.output = nn.Linear(HEADS * (16 + 8 * 4 + PAIR), SINGLE)
        self.norm1, self.norm2 = nn.LayerNorm(SINGLE), nn.LayerNorm(SINGLE)
        self.transition = nn.Sequential(
            nn.Linear(SINGLE, SINGLE), nn.ReLU(), nn.Linear(SINGLE, SINGLE), nn.ReLU(),
            nn.Linear(SINGLE, SINGLE),
        )  # fmt: skip
        self.frame = nn.Linear(SINGLE, 6)
        self.angle_in, self.angle_initial = nn.Linear(SINGLE, 128), nn.Linear(SINGLE, 128)
        self.angle_blocks = nn.ModuleList(
            nn.Sequential(nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 128))
            for _ in range(2)
        )
        self.angles = nn.Linear(128, 14)

    def forward(self, single: Tensor, z: Tensor) -> tuple[Tensor, list[Tensor]]:
        single, z = self.norm(single), self.pair_norm(z)
        bias = self.pair_bias(z).permute(0, 3, 1, 2)
        s, frames = self.initial(single), []
        for _ in range(8):
            s = self.norm1(s + self._attention(s, z, bias))
            s = self.norm2(s + self.transition(s))
            angle = self.angle_in(s.relu()) + self.angle_initial(single.relu())
            for block in self.angle_blocks:
                angle = angle + block(angle)
            frames += [self.frame(s), self.angles(angle.relu())]
        return s, frames

    def _attention(self, s: Tensor, z: Tensor, bias: Tensor) -> Tensor:
        query, key, value = self.scalars(s).unflatten(2, (HEADS, -1)).transpose(1, 2).chunk(3, 3)
        points = self.points(s).unflatten(2, (HEADS, 16, 3)).permute(0, 2, 1, 3, 4)
        asking, asked, given = points.split((4, 4, 8), dim=3)
        far = (asking.unsqueeze(3) - asked.unsqueeze(2)).square().sum(dim=(4, 5))
        weights = (query @ key.transpose(2, 3) / 4 + bias - far).softmax(dim=3)
        places = weights @ given.flatten(3)
        size = places.unflatten(3, (8, 3)).square().sum(dim=4).sqrt()
        pairs = weights.transpose(1, 2) @ z
        own = torch.cat((weights @ value, places, size, pairs.transpose(1, 2)), dim=3)
        return self.output(own.transpose(1, 2).flatten(2))


class AlphaFold(nn.Module):
    """One pass, of the one to four that a sample takes; without templates, as models 3 to 5.

    Features of the clustered alignment [protein, rows, residues, 49], of the extra sequences
    [protein, sequences, residues, 25] and of the target [protein, residues, 22], and distances that
    the pass before found [protein, residues, residues, 15] in; frames, distances, masked residues
    and confidences out.
    """

    def __init__(self, blocks: int, extra_blocks: int) -> None:
        super().__init__()
        self.msa_in, self.target_msa = nn.Linear(49, MSA), nn.Linear(22, MSA)
        self.target_left, self.target_right = nn.Linear(22, PAIR), nn.Linear(22, PAIR)
        self.relative_position = nn.Linear(65, PAIR)
        self.recycled_distance = nn.Linear(BINS, PAIR)
        self.recycled_row, self.recycled_pair = nn.LayerNorm(MSA), nn.LayerNorm(PAIR)
        self.extra_in = nn.Linear(25, EXTRA)
        self.extra_stack = nn.ModuleList(
            EvoformerBlock(EXTRA, 8, extra=True) for _ in range(extra_blocks)
        )
        self.evoformer = nn.ModuleList(EvoformerBlock(MSA, 32, extra=False) for _ in range(blocks))
        self.single = nn.Linear(MSA, SINGLE)
        self.structure_module = StructureModule()
        self.distogram, self.masked_msa = nn.Linear(PAIR, 64), nn.Linear(MSA, 23)
        self.lddt = nn.Sequential(
            nn.LayerNorm(SINGLE), nn.Linear(SINGLE, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(),
            nn.Linear(128, 50),
        )  # fmt: skip
        self.resolved = nn.Linear(SINGLE, 37)

    def forward(self, msa: Tensor, extra: Tensor, target: Tensor, seen: Tensor) -> list[Tensor]:
        residues = target.shape[1]
        m = self.msa_in(msa) + self.target_msa(target).unsqueeze(1)
        z = self.target_left(target).unsqueeze(2) + self.target_right(target).unsqueeze(1)
        # one-hot positions, recycled rows and pairs: their values do not change the count
        position = torch.zeros(len(z), residues, residues, 65, dtype=z.dtype, device=z.device)
        z = z + self.relative_position(position) + self.recycled_distance(seen)
        m, z = m + self.recycled_row(m), z + self.recycled_pair(z)
        e = self.extra_in(extra)
        for block in self.extra_stack:
            e, z = block(e, z)
        for block in self.evoformer:
            m, z = block(m, z)
        s, frames = self.structure_module(self.single(m[:, 0]), z)
        return [*frames, self.distogram(z), self.masked_msa(m), self.lddt(s), self.resolved(s)]


@register(
    inputs=lambda: (torch.zeros(1, 8, 32, 49), torch.zeros(1, 32, 32, 25),
                    torch.zeros(1, 32, 22), torch.zeros(1, 32, 32, BINS)),
    axes=("protein, row of the alignment, residue, feature", "protein, sequence, residue, feature",
          "protein, residue, feature", "protein, residue, residue, bin of distance"),
    year=2021,
    paper="Jumper et al. 2021, Nature 596, supplement; google-deepmind/alphafold, model/config.py",
)  # fmt: skip
def alphafold_small(blocks: int = 2, extra_blocks: int = 1) -> nn.Module:
    """AlphaFold 2, one pass, cut to 2 blocks and 32 residues.

    The whole has 48 blocks and 4 for the extra sequences, and was trained on crops of 256 residues
    with 128 rows and 1,024 extra sequences, at first.
    """
    return AlphaFold(blocks, extra_blocks)
