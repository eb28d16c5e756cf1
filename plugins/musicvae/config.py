"""Options of the musicvae plugin. A field's docstring is its help text on the command line.

Symbols follow Roberts et al., "A Hierarchical Latent Vector Model for Learning Long-Term Structure
in Music" (ICML 2018): T steps, U bars, z the latent code, beta and tau the weights of the KL term.
"""

from dataclasses import dataclass, field
from enum import Enum

from labcore.training.config import LoopConfig
from labcore.training.recipes import ScheduleConfig, ScheduleName

__all__ = [
    "DATASETS",
    "STEPS_PER_BAR",
    "DataConfig",
    "DecoderKind",
    "GenerateConfig",
    "LossConfig",
    "ModelConfig",
    "MusicVAEConfig",
    "OptimizerConfig",
]

STEPS_PER_BAR = 16
"""Sixteenth notes in a bar of 4/4 (paper, section 4.1)."""

DATASETS = ("folk", "fiddle", "folder")


class DecoderKind(Enum):
    """How a code is turned into a melody."""

    flat = "flat"
    hierarchical = "hierarchical"


@dataclass(kw_only=True, slots=True)
class DataConfig:
    """Which melodies, and how they are cut into training windows."""

    dataset: str = "folk"
    """Melodies to learn from: folk, fiddle, or folder (your own MIDI, see data.folder)."""
    folder: str = ""
    """Folder of MIDI files, searched to any depth; used by data.dataset=folder."""
    rebar: bool = False
    """Also take 2/4 and 4/2 pieces, re-barred as 4/4 (twice the folk data; the paper does not)."""
    stride_bars: int = 1
    """Bars between the starts of two windows of a piece."""
    max_empty_bars: int = 1
    """Most consecutive bars of rest that a window may contain."""
    transpose: int = 0
    """Transpose training windows at random by up to this many semitones, either way."""
    validation_fraction: float = 0.05
    """Share of the pieces held out for validation."""
    test_fraction: float = 0.05
    """Share of the pieces held out for the final test."""
    max_rejected: float = 0.5
    """Fail when a larger share of the files than this cannot be read (0 to 1)."""
    max_files: int = 0
    """Read only so many files, drawn at random; 0 reads them all."""
    workers: int = 0
    """Processes that convert MIDI; 0 uses every core."""

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise ValueError(f"data.dataset is {self.dataset!r}; use one of {', '.join(DATASETS)}")
        if self.dataset == "folder" and not self.folder:
            raise ValueError("data.dataset=folder needs the folder: add data.folder=/path/to/midi")
        if self.stride_bars < 1:
            raise ValueError(f"data.stride_bars is {self.stride_bars}; it must be at least 1")
        if not 0 <= self.transpose <= 12:
            raise ValueError(f"data.transpose is {self.transpose}; use 0 to 12 semitones")
        held_out = self.validation_fraction + self.test_fraction
        if min(self.validation_fraction, self.test_fraction) <= 0 or held_out >= 1:
            raise ValueError(
                "data.validation_fraction and data.test_fraction must be above 0 and sum to "
                f"less than 1; they are {self.validation_fraction} and {self.test_fraction}"
            )


@dataclass(kw_only=True, slots=True)
class ModelConfig:
    """Sizes of the networks. The defaults are the paper's (section 4.2)."""

    decoder: DecoderKind = DecoderKind.flat
    """flat (one LSTM over all steps) or hierarchical (a conductor over bars)."""
    latent_size: int = 512
    """Dimensions of the code z."""
    encoder_size: int = 2048
    """Units per direction and layer of the bidirectional encoder."""
    encoder_layers: int = 2
    """Layers of the encoder."""
    decoder_size: int = 2048
    """Units per layer of the flat decoder."""
    decoder_layers: int = 3
    """Layers of the flat decoder."""
    conductor_size: int = 1024
    """Units per layer of the conductor; hierarchical only."""
    conductor_layers: int = 2
    """Layers of the conductor; hierarchical only."""
    conductor_output: int = 512
    """Dimensions of a bar's embedding c_u; hierarchical only."""
    bar_decoder_size: int = 1024
    """Units per layer of the bar decoder; hierarchical only."""
    bar_decoder_layers: int = 2
    """Layers of the bar decoder; hierarchical only."""
    dropout: float = 0.0
    """Share of the features dropped in training where an LSTM hands them on: from the encoder to
    the code, and from the decoder to the tokens (the paper drops none)."""

    def __post_init__(self) -> None:
        for name in (
            "latent_size",
            "encoder_size",
            "encoder_layers",
            "decoder_size",
            "decoder_layers",
            "conductor_size",
            "conductor_layers",
            "conductor_output",
            "bar_decoder_size",
            "bar_decoder_layers",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"model.{name} is {getattr(self, name)}; it must be at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"model.dropout is {self.dropout}; use 0 to just below 1")


@dataclass(kw_only=True, slots=True)
class LossConfig:
    """The objective: E[log p(x|z)] - beta * max(KL(q||p) - tau, 0)  (paper, section 2.1.1)."""

    beta: float = 0.2
    """Weight of the KL term once annealed."""
    beta_rate: float = 0.99999
    """Annealing: beta(step) = beta * (1 - beta_rate^step); 0 gives the full beta from the start."""
    free_bits: float = 48.0
    """tau: bits of KL per sequence, summed over the dimensions of z, that cost nothing."""
    scheduled_sampling: bool = True
    """Feed the decoder its own samples with a growing probability (the paper's 2-bar models)."""
    sampling_k: float = 2000.0
    """k of the inverse sigmoid: P(own sample) = 1 - k / (k + exp(step / k))."""
    sampling_max: float = 1.0
    """Highest probability of feeding an own sample."""

    def __post_init__(self) -> None:
        if self.beta < 0 or self.free_bits < 0:
            raise ValueError("loss.beta and loss.free_bits must not be negative")
        if not 0 <= self.beta_rate < 1:
            raise ValueError(f"loss.beta_rate is {self.beta_rate}; use 0 to just below 1")
        if self.sampling_k < 1:
            raise ValueError(f"loss.sampling_k is {self.sampling_k}; it must be at least 1")
        if not 0 <= self.sampling_max <= 1:
            raise ValueError(f"loss.sampling_max is {self.sampling_max}; use 0 to 1")


@dataclass(kw_only=True, slots=True)
class OptimizerConfig:
    """Adam with the paper's learning-rate schedule (section 4.2)."""

    lr: float = 1e-3
    """Learning rate at the first step."""
    lr_min: float = 1e-5
    """Learning rate that the decay approaches."""
    lr_decay: float = 0.9999
    """Decay per step: lr(step) = (lr - lr_min) * lr_decay^step + lr_min."""
    betas: list[float] = field(default_factory=lambda: [0.9, 0.999])
    """Adam's decay rates of the two moments."""

    @property
    def schedule(self) -> ScheduleConfig:
        """The learning rate of each step, as a share of the first one."""
        return ScheduleConfig(
            name=ScheduleName.exponential, gamma=self.lr_decay, end=self.lr_min / self.lr
        )

    def __post_init__(self) -> None:
        if not 0 < self.lr_min <= self.lr:
            raise ValueError("optimizer.lr_min must be above 0 and at most optimizer.lr")
        if not 0 < self.lr_decay <= 1:
            raise ValueError(f"optimizer.lr_decay is {self.lr_decay}; use above 0 to 1")
        if len(self.betas) != 2:
            raise ValueError("optimizer.betas takes two numbers, such as [0.9,0.999]")


@dataclass(kw_only=True, slots=True)
class GenerateConfig:
    """What the tasks sample, reconstruct and interpolate make."""

    count: int = 8
    """Melodies to sample, or windows to show of each file or of the held-out pieces at most, one of
    each piece (0: all windows)."""
    temperature: float = 0.5
    """Softmax temperature; 0 takes the most probable token."""
    midi: str = ""
    """MIDI file (or folder) to reconstruct; held-out pieces when empty."""
    start: str = ""
    """MIDI file at the start of an interpolation; a held-out piece when empty."""
    start_window: int = 1
    """Which window of generate.start, of those with a note."""
    end: str = ""
    """MIDI file at the end of an interpolation; a held-out piece when empty."""
    end_window: int = 1
    """Which window of generate.end, of those with a note."""
    points: int = 7
    """Melodies along an interpolation, ends included."""
    tempo_bpm: float = 120.0
    """Beats per minute of the MIDI that is written."""

    def __post_init__(self) -> None:
        if self.count < 0 or self.points < 2:
            raise ValueError("generate.count must be 0 or more, generate.points 2 or more")
        if min(self.start_window, self.end_window) < 1:
            raise ValueError("generate.start_window and generate.end_window count from 1")
        if self.temperature < 0:
            raise ValueError("generate.temperature must not be negative")
        if not 10 <= self.tempo_bpm <= 400:
            raise ValueError(f"generate.tempo_bpm is {self.tempo_bpm}; use 10 to 400")


@dataclass(kw_only=True, slots=True)
class MusicVAEConfig:
    """A music VAE: melodies in, a latent code, melodies out."""

    bars: int = 2
    """Bars in a window, 16 steps each: 2 and 16 are the paper's."""
    batch_size: int = 512
    """Windows per optimiser step and process."""
    eval_windows: int = 512
    """Held-out windows used at each validation; 0 uses them all."""
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    generate: GenerateConfig = field(default_factory=GenerateConfig)
    train: LoopConfig = field(default_factory=LoopConfig)

    def __post_init__(self) -> None:
        if not 1 <= self.bars <= 64:
            raise ValueError(f"bars is {self.bars}; use 1 to 64 (the paper's are 2 and 16)")
        if self.batch_size < 1:
            raise ValueError(f"batch_size is {self.batch_size}; it must be at least 1")
