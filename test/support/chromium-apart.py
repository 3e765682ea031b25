#!/usr/bin/env python3
"""Runs Chromium so that it hears nothing of network cards: socket(AF_NETLINK) is refused to it and to all that it starts.
A browser fails what it is fetching and closes its WebSockets whenever an address of the machine comes or goes. Those of
other tests do (network-namespace.ts), also those of another run on the same machine.

Arguments: those of Chromium. Linux on x86-64 or arm64; elsewhere it is run as it is.
"""

import ctypes
import os
import platform
import struct
import sys

# AUDIT_ARCH_… (linux/audit.h), and the number of socket(2) there.
MACHINES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
AF_NETLINK = 16
EAFNOSUPPORT = 97
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
# The three instructions that are needed (linux/bpf_common.h), and offsets in struct seccomp_data (linux/seccomp.h).
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | EAFNOSUPPORT


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def refuse_netlink(architecture, socket):
    # Instruction, steps to pass over when it is equal and when not, operand.
    steps = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_IF_EQUAL, 0, 4, architecture),
        (LOAD, 0, 0, NUMBER),
        (JUMP_IF_EQUAL, 0, 2, socket),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (JUMP_IF_EQUAL, 1, 0, AF_NETLINK),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    ]
    refusing = Filter(len(steps), b"".join(struct.pack("=HBBI", *step) for step in steps))
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(refusing), 0, 0)


if sys.platform == "linux" and platform.machine() in MACHINES:
    refuse_netlink(*MACHINES[platform.machine()])
os.execvp("chromium", ["chromium", *sys.argv[1:]])
