"""The continuous path: how well it sounds, bends and keeps up, beside a melGAN and a RAVE of the published sizes."""
