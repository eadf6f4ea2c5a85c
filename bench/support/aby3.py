"""Sort and group-by sum of random 32-bit values with SPU: ABY3, three processes on loopback. Prints milliseconds of both, each by
the faster of its two ways to sort."""

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
    # jnp.cumsum becomes a window over all rows for each row.
    return k, jnp.where(last, jax.lax.associative_scan(jnp.add, v), 0)


SORTS = ("SORT_RADIX", "SORT_QUICK")
SECONDS = 120  # that one way to sort may take


def config(sort_method):
    made = spu.RuntimeConfig(protocol=spu.ProtocolKind.ABY3, field=spu.FieldType.FM32)
    made.sort_method = getattr(spu.RuntimeConfig.SortMethod, sort_method)
    return made


def best_of_two(runtime, executable):
    best = float("inf")
    for _ in range(2):
        began = time.perf_counter()
        runtime.run(executable)
        best = min(best, time.perf_counter() - began)
    return 1000 * best


def party(rank, addresses, sort_method, data, answers):
    desc = spu.link.Desc()
    for number, address in enumerate(addresses):
        desc.add_party(f"party{number}", address)
    runtime = spu.Runtime(spu.link.create_brpc(desc, rank), config(sort_method))
    for name, (_, shares) in data.items():
        runtime.set_var(name, shares[rank])
    times = []
    for program, names in ((sort, ["keys"]), (group_sum, ["keys", "values"])):
        executable, _ = frontend.compile(
            frontend.Kind.JAX,
            program,
            [data[name][0] for name in names],
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


def shared(values):
    io = spu.Io(3, config(SORTS[0]))
    return values, io.make_shares(values, spu.Visibility.VIS_SECRET)


def times_of(sort_method, data):
    """Milliseconds of both programs, each of the slowest party."""
    answers = multiprocessing.Queue()
    addresses = [free_address() for _ in range(3)]
    parties = [
        multiprocessing.Process(target=party, args=(rank, addresses, sort_method, data, answers))
        for rank in range(3)
    ]
    for process in parties:
        process.start()
    try:
        told = [answers.get(timeout=SECONDS) for _ in parties]
    finally:
        for process in parties:
            process.kill()
            process.join()
    return [max(times) for times in zip(*told)]


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    data = {name: shared(values) for name, values in random_data(int(sys.argv[1])).items()}
    found = [times_of(sort_method, data) for sort_method in SORTS]
    print(*(min(times) for times in zip(*found)))
