"""Files <-> arrays: pictures, sound, video. Nothing learned."""
