"""Models as single files for other hosts: TorchScript for nn~, ONNX for plug-ins and browsers.

What is exported is an *instrument*: a scriptable streaming module, whole hops in, whole hops out, with several methods.
Every method takes and gives ``[batch, channels, frames]``, float32; ``METHOD_params`` holds [in channels, in ratio, out
channels, out ratio], a frame being so many samples. All of it works in eager mode too.

    from vqsynth.export.wavae import WavaeInstrument
    from vqsynth import wavae

    strings = wavae.load("strings")
    instrument = WavaeInstrument(strings.model, strings.pca)    # forward, encode, decode

Every number of frames that makes whole hops will do, and every division gives the same sound. ``reset(batch)`` begins
new streams; another batch size than before does so by itself. Values that are no numbers count as 0, and the output
stays within -1 and 1. Attributes are set by ``set_NAME(...)``, which returns 0, or -1 for a value it refuses, and read
by ``get_NAME()``, which gives a tuple.
"""
