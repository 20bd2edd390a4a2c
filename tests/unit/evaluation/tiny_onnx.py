"""A face network of the right shape in a few bytes, written by hand: the mean of each colour over the crop.

Protocol buffer fields of ONNX: ModelProto ir_version 1, graph 7, opset_import 8; GraphProto node 1, name 2, input 11,
output 12; NodeProto input 1, output 2, op_type 4; ValueInfoProto name 1, type 2.
"""


def _field(number, payload):
    if isinstance(payload, int):
        return _varint(number << 3) + _varint(payload)
    data = payload.encode() if isinstance(payload, str) else payload
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _value(name, shape):
    dims = b"".join(_field(1, _field(1, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, dims)))


def mean_colour_network(side_px=112):
    """`1 3 side side` -> `1 3`: GlobalAveragePool, then Flatten."""
    pool = _field(1, "face") + _field(2, "mean") + _field(4, "GlobalAveragePool")
    flat = _field(1, "mean") + _field(2, "vector") + _field(4, "Flatten")
    graph = _field(1, pool) + _field(1, flat) + _field(2, "tiny")
    graph += _field(11, _value("face", (1, 3, side_px, side_px))) + _field(12, _value("vector", (1, 3)))
    return _field(1, 8) + _field(8, _field(2, 13)) + _field(7, graph)
