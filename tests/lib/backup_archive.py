# SPDX-License-Identifier: Apache-2.0
"""Backup files made by hand, block by block: src/store/backup_file.h has the format."""
import struct

MAGIC = b"BDYBAK1\n"


def _table():
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        yield n


TABLE = list(_table())


def crc32c(octets):
    crc = 0xFFFFFFFF
    for octet in octets:
        crc = crc >> 8 ^ TABLE[(crc ^ octet) & 255]
    return crc ^ 0xFFFFFFFF


def block(stored, raw_len):
    rest = struct.pack(">II", raw_len, len(stored)) + stored
    return struct.pack(">I", crc32c(rest)) + rest


def packed(content):
    """One zstd frame that holds the content as it is."""
    assert len(content) < 1 << 17
    return (b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(content)) +
            (len(content) << 3 | 1).to_bytes(3, "little") + content)


# {"format": 1, "encryption": {"start": ""}}
SEALED_HEADER = b"\xa2\x66format\x01\x6aencryption\xa1\x65start\x60"


def sealed(blocks, seed=b"\x5a"):
    """An encrypted backup as a node without its key sees it: frames around octets that say nothing."""
    one = block((seed * (1 << 20))[:1 << 20], 1 << 20)
    yield MAGIC + block(packed(SEALED_HEADER), len(SEALED_HEADER))
    for _ in range(blocks):
        yield one
