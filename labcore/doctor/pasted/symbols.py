"""What an undefined symbol of torch's gives away of the torch that an extension was built for."""

import re

__all__ = ["symbol_story"]

# Pattern in the mangled name, and what it means: the first that fits.
_STORIES: tuple[tuple[str, str], ...] = (
    (
        r"c10_cuda_check_implementation\w*_jb$",
        "torch 2.11 and 2.12 have this function in this form, 2.13 and later do not",
    ),
    (
        r"NSt7__cxx1112basic_string|B5cxx11",
        "It takes a std::string of the new C++ ABI (cxx11): the extension was compiled with it, "
        "and this torch with the old one, as the pip wheels of Linux were until torch 2.5, or "
        "its release has another signature here",
    ),
    (
        r"(?:ERK|E|_)Ss(?:$|[A-Z_])",
        "It takes a std::string of the old C++ ABI: the extension was compiled with "
        "_GLIBCXX_USE_CXX11_ABI=0, and this torch with the new one, as the pip wheels are from "
        "torch 2.6 or 2.7 on, or its release has another signature here",
    ),
    (
        r"^_ZNK?2at6Tensor(?:7is_cuda|8data_ptrI|4item|5dtype|6device|6layout|7options|9is_sparse)",
        "at::Tensor had this function until torch 1.9; from 1.10 on it is at::TensorBase's: the "
        "extension was built for 1.9 or older, and a newer torch is here",
    ),
    (
        r"2at10TensorBase",
        "at::TensorBase came with torch 1.10: the extension was built for 1.10 or newer, and "
        "an older torch, or one that changed it since, is here",
    ),
    (
        r"6SymInt",
        "c10::SymInt came with torch 1.13 or so: the extension was built for that or newer, and "
        "another torch is here",
    ),
    (
        r"2at4_ops",
        "at::_ops changes with most releases of torch: the extension was built for another one",
    ),
)


def symbol_story(symbol: str) -> str | None:
    """Returns a sentence on where a missing symbol belongs; None when its name tells nothing."""
    return next((story for pattern, story in _STORIES if re.search(pattern, symbol)), None)
