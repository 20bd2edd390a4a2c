"""Speech in and out: built-in voice, phonetic front end, silence gate."""
