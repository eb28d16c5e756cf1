"""Models of the musicvae plugin."""

from plugins.musicvae.models.encoder import Posterior
from plugins.musicvae.models.vae import MusicVAE, Output

__all__ = ["MusicVAE", "Output", "Posterior"]
