"""A cable that loses and delays, for kernels without netem: two TUN devices, one of them in a network namespace, and what
goes in at one comes out of the other later, or never. Arguments: name and address of both ends, the namespace of the
second, the part of all packets that is lost, the delay in ms each way, and the seed. Prints `up`, then a line for each
packet that it loses; ends with its standard input. A number there is the size in bytes above which packets vanish from
then on that come out of the namespace, and is said back."""

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
outer, outside, inner, inside, namespace, loss, delay_ms, seed = sys.argv[1:]
chance = random.Random(int(seed))


def device(name):
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return end


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def raise_up(name, address, *where):
    ip(*where, "addr", "add", address + "/30", "dev", name)
    ip(*where, "link", "set", name, "up")


def put(end, packet):
    try:
        os.write(end, packet)
    except OSError:
        pass  # It is being taken down.


ends = [device(outer), device(inner)]
ip("link", "set", inner, "netns", namespace)
raise_up(outer, outside)
raise_up(inner, inside, "-n", namespace)
print("up", flush=True)

under_way, number, largest = [], 0, 65535
while True:
    wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
    ready = select.select([*ends, sys.stdin], [], [], wait)[0]
    if sys.stdin in ready:
        line = sys.stdin.readline()
        if line == "":
            break
        largest = int(line)
        print(largest, flush=True)
    for end in ready:
        if end is sys.stdin:
            continue
        packet = os.read(end, 65535)
        if chance.random() < float(loss) or (end == ends[1] and len(packet) > largest):
            print("lost", flush=True)
            continue
        number += 1
        heapq.heappush(under_way, (time.monotonic() + float(delay_ms) / 1000, number, ends[1 - ends.index(end)], packet))
    while under_way and under_way[0][0] <= time.monotonic():
        _, _, end, packet = heapq.heappop(under_way)
        put(end, packet)
