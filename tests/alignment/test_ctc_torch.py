"""With real PyTorch, torchaudio and Transformers: the lattice, and a wav2vec 2.0 whose weights are random.

The expectations are theirs: torchaudio's forced alignment, and the answers of Transformers' own loading.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from wortlaut.alignment.ctc import CtcAligner
from wortlaut.alignment.ctc_path import align_tokens
from wortlaut.audio import SAMPLE_RATE, Audio
from wortlaut.errors import ModelCorrupt
from wortlaut.models.ctc import load_ctc_model
from wortlaut.transcript import Passage

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("default"),  # torch's and its neighbours' own
]

VOCABULARY = {token: column for column, token in enumerate(["<pad>", "<s>", "</s>", "<unk>", *"|ETAOINSHRDLU'"])}
SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "vocab_size": len(VOCABULARY),
    "pad_token_id": 0,
}


@pytest.mark.parametrize("seed", range(25))
def test_the_lattice_is_torchaudios(seed):
    import torch
    import torchaudio

    random = np.random.default_rng(seed)
    count, columns = int(random.integers(1, 120)), int(random.integers(3, 40))
    tokens = random.integers(1, columns, count)
    frames = 2 * count + int(random.integers(0, 900))
    log_probs = torch.log_softmax(torch.tensor(random.normal(0, 3, (1, frames, columns)), dtype=torch.float32), dim=2)
    labels, scores = torchaudio.functional.forced_align(log_probs, torch.tensor(tokens)[None], blank=0)
    theirs = torchaudio.functional.merge_tokens(labels[0], scores[0])
    ours = align_tokens(log_probs[0].numpy(), tokens, 0)
    assert [(span.first, span.stop) for span in ours] == [(span.start, span.end) for span in theirs]
    assert [span.log_prob for span in ours] == pytest.approx([span.score for span in theirs], abs=1e-4)


@pytest.fixture(params=["base", "large"])
def saved(request, tmp_path):
    """Save a network in the layout of wav2vec2-base (norm of the first convolution) or of wav2vec2-large-xlsr."""
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    torch.manual_seed(0)
    is_large = request.param == "large"
    variant = {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True} if is_large else {}
    network = Wav2Vec2ForCTC(Wav2Vec2Config(**SMALL, **variant)).eval()
    network.save_pretrained(tmp_path, safe_serialization=True)
    (tmp_path / "vocab.json").write_text(json.dumps(VOCABULARY))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"do_normalize": False}))
    return tmp_path, network


def expected(network, samples):
    import torch

    with torch.inference_mode():
        return torch.log_softmax(network(torch.from_numpy(samples)[None]).logits, dim=2)[0].numpy()


def test_safetensors_are_loaded_as_transformers_loads_them(saved, rng):
    folder, network = saved
    samples = rng.normal(0, 0.1, 2 * SAMPLE_RATE).astype(np.float32)
    assert load_ctc_model(folder, device="cpu").log_probs(samples) == pytest.approx(
        expected(network, samples), abs=1e-4
    )


@pytest.mark.parametrize("names", ["new", "old"])
def test_checkpoints_are_loaded_without_unpickling(saved, rng, monkeypatch, names):
    """`old`: as before torch 2.1, which most checkpoints on the hub are."""
    import torch

    folder, network = saved
    (folder / "model.safetensors").unlink()
    state = network.state_dict()
    if names == "old":
        old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
        for name in list(state):
            for new, other in old.items():
                if name.endswith(new):
                    state[name.removesuffix(new) + other] = state.pop(name)
        assert any(name.endswith("weight_g") for name in state)
    torch.save(state, folder / "pytorch_model.bin")

    def refuse(*_, **__):
        raise AssertionError("torch.load was called")

    monkeypatch.setattr(torch, "load", refuse)
    samples = rng.normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    found = load_ctc_model(folder, device="cpu").log_probs(samples)
    assert found == pytest.approx(expected(network, samples), abs=1e-4)


def test_a_checkpoint_that_lacks_weights_is_refused(saved):
    import torch

    folder, network = saved
    (folder / "model.safetensors").unlink()
    torch.save({"lm_head.bias": network.state_dict()["lm_head.bias"]}, folder / "pytorch_model.bin")
    with pytest.raises(ModelCorrupt, match="lacks"):
        load_ctc_model(folder, device="cpu")


def test_a_real_network_aligns(saved, rng):
    folder, _ = saved
    network = load_ctc_model(folder, device="cpu")
    audio = Audio.from_array(rng.normal(0, 0.1, 40 * SAMPLE_RATE).astype(np.float32))
    [words] = CtcAligner(lambda _: network).align(audio, [Passage(1.0, 39.0, "The 3 tired sailors heard Zoë.", "en")])
    assert "".join(word.text for word in words) == "The 3 tired sailors heard Zoë."
    assert {word.source for word in words} == {"aligned"}
