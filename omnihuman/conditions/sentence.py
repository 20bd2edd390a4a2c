"""Sentences -> embeddings by MiniLM (all-MiniLM-L6-v2, of the registry). Knows nothing of time or motion.

Mean of the last hidden states over the words, then unit length: as the sentence-transformers package does with this
model. Legend: N sentences, E = 384.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from omnihuman.types import Float

TEXT_WIDTH = 384
"""E of all-MiniLM-L6-v2."""
_LONGEST_TOKENS = 256
"""The length the model was trained for; what lies beyond is not read."""
_BATCH = 32


class SentenceEncoder:
    """Sentence embeddings.

    Args:
        tokenizer: Of transformers: texts -> padded token ids and mask.
        model: Of transformers: ids and mask -> last hidden state `N L E`.
    """

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self._tokenizer = tokenizer
        self._model = model.eval()

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> SentenceEncoder:
        """The encoder of verified files in one folder, as transformers names them.

        Raises:
            OSError: or ValueError: the files do not belong together; the hub makes a coded error of it.
        """
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        folder = os.path.commonpath([path.parent for name, path in files.items() if name.startswith(_FILES)])
        options = {"local_files_only": True, "trust_remote_code": False}
        model = AutoModel.from_pretrained(folder, use_safetensors=True, **options)
        return cls(AutoTokenizer.from_pretrained(folder, **options), model.to(device))

    def embed(self, sentences: Sequence[str]) -> Float:
        """Embeddings `N E`, float32 of unit length; the same sentence gives the same row whatever is beside it."""
        import torch

        rows = np.zeros((len(sentences), TEXT_WIDTH), np.float32)
        # Sentences of like length together: little padding.
        order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            tokens = self._tokenizer(
                [sentences[i] for i in chosen],
                padding=True,
                truncation=True,
                max_length=_LONGEST_TOKENS,
                return_tensors="pt",
            ).to(self._model.device)
            with torch.inference_mode():
                hidden = self._model(**tokens).last_hidden_state.float()
            words = tokens["attention_mask"][..., None].to(hidden.dtype)
            mean = (hidden * words).sum(1) / words.sum(1).clamp(min=1e-9)
            rows[chosen] = torch.nn.functional.normalize(mean, dim=-1).cpu().numpy()
        return rows


_FILES = ("config.json", "model.safetensors", "tokenizer")
