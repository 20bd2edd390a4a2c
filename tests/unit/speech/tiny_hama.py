"""Writes containers of named tensors with random weights, as small as the network allows."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

CODES = {"float32": 0, "float16": 1, "int64": 2, "int32": 3, "uint8": 4}


def pack(tensors: dict[str, np.ndarray]) -> bytes:
    table, body = b"", b""
    for name, value in tensors.items():
        body += b"\0" * (-len(body) % 16)
        raw = name.encode()
        table += struct.pack("<H", len(raw)) + raw
        table += struct.pack(
            f"<BB{value.ndim}IQQ", CODES[value.dtype.name], value.ndim, *value.shape, len(body), value.nbytes
        )
        body += value.tobytes()
    head = b"HAMAPK" + struct.pack("<BBI", 1, 2, len(tensors)) + table
    return head + b"\0" * (-len(head) % 16) + body


def tiny_tensors(symbols: int = 191, width: int = 8, blocks: int = 2, mels: int = 6) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    hidden, kernel, window = 2 * width, 5, 400

    def weight(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) / np.sqrt(max(1, np.prod(shape[:-1])))).astype(np.float16)

    angle = 2 * np.pi * np.arange(window // 2 + 1)[:, None] * np.arange(window) / window
    tensors = {
        "mel_fb": rng.random((window // 2 + 1, mels)).astype(np.float32),
        "stft_real_kernel": (np.cos(angle) * np.hanning(window))[:, None].astype(np.float32),
        "stft_imag_kernel": (np.sin(angle) * np.hanning(window))[:, None].astype(np.float32),
        "onnx::Conv_10": weight(width, mels, 3),
        "onnx::Conv_11": weight(width),
        "acoustic_model.model.proj.weight": weight(symbols, width, 1),
        "acoustic_model.model.proj.bias": weight(symbols),
    }
    number = 99
    for block in range(blocks):
        tensors[f"onnx::Conv_{12 + 2 * block}"] = weight(width, 1, kernel)
        tensors[f"onnx::Conv_{13 + 2 * block}"] = weight(width)
        for shape in ((width, hidden), (hidden, width), (width, 3 * width), (width, width)) + (
            (width, hidden),
            (hidden, width),
        ):
            tensors[f"onnx::MatMul_{number}"] = weight(*shape)
            number += 1
        prefix = f"acoustic_model.model.blocks.{block}."
        for norm in ("ffn1.norm", "attn_norm", "conv.norm", "ffn2.norm", "norm"):
            tensors[f"{prefix}{norm}.weight"] = weight(width)
            tensors[f"{prefix}{norm}.bias"] = weight(width)
        for name, size in (("ffn1.fc1", hidden), ("ffn1.fc2", width), ("ffn2.fc1", hidden), ("ffn2.fc2", width)):
            tensors[f"{prefix}{name}.bias"] = weight(size)
        tensors[f"{prefix}attn.in_proj_bias"] = weight(3 * width)
        tensors[f"{prefix}attn.out_proj.bias"] = weight(width)
        for name, size in (("pointwise1", 2 * width), ("pointwise2", width)):
            tensors[f"{prefix}conv.{name}.weight"] = weight(size, width, 1)
            tensors[f"{prefix}conv.{name}.bias"] = weight(size)
    return tensors


def write_tiny(folder: Path, **sizes: int) -> Path:
    path = folder / "asr_waveform.hama"
    path.write_bytes(pack(tiny_tensors(**sizes)))
    return path
