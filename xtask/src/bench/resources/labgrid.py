"""labgrid's coordinator on loopback, asked by its own client sessions: python3 labgrid.py PLACES CLIENTS"""

import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import grpc.aio
from labgrid.remote.client import ClientSession
from labgrid.remote.generated import labgrid_coordinator_pb2 as pb

PLACES, CLIENTS = int(sys.argv[1]), int(sys.argv[2])
connect = grpc.aio.insecure_channel


def apart(target, options=None, **more):
    """Clients are processes of their own: none shares the connection of another, by which the coordinator knows them."""
    return connect(target, options=[*(options or []), ("grpc.use_local_subchannel_pool", 1)], **more)


grpc.aio.insecure_channel = apart
# Beyond this nobody waits for a figure.
SECONDS = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def cycle(session, place):
    begin = time.perf_counter()
    await session.stub.AcquirePlace(pb.AcquirePlaceRequest(placename=place))
    await session.stub.ReleasePlace(pb.ReleasePlaceRequest(placename=place))
    return (time.perf_counter() - begin) * 1e3


async def client(session, number, end, times):
    share = PLACES // CLIENTS
    turn = 0
    while time.perf_counter() < end:
        times.append(await cycle(session, f"p{number * share + turn % share}"))
        turn += 1


async def start(address):
    session = ClientSession(address, asyncio.get_running_loop())
    await session.start()
    return session


async def measure(address):
    first = await start(address)
    for number in range(PLACES):
        await first.stub.AddPlace(pb.AddPlaceRequest(name=f"p{number}"))
    alone = [await cycle(first, f"p{number % PLACES}") for number in range(200)]
    lists = []
    for _ in range(10):
        begin = time.perf_counter()
        answer = await first.stub.GetPlaces(pb.GetPlacesRequest())
        lists.append((time.perf_counter() - begin) * 1e3)
        assert len(answer.places) == PLACES
    sessions = [first]
    while len(sessions) < CLIENTS:
        sessions.append(await start(address))
    times = []
    begin = time.perf_counter()
    await asyncio.gather(*(client(session, number, begin + SECONDS, times) for number, session in enumerate(sessions)))
    took = time.perf_counter() - begin
    return {
        "rate": len(times) / took,
        "millis": statistics.median(times),
        "alone_millis": statistics.median(alone),
        "list_millis": statistics.median(lists),
    }


def main():
    folder = tempfile.mkdtemp()
    address = f"127.0.0.1:{free_port()}"
    program = os.path.join(os.path.dirname(sys.executable), "labgrid-coordinator")
    coordinator = subprocess.Popen(
        [program, "-l", address], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        host, port = address.split(":")
        for _ in range(200):
            try:
                socket.create_connection((host, int(port)), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        print(json.dumps(asyncio.run(measure(address))))
        sys.stdout.flush()
    finally:
        coordinator.kill()
        coordinator.wait()
        shutil.rmtree(folder)
    # Sessions that are open would be waited for.
    os._exit(0)


main()
