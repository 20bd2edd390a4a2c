"""OmniHuman in the open: one picture and a driving signal become a video (after arXiv 2502.01061).

Importing is free: public names are resolved on first use, so `import omnihuman` loads neither torch nor gradio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omnihuman.config import VERSION as __version__
    from omnihuman.errors import OmniHumanError
    from omnihuman.pipeline.generate import OmniHumanPipeline
    from omnihuman.types import AnimationRequest, AnimationResult

__all__ = ["AnimationRequest", "AnimationResult", "OmniHumanError", "OmniHumanPipeline", "__version__"]

_HOMES = {
    "__version__": "omnihuman.config:VERSION",
    "AnimationRequest": "omnihuman.types",
    "AnimationResult": "omnihuman.types",
    "OmniHumanError": "omnihuman.errors",
    "OmniHumanPipeline": "omnihuman.pipeline.generate",
}


def __getattr__(name: str) -> Any:
    """Imports a public name from its home module on first access (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'omnihuman' has no attribute {name!r}")
    from importlib import import_module

    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute or name)


def __dir__() -> list[str]:
    return sorted(__all__)
