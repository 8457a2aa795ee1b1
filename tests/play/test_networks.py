"""Towers of the sizes that are asked for, and the games that they are for."""

import pytest
import torch
from flopledger.play.games import GAMES, find_game
from flopledger.play.networks import tower


@pytest.mark.parametrize(("blocks", "filters"), [(1, 5), (3, 7)])
def test_a_tower_by_hand(blocks, filters):
    game = find_game("connect_four")  # 3 planes of 6 x 7; 7 moves
    net = tower(game, blocks, filters, seed=0)
    kernels = [p.shape for p in net.parameters() if p.dim() == 4]
    assert kernels.count((filters, 3, 3, 3)) == 1
    assert kernels.count((filters, filters, 3, 3)) >= 2 * blocks
    policy, value = net(torch.zeros(2, 3, 6, 7))
    assert (policy.numel(), value.numel()) == (2 * 7, 2)
    assert not net.training


def test_a_tower_is_made_by_its_seed_and_leaves_the_generator_alone():
    game = find_game("tic_tac_toe")
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first, again, other = (tower(game, 1, 4, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    weights = [next(net.parameters()) for net in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize("name", GAMES)
def test_a_game_goes_by_its_name(name):
    sized = {"go": "go-19x19", "hex": "hex-11x11"}
    assert find_game(name).name == sized.get(name, name)
