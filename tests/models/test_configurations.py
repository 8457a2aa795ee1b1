"""facts/configs: each transformers configuration has the parameters that its paper prints."""

from pathlib import Path

import pytest
from flopledger.counting.subject import built
from flopledger.zoo.sources import find

CONFIGS = Path(__file__).parent.parent.parent / "facts" / "configs"
# parameters, and what is printed or released, to how many digits
PRINTED = {
    "gpt3-175b": (174_600e6, 0.5e8),  # Brown et al. 2020, table D.1
    "palm-540b": (540.35e9, 1e7),  # Chowdhery et al. 2022, appendix B
    "llama3-8b": (8_030_261_248, 0),  # meta-llama/Meta-Llama-3-8B, its weights
    "llama3-405b": (405_853_388_800, 0),  # meta-llama/Llama-3.1-405B, its weights
    "deepseek-v3": (671e9, 0.5e9),  # deepseek-ai/DeepSeek-V3, README.md, without its MTP module
    "bert-large": (340e6, 5e6),  # Devlin et al. 2019, section 3
    "t5-11b": (11e9, 0.5e9),  # Raffel et al. 2020, section 3.7
    # Hoffmann et al. 2022, table 4: 70e9; each of the 80 layers of 8,192 has a projection of
    # relative positions, which GPT-2's class does not have
    "chinchilla-70b": (70e9 - 80 * 8192**2, 0.5e9),
}


def test_every_configuration_is_held_to_a_printed_figure():
    assert {path.stem for path in CONFIGS.glob("*.json")} == set(PRINTED)


@pytest.mark.parametrize("name", PRINTED)
def test_parameters_as_printed(name):
    pytest.importorskip("torch")
    named = find(f"hf:{CONFIGS / name}.json", {})
    module = built(named.name, named.factory)
    printed, rounding = PRINTED[name]
    assert abs(sum(p.numel() for p in module.parameters()) - printed) <= rounding
