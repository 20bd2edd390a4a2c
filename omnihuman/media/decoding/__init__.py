"""The decoders of untrusted files. Run in a child process (`python -m omnihuman.media.decoding`), which imports them.

Nobody else imports them at run time: `image`, `audio` and `footage` ask the child through `sandbox`. Tests may.
"""
