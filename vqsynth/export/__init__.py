"""Models as single files for other hosts: TorchScript for nn~, ONNX for plug-ins and browsers.

What is exported is an *instrument*: a scriptable streaming module, whole hops in, whole hops out, with several methods.
Every method takes and gives ``[batch, channels, frames]``, float32; ``METHOD_params`` holds [in channels, in ratio, out
channels, out ratio], a frame being so many samples. All of it works in eager mode too.

    from vqsynth.export.wavae import wavae_instrument
    from vqsynth import wavae

    strings = wavae.load("strings")
    instrument = wavae_instrument(strings.model, strings.pca)    # forward, encode, decode

    from vqsynth.export.models import find, instrument_of

    instrument, card = instrument_of(find("violin"))    # control, forward, fast, encode, codes
    sound = instrument.control(frames)                  # [1, 5, n]: centroid, bandwidth, pitch, gain, velocity

Every number of frames that makes whole hops will do, and every division gives the same sound. ``reset(batch)`` begins
new streams; another batch size than before does so by itself. Values that are no numbers count as 0, and the output
stays within -1 and 1. Attributes are set by ``set_NAME(...)``, which returns 0, or -1 for a value it refuses, and read
by ``get_NAME()``, which gives a tuple.
"""
