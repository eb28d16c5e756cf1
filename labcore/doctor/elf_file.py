"""Reading the dynamic part of an ELF file: what it needs, what it wants, what it defines."""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

__all__ = ["ElfFile"]

_MASK = 0xFFFFFFFF
_SYMBOL_SIZE = 24
"""Bytes of an entry of the symbol table, in files of 64 bits."""
_UNDEFINED = 0
"""Section index of a symbol that the file does not define."""
_GLOBAL = 1
"""Binding of a symbol that must be found; a weak one may stay undefined."""


class ElfFile:
    """A shared library, mapped into memory and read where it is asked about.

    Args:
        path: The file.

    Raises:
        ELFError: It is no ELF file.
        ValueError: It is empty, has no dynamic part, or is not of 64 bits, little end first.
    """

    def __init__(self, path: Path) -> None:
        self._stream = path.open("rb")
        try:
            self._bytes = mmap.mmap(self._stream.fileno(), 0, access=mmap.ACCESS_READ)
            self._elf = ELFFile(self._stream)
            if self._elf.elfclass != 64 or not self._elf.little_endian:
                raise ValueError(f"{path} is for a machine that no torch is made for")
            segment = next(iter(self._elf.iter_segments("PT_DYNAMIC")), None)
            if not isinstance(segment, DynamicSegment):
                raise ValueError(f"{path} is not a shared library")
        except BaseException:
            self._stream.close()
            raise
        self._dynamic = segment
        self.needed: tuple[str, ...] = ()
        """Libraries that it needs, by file name."""
        self.runpath: tuple[str, ...] = ()
        """Folders to look for them in, with $ORIGIN for its own."""
        self._hash_offset: int | None = None
        for tag in segment.iter_tags():
            # pyelftools gives a tag's text an attribute of the tag's own name.
            if tag.entry.d_tag == "DT_NEEDED":
                self.needed = (*self.needed, str(getattr(tag, tag.entry.d_tag[3:].lower())))
            elif tag.entry.d_tag in {"DT_RUNPATH", "DT_RPATH"}:
                value = str(getattr(tag, tag.entry.d_tag[3:].lower()))
                self.runpath = (*self.runpath, *value.split(":"))
            elif tag.entry.d_tag == "DT_GNU_HASH":
                self._hash_offset = self._offset(tag.entry.d_val)
        self._symbols = self._table("DT_SYMTAB")
        self._names = self._table("DT_STRTAB")

    def __enter__(self) -> "ElfFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bytes.close()
        self._stream.close()

    def wanted(self) -> Iterator[str]:
        """Yields the symbols that another library must define."""
        # Read by hand: pyelftools takes a third of a millisecond for each of thousands of symbols.
        section = self._elf.get_section_by_name(".dynsym")
        count = section.data_size // _SYMBOL_SIZE if section else self._dynamic.num_symbols()
        for index in range(count):
            start = self._symbols + index * _SYMBOL_SIZE
            name, info, _, defined_in = struct.unpack_from("<IBBH", self._bytes, start)
            if defined_in == _UNDEFINED and info >> 4 == _GLOBAL:
                begin = self._names + name
                yield self._bytes[begin : self._bytes.find(b"\0", begin)].decode("utf-8", "replace")

    def defines(self, name: str) -> bool:
        """Whether this library exports a symbol."""
        if self._hash_offset is None:
            return self._defines_by_walking(name)
        return self._defines_by_hash(name.encode(), self._hash_offset)

    def _offset(self, address: int) -> int:
        offset = next(iter(self._elf.address_offsets(address)), None)
        if offset is None:
            raise ValueError(f"address {address:#x} lies in no segment of the file")
        return int(offset)

    def _table(self, tag: str) -> int:
        _, offset = self._dynamic.get_table_offset(tag)
        if offset is None:
            raise ValueError(f"the file has no {tag}")
        return int(offset)

    def _defines_by_walking(self, name: str) -> bool:
        return any(
            symbol.name == name and symbol.entry.st_shndx != "SHN_UNDEF"
            for symbol in self._dynamic.iter_symbols()
        )

    def _defines_by_hash(self, name: bytes, start: int) -> bool:
        """Looks a symbol up the way the loader does: Bloom filter, bucket, chain."""
        num_buckets, first, num_words, shift = struct.unpack_from("<4I", self._bytes, start)
        code = _gnu_hash(name)
        bloom = start + 16
        (word,) = struct.unpack_from("<Q", self._bytes, bloom + code // 64 % num_words * 8)
        if not (word >> (code % 64) & word >> ((code >> shift) % 64) & 1):
            return False
        buckets = bloom + num_words * 8
        (index,) = struct.unpack_from("<I", self._bytes, buckets + code % num_buckets * 4)
        if index < first:
            return False
        chains = buckets + num_buckets * 4
        while True:
            (chained,) = struct.unpack_from("<I", self._bytes, chains + (index - first) * 4)
            if chained | 1 == code | 1 and self._is_named(index, name):
                return True
            if chained & 1:
                return False
            index += 1

    def _is_named(self, index: int, name: bytes) -> bool:
        (offset,) = struct.unpack_from("<I", self._bytes, self._symbols + index * _SYMBOL_SIZE)
        start = self._names + offset
        return self._bytes[start : start + len(name) + 1] == name + b"\0"


def _gnu_hash(name: bytes) -> int:
    code = 5381
    for byte in name:
        code = (code * 33 + byte) & _MASK
    return code
