"""Linux only: the kernel itself forbids this process every file but one, and TCP (Landlock, kernel 5.13; TCP from 6.7).

The lists of containers and protocols keep FFmpeg from opening what a file names. This holds as well when a decoder has
been taken over. Where the kernel knows no Landlock nothing happens.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
"""System calls; the same numbers on every architecture."""
_VERSION_FLAG, _PATH_BENEATH, _NO_NEW_PRIVILEGES = 1, 1, 38
_READ_FILE, _READ_FOLDER, _EXECUTE = 1 << 2, 1 << 3, 1 << 0
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""Version -> number of rights on files that it knows; from 5 on sixteen."""
_TCP_BIND_CONNECT, _ABSTRACT_SOCKETS_SIGNALS = 0b11, 0b11


class _Rules(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def lock_down(path: Path) -> bool:
    """From now on this process reads `path` and the packages that it has loaded; False where that is not possible."""
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION_FLAG)
    if version < 1:
        return False
    rules = _Rules((1 << _FILE_RIGHTS.get(version, 16)) - 1)
    rules.network = _TCP_BIND_CONNECT if version >= 4 else 0
    rules.scopes = _ABSTRACT_SOCKETS_SIGNALS if version >= 6 else 0
    # Older kernels refuse a structure with fields that they do not know.
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = libc.syscall(_CREATE, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return False
    _allow(libc, ruleset, path, _READ_FILE)
    # Readers import another module of their own package, or one of Python, now and then.
    loaded = [module for name, module in list(sys.modules.items()) if "." not in name]
    packages = {folder for module in loaded for folder in getattr(module, "__path__", ())}
    for folder in {str(Path(os.__file__).parent), *packages}:
        _allow(libc, ruleset, Path(folder), _READ_FILE | _READ_FOLDER | _EXECUTE)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    locked = libc.syscall(_RESTRICT, ruleset, 0)
    os.close(ruleset)
    return bool(locked == 0)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    with suppress(OSError):
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not path.is_dir():
                rights &= _READ_FILE | _EXECUTE
            libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(_Beneath(rights, handle)), 0)
        finally:
            os.close(handle)
