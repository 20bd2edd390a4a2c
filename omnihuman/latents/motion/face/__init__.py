"""The pictured face: its mesh and shapes, eyes, lids and mouth. Moves vertices and paints; knows no driver."""
