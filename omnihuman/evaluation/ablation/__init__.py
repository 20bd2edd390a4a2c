"""Ablation: named variants of one training configuration, several seeds each, judged on speech never trained on."""
