"""A language model's passes with a cache as a reader would work them out, from its configuration.

MACs of a prompt of t tokens, and of a step before which n are cached, of one sequence; elements
that its cache holds of n tokens; and what masks leave of a prompt's. Attention is a square: every
query meets every key that is there.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """One sequence's figures: a prompt's MACs, those needed, a step's, and cached elements."""

    prompt: object
    needed: object
    step: object
    cached: object


def windows(c):
    """Of each layer the window W, or None: a query meets itself and W - 1 tokens before it."""
    layers = c.get("num_hidden_layers") or c["n_layer"]
    w = c.get("sliding_window")
    if c["model_type"] == "gemma3_text":  # Gemma 3: five windowed layers, then one that is not
        return [None if (i + 1) % c["sliding_window_pattern"] == 0 else w for i in range(layers)]
    if c["model_type"] == "gpt_oss":  # every other layer, the first windowed
        return [None if i % 2 else w for i in range(layers)]
    return [w] * layers


def _perceptron(c, layer):
    """MACs a token of a gated perceptron, or of the experts that it is sent to and the router."""
    h = c["hidden_size"]
    wide, experts = c["intermediate_size"], c.get("num_local_experts") or c.get("num_experts")
    if c["model_type"] == "deepseek_v3":
        if layer < c["first_k_dense_replace"]:
            return 3 * h * wide
        wide, experts = c["moe_intermediate_size"], c["n_routed_experts"]
        shared = c["n_shared_experts"]
        return 3 * h * wide * (c["num_experts_per_tok"] + shared) + h * experts
    if experts:
        wide = c.get("moe_intermediate_size", wide)
        return 3 * h * wide * c["num_experts_per_tok"] + h * experts
    return 3 * h * wide


def grouped(c):
    """Llama and its kin: grouped heads, windows in some layers, experts in some models."""
    h, heads, groups = c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"]
    d, vocabulary = c.get("head_dim") or h // heads, c["vocab_size"]
    projections = 2 * h * heads * d + 2 * h * groups * d
    token = sum(projections + _perceptron(c, i) for i in range(len(windows(c))))

    def attended(n, window):
        return min(n + 1, window or n + 1)

    def left(t, window):
        return sum(min(i, window or t) for i in range(1, t + 1))

    pair = 2 * heads * d  # its score, and its value
    return ByHand(
        prompt=lambda t: t * (token + h * vocabulary) + len(windows(c)) * pair * t * t,
        needed=lambda t: t * (token + h * vocabulary) + pair * sum(left(t, w) for w in windows(c)),
        step=lambda n: token + h * vocabulary + pair * sum(attended(n, w) for w in windows(c)),
        cached=lambda n: sum(2 * groups * d * min(n, w - 1 if w else n) for w in windows(c)),
    )


def gpt2(c):
    """Radford et al. 2019: one matrix to queries, keys and values; a perceptron four times wide."""
    h, layers, vocabulary = c["n_embd"], c["n_layer"], c["vocab_size"]
    token = layers * (3 * h * h + h * h + 2 * 4 * h * h) + h * vocabulary
    pair = 2 * h
    return ByHand(
        prompt=lambda t: t * token + layers * pair * t * t,
        needed=lambda t: t * token + layers * pair * t * (t + 1) // 2,
        step=lambda n: token + layers * pair * (n + 1),
        cached=lambda n: layers * 2 * h * n,
    )


def latent(c):
    """DeepSeek-V3, arXiv 2412.19437, section 2.1.1: all cached latents expanded at every pass."""
    h, heads, layers = c["hidden_size"], c["num_attention_heads"], c["num_hidden_layers"]
    rank, rope = c["kv_lora_rank"], c["qk_rope_head_dim"]
    key, value = c["qk_nope_head_dim"], c["v_head_dim"]
    query = h * c["q_lora_rank"] + c["q_lora_rank"] * heads * (key + rope)
    own = query + h * (rank + rope) + heads * value * h
    token = sum(own + _perceptron(c, i) for i in range(layers)) + h * c["vocab_size"]
    expanded = rank * heads * (key + value)
    pair = heads * (key + rope + value)
    return ByHand(
        prompt=lambda t: t * (token + layers * expanded) + layers * pair * t * t,
        needed=lambda t: t * (token + layers * expanded) + layers * pair * t * (t + 1) // 2,
        step=lambda n: token + layers * (n + 1) * (expanded + pair),
        cached=lambda n: layers * n * (rank + rope),
    )


def absorbed_step(c, n):
    """The same step by latents: DeepSeek-V2, arXiv 2405.04434, section 2.1.2."""
    heads, layers, rank = c["num_attention_heads"], c["num_hidden_layers"], c["kv_lora_rank"]
    key, value, rope = c["qk_nope_head_dim"], c["v_head_dim"], c["qk_rope_head_dim"]
    as_run = rank * heads * (key + value) + heads * (key + rope + value)
    # the query into the latents' space, out of it what attention gives; a pair by latents
    absorbed = heads * key * rank + heads * rank * value + (n + 1) * heads * (rank + rope + rank)
    return latent(c).step(n) - layers * (n + 1) * as_run + layers * absorbed


def state_space(c, h, heads, d, state, groups, kernel, chunk):
    """Dao and Gu 2024, arXiv 2405.21060, section 6: chunk by chunk, as transformers writes it.

    Returns:
        MACs of one layer's prompt, by its tokens, and of its step; elements of its state.
    """
    inner, mixed = heads * d, heads * d + 2 * groups * state
    ends = h * (inner + mixed + heads) + inner * h

    def prompt(t):
        chunks = -(-t // chunk)
        padded = chunks * chunk
        convolved = mixed * kernel * (t + kernel - 1)
        within = padded * chunk * heads * (state + d)
        to_states_and_back = 2 * padded * heads * d * state
        between = (chunks + 1) ** 2 * heads * d * state
        return t * ends + convolved + within + to_states_and_back + between

    # the state of the convolution holds as many as its kernel, so that it gives two, one for show
    step = ends + mixed * kernel * 2 + heads * d * state
    return prompt, step, heads * d * state + mixed * kernel


def mamba2(c):
    """Nothing but layers of state spaces, and a head."""
    h, layers = c["hidden_size"], c["num_hidden_layers"]
    sizes = c["num_heads"], c["head_dim"], c["state_size"], c["n_groups"], c["conv_kernel"]
    prompt, step, held = state_space(c, h, *sizes, c["chunk_size"])
    head = h * c["vocab_size"]
    return ByHand(
        prompt=lambda t: layers * prompt(t) + t * head,
        needed=lambda t: layers * prompt(t) + t * head,
        step=lambda n: layers * step + head,
        cached=lambda n: layers * held,
    )


def falcon_h1(c):
    """Attention and state spaces side by side in every layer, then a perceptron."""
    plain, layers = grouped(c), c["num_hidden_layers"]
    sizes = (
        c["mamba_n_heads"], c["mamba_d_head"], c["mamba_d_state"], c["mamba_n_groups"],
        c["mamba_d_conv"],
    )  # fmt: skip
    prompt, step, held = state_space(c, c["hidden_size"], *sizes, c["mamba_chunk_size"])
    return ByHand(
        prompt=lambda t: plain.prompt(t) + layers * prompt(t),
        needed=lambda t: plain.needed(t) + layers * prompt(t),
        step=lambda n: plain.step(n) + layers * step,
        cached=lambda n: plain.cached(n) + layers * held,
    )


OF = {"gpt2": gpt2, "deepseek_v3": latent, "mamba2": mamba2, "falcon_h1": falcon_h1}


def by_hand(config):
    """The figures of the model of that configuration."""
    return OF.get(config["model_type"], grouped)(config)
