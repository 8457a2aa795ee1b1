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
    # to the last one, that of the released weights
    "gpt2": (124_439_808, 0),  # openai-community/gpt2
    "mistral-7b": (7_241_732_096, 0),  # mistralai/Mistral-7B-v0.1
    "mixtral-8x7b": (46_702_792_704, 0),  # mistralai/Mixtral-8x7B-v0.1
    "qwen3-30b-a3b": (30_532_122_624, 0),  # Qwen/Qwen3-30B-A3B
    "gemma3-1b": (999_885_952, 0),  # google/gemma-3-1b-pt; keras-hub's presets print it
    "gpt-oss-20b": (20_914_757_184, 0),  # openai/gpt-oss-20b, 20.91B in its model card
    "mamba2-codestral-7b": (7_285_403_648, 0),  # Mistral AI, Codestral Mamba, 16 July 2024
    "falcon-h1-1.5b": (1_554_859_392, 0),  # tiiuae/Falcon-H1-1.5B-Base
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
