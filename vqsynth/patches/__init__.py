"""Patches for Pure Data, Max and SuperCollider that play exported models through nn~.

A patch is drawn once, in the vocabulary of Pure Data (:mod:`~vqsynth.patches.drawing`), from what the model's card
says of its methods, units and ranges; :mod:`~vqsynth.patches.pd` and :mod:`~vqsynth.patches.maxmsp` write it down for
a host.

    from vqsynth.patches.write import write_patches

    write_patches(["violin", "strings"], "patches")
"""
