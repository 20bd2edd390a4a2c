"""How fast and how large: ratios measured in one run, so that they hold on a busy machine too."""
