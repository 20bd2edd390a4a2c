"""Sentence embeddings: pooling over words only, unit length, the same row whatever stands beside it."""

import numpy as np
import pytest
import torch
from transformers import BatchEncoding, BertConfig, BertModel, BertTokenizerFast

from omnihuman.conditions.sentence import TEXT_WIDTH, SentenceEncoder

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "she", "smiles", "and", "nods", "slowly"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny BERT in the files that transformers writes: the format of the real one."""
    folder = tmp_path_factory.mktemp("tiny-bert")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    size = {"hidden_size": TEXT_WIDTH, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(WORDS), **size)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def encoder(folder):
    return SentenceEncoder.from_files({path.name: path for path in folder.iterdir()})


def test_rows_are_of_unit_length_and_do_not_know_their_neighbours(encoder):
    sentences = ["she nods", "she smiles and nods slowly and smiles and nods", "smiles"]
    rows = encoder.embed(sentences)
    assert rows.shape == (3, TEXT_WIDTH) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
    for sentence, row in zip(sentences, rows, strict=True):
        np.testing.assert_allclose(encoder.embed([sentence])[0], row, atol=1e-5)
    assert np.abs(rows[0] - rows[2]).max() > 1e-3


def test_many_sentences_keep_their_order(encoder):
    sentences = [" ".join(WORDS[5 + i % 5] for i in range(n % 7 + 1)) for n in range(70)]
    rows = encoder.embed(sentences)
    np.testing.assert_allclose(rows[66], encoder.embed([sentences[66]])[0], atol=1e-5)


def test_a_very_long_text_is_cut_and_an_empty_list_is_empty(encoder):
    assert np.isfinite(encoder.embed(["smiles " * 5000])).all()
    assert encoder.embed([]).shape == (0, TEXT_WIDTH)


def test_padding_carries_no_weight():
    class Tokenizer:
        def __call__(self, texts, **options):
            mask = torch.tensor([[1, 1, 0], [1, 1, 1]])[: len(texts)]
            return BatchEncoding({"input_ids": mask, "attention_mask": mask})

    class Model(torch.nn.Module):
        device = torch.device("cpu")

        def forward(self, input_ids, attention_mask):
            hidden = torch.zeros(*input_ids.shape, TEXT_WIDTH)
            hidden[:, 0, 0], hidden[:, 1, 1], hidden[:, 2, 2] = 1.0, 1.0, 5.0
            return type("Output", (), {"last_hidden_state": hidden})

    rows = SentenceEncoder(Tokenizer(), Model()).embed(["a", "bb"])
    np.testing.assert_allclose(rows[0, :3], [2**-0.5, 2**-0.5, 0.0], atol=1e-6)
    assert rows[1, 2] > 0.9
