"""The form that Neutone's SDK asks for; imported only where that is installed."""

from typing import Dict, List  # noqa: UP035  TorchScript, as the SDK writes it

import torch
from neutone_sdk import (  # type: ignore[import-not-found]
    ContinuousNeutoneParameter,
    NeutoneParameter,
    WaveformToWaveformBase,
)
from torch import Tensor, nn

BUFFERS = (256, 512, 1024, 2048, 4096, 8192)


class NeutoneInstrument(WaveformToWaveformBase):
    """Knobs of :mod:`vqsynth.export.plugin.knobs` for Neutone.

    Args:
        stream: the instrument under its knobs.
        parameters: name, description and first value of each knob.
        words: texts of the metadata.
        sample_rate: that the instrument works at, Hz.
    """

    def __init__(
        self,
        stream: nn.Module,
        parameters: list[tuple[str, str, float]],
        words: dict[str, str],
        sample_rate: int,
    ) -> None:
        # The SDK asks for all of it while it is made, before a module may have attributes.
        self.__dict__.update(parameters=parameters, words=words)
        hop = int(stream.hop_length)  # type: ignore[arg-type]
        self.__dict__.update(
            native_rates=[sample_rate],
            native_buffers=[size for size in BUFFERS if size % hop == 0],
            hop=hop,
            delay=int(stream.latency),  # type: ignore[arg-type]
            described=words["description"],
            long_words=words["long"],
            technical_words=words["technical"],
            shown=words["name"],
            tags=[words["kind"], "vqsynth"],
            version=words["version"],
        )
        super().__init__(stream)

    def get_model_name(self) -> str:
        return self.shown

    def get_model_authors(self) -> List[str]:  # noqa: UP006
        return ["vqsynth"]

    def get_model_short_description(self) -> str:
        return self.described

    def get_model_long_description(self) -> str:
        return self.long_words

    def get_technical_description(self) -> str:
        return self.technical_words

    def get_tags(self) -> List[str]:  # noqa: UP006
        return self.tags

    def get_model_version(self) -> str:
        return self.version

    def is_experimental(self) -> bool:
        return False

    def get_neutone_parameters(self) -> List[NeutoneParameter]:  # noqa: UP006
        return [ContinuousNeutoneParameter(name, about, value) for name, about, value in self.parameters]

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return True

    @torch.jit.export
    def is_output_mono(self) -> bool:
        return True

    @torch.jit.export
    def get_native_sample_rates(self) -> List[int]:  # noqa: UP006
        return self.native_rates

    @torch.jit.export
    def get_native_buffer_sizes(self) -> List[int]:  # noqa: UP006
        return self.native_buffers

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        return self.delay

    def set_model_sample_rate_and_buffer_size(self, sample_rate: int, n_samples: int) -> bool:
        return True

    def reset_model(self) -> bool:
        self.model.reset(1)
        return True

    def aggregate_params(self, params: Tensor) -> Tensor:
        """A column for each hop, so that the size of a host's buffer does not matter. Shape: [4, n] -> [4, hops]."""
        return params.reshape(params.shape[0], -1, self.hop).mean(2)

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:  # noqa: UP006
        rows = [params[name] for name in self.neutone_parameter_names]
        # Where there are fewer than four axes the rest is not heard.
        while len(rows) < 4:
            rows.append(rows[0])
        return self.model(x, torch.stack(rows))
