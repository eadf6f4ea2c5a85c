"""Sort and group-by sum of random 32-bit values with SPU: ABY3, three processes on loopback. Prints milliseconds of both."""

import multiprocessing
import socket
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import spu
from spu.utils import frontend


def sort(x):
    return jax.lax.sort(x)


def group_sum(keys, values):
    """Sums per key: rows sorted by key, and prefix sums where a run of keys ends."""
    k, v = jax.lax.sort((keys, values), num_keys=1)
    last = jnp.concatenate([k[1:] != k[:-1], jnp.array([True])])
    return k, jnp.where(last, jnp.cumsum(v, dtype=jnp.int32), 0)


CONFIG = spu.RuntimeConfig(protocol=spu.ProtocolKind.ABY3, field=spu.FieldType.FM32)


def best_of_two(runtime, executable):
    best = float("inf")
    for _ in range(2):
        began = time.perf_counter()
        runtime.run(executable)
        best = min(best, time.perf_counter() - began)
    return 1000 * best


def party(rank, addresses, data, shares, answers):
    desc = spu.link.Desc()
    for number, address in enumerate(addresses):
        desc.add_party(f"party{number}", address)
    runtime = spu.Runtime(spu.link.create_brpc(desc, rank), CONFIG)
    for name, share in shares.items():
        runtime.set_var(name, share)
    times = []
    for program, names in ((sort, ["keys"]), (group_sum, ["keys", "values"])):
        executable, _ = frontend.compile(
            frontend.Kind.JAX,
            program,
            [data[name] for name in names],
            {},
            names,
            [spu.Visibility.VIS_SECRET] * len(names),
            lambda found: [f"{program.__name__}{i}" for i in range(len(found))],
        )
        times.append(best_of_two(runtime, executable))
    answers.put(times)


def random_data(rows):
    random = np.random.default_rng(1)
    return {
        "keys": random.integers(0, 2**20, rows).astype(np.int32),
        "values": random.integers(0, 1000, rows).astype(np.int32),
    }


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    rows = int(sys.argv[1])
    addresses = [free_address() for _ in range(3)]
    answers = multiprocessing.Queue()
    data = random_data(rows)
    io = spu.Io(3, CONFIG)
    shares = {name: io.make_shares(x, spu.Visibility.VIS_SECRET) for name, x in data.items()}
    parties = [
        multiprocessing.Process(
            target=party,
            args=(rank, addresses, data, {name: own[rank] for name, own in shares.items()}, answers),
        )
        for rank in range(3)
    ]
    for process in parties:
        process.start()
    for process in parties:
        process.join()
        if process.exitcode != 0:
            sys.exit(f"a party of SPU has ended with {process.exitcode}")
    told = [answers.get() for _ in parties]
    print(*(max(times) for times in zip(*told)))
