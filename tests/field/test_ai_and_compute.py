"""Published systems by the table that has them."""

import pytest
from flopledger.field.ai_and_compute import UnknownSystem, find_system, list_systems, read_systems


def test_a_systems_figures_by_table():
    # AI and Compute, appendix: 0.0058 pfs-days; Epoch AI: 4.7e17; a pfs-day is 1e15 x 86,400
    assert find_system("AlexNet", "AI and Compute") == pytest.approx(0.0058 * 1e15 * 86_400)
    assert find_system("AlexNet", "Epoch 2025") == 4.7e17
    # Epoch AI's revision of 2026 counts gradient steps only
    assert find_system("AlphaGo Zero", "Epoch 2025") == pytest.approx(3.41e23)
    assert find_system("AlphaGo Zero", "Epoch 2026") == pytest.approx(6.494e20, rel=1e-3)


def test_a_family_is_left_out():
    every = dict(list_systems("AI and Compute"))
    rest = dict(list_systems("AI and Compute", without="alphago"))
    assert {name for name in every if name not in rest} == {
        system.name
        for system in read_systems()
        if system.family == "alphago" and "AI and Compute" in system.flop_by
    }
    assert rest
    assert len(rest) < len(every)


def test_the_charts_figure_holds_data_generation():
    systems = {system.name: system for system in read_systems()}
    assert systems["AlphaGo Zero"].flops == pytest.approx(3.41e23)
    assert systems["DQN"].flops == 2.3e15  # Epoch AI in 2025; 2.85e15 in 2026


@pytest.mark.parametrize(
    ("name", "table", "complaint"),
    [
        ("HAL", "Epoch 2025", "Epoch 2025 has no figure of 'HAL'"),
        ("ZF", "Epoch 2026", "Epoch 2026 has no figure of 'ZF'"),
        ("AlexNet", "Epoch 1999", "no table is called 'Epoch 1999'"),
    ],
)
def test_what_a_table_has_not_is_said(name, table, complaint):
    with pytest.raises(UnknownSystem, match=complaint):
        find_system(name, table)
