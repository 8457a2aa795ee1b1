"""Networks of the zoo that play: AlphaZero's tower fitted to a game, or one that fits already."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from flopledger.counting.arguments import examples
from flopledger.counting.failures import first_line
from flopledger.counting.want_of_memory import is_want_of_memory
from flopledger.errors import FlopledgerError
from flopledger.play.games import Game
from flopledger.profiles.tables import ProfilingError
from flopledger.storage.archives import damage
from flopledger.zoo.registry import find_model

TOWER = "alphazero-tower"


class DoesNotFit(FlopledgerError, ValueError):
    """A network cannot play that game; the message says what it takes and gives."""


def tower(game: Game, blocks: int, filters: int, seed: int) -> nn.Module:
    """AlphaZero's tower of that size for the game, untrained, in eval mode.

    Raises:
        DoesNotFit: it takes more memory than there is.
        ProfilingError: the zoo's factory raises.
    """
    factory: Any = find_model(TOWER).factory
    layout = game.layout
    return _built(
        lambda: factory(
            planes=layout.planes,
            rows=layout.rows,
            columns=layout.columns,
            moves=game.moves,
            blocks=blocks,
            filters=filters,
        ),
        f"a tower of {blocks} blocks of {filters} filters",
        seed,
    )


def named(game: Game, name: str, seed: int) -> nn.Module:
    """The zoo's network of that name, untrained, in eval mode.

    Raises:
        UnknownModel: there is none.
        BrokenModel: its file cannot be imported.
        ProfilingError: its factory, its example inputs or its forward pass raises.
        DoesNotFit: it does not take the game's planes, does not give its moves and a value, or
            takes more memory than there is.
    """
    spec = find_model(name)
    layout = game.layout
    wanted = (layout.planes, layout.rows, layout.columns)
    shapes = [tuple(x.shape[1:]) for x in examples(spec)]
    if shapes != [wanted]:
        raise DoesNotFit(
            f"{name} takes {_by(shapes)}, and {game.name} has planes of {_by([wanted])}; leave "
            "--network out for a tower that fits"
        )
    network = _built(spec.factory, name, seed)
    out = _answer(network, wanted, name)
    if not _fits(out, game.moves):
        raise DoesNotFit(
            f"{name} does not give {game.name}'s {game.moves} moves and a value; leave --network "
            "out for a tower that does"
        )
    return network


def trained(game: Game, path: Path) -> tuple[nn.Module, str]:
    """The tower of a checkpoint of flopledger train alphazero, in eval mode, and its name.

    Raises:
        DoesNotFit: the file is no such checkpoint, or one of another game.
    """
    try:
        # weights_only: a checkpoint of somebody else's is read, not run
        kept: dict[str, Any] = torch.load(path, weights_only=True)
        if (harm := damage(path)) is not None:
            raise DoesNotFit(f"{path} is damaged ({harm}); train it anew")
        plan, state = kept["plan"], kept["network"]
        blocks, filters, played = plan["blocks"], plan["filters"], plan["game"]
    except DoesNotFit:
        raise
    except Exception as error:  # torch.load of any file may raise anything
        raise DoesNotFit(
            f"{path} is no checkpoint of flopledger train alphazero; name another"
        ) from error
    if played != game.name:
        raise DoesNotFit(f"{path} was trained to play {played}, not {game.name}; give its --game")
    network, name = tower(game, blocks, filters, seed=0), f"alphazero-{blocks}x{filters}"
    try:
        network.load_state_dict(state)
    except (RuntimeError, AttributeError, TypeError) as error:  # other names, shapes, no dict
        raise DoesNotFit(f"{path}: its weights do not fit {name}; train it anew") from error
    return network, name


def _built(factory: Any, words: str, seed: int) -> nn.Module:
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network: nn.Module = factory()
            return network.eval()
    except Exception as error:  # the factory is anybody's code: it may raise anything
        if is_want_of_memory(error):
            raise DoesNotFit(f"{words} does not fit into memory; make it smaller") from error
        raise ProfilingError(f"{words} cannot be built: {first_line(error)}") from error


def _answer(network: nn.Module, planes: tuple[int, ...], name: str) -> Any:
    """What it gives for one empty position."""
    try:
        with torch.inference_mode():
            return network(torch.zeros(1, *planes))
    except Exception as error:  # as the factory
        if is_want_of_memory(error):
            raise DoesNotFit(f"{name}: a pass does not fit into memory; name another") from error
        raise ProfilingError(f"{name} cannot be run: {first_line(error)}") from error


def _fits(out: Any, moves: int) -> bool:
    return (
        isinstance(out, tuple) and len(out) == 2 and out[0].numel() == moves and out[1].numel() == 1
    )


def _by(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(" x ".join(map(str, shape)) for shape in shapes)
