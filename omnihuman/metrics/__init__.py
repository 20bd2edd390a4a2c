"""Pure measures: arrays -> number, unit and direction."""
