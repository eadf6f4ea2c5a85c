"""Sort and group-by sum of random 32-bit values with SPU: ABY3, three processes on loopback. Prints milliseconds of both."""

import multiprocessing
import socket
import sys
import time

import jax.numpy as jnp
import numpy as np


def sort(x):
    return jnp.sort(x)


def group_sum(keys, values):
    """Sums per key: rows sorted by key, sums of runs by differences of prefix sums, as the engine does."""
    order = jnp.argsort(keys)
    k, v = keys[order], values[order]
    sums = jnp.cumsum(v)
    last = jnp.concatenate([k[1:] != k[:-1], jnp.array([True])])
    return k, jnp.where(last, sums, 0)


def party(rank, addresses, rows, answers):
    import spu
    from spu.utils import frontend

    desc = spu.link.Desc()
    for number, address in enumerate(addresses):
        desc.add_party(f"party{number}", address)
    context = spu.link.create_brpc(desc, rank)
    config = spu.RuntimeConfig(protocol=spu.ProtocolKind.ABY3, field=spu.FieldType.FM32)
    runtime, io = spu.Runtime(context, config), spu.Io(3, config)
    random = np.random.default_rng(1)
    keys = random.integers(0, 2**20, rows).astype(np.int32)
    values = random.integers(0, 1000, rows).astype(np.int32)
    shares = {}
    for name, data in (("keys", keys), ("values", values)):
        shares[name] = io.make_shares(data, spu.Visibility.VIS_SECRET)[rank]
        runtime.set_var(name, shares[name])
    times = []
    for program, names in ((sort, ["keys"]), (group_sum, ["keys", "values"])):
        arguments = [{"keys": keys, "values": values}[name] for name in names]
        executable, _ = frontend.compile(
            frontend.Kind.JAX,
            program,
            arguments,
            {},
            names,
            [spu.Visibility.VIS_SECRET] * len(names),
            lambda found: [f"{program.__name__}{i}" for i in range(len(found))],
        )
        best = float("inf")
        for _ in range(2):
            began = time.perf_counter()
            runtime.run(executable)
            best = min(best, time.perf_counter() - began)
        times.append(1000 * best)
    answers.put(times)


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    rows = int(sys.argv[1])
    addresses = [free_address() for _ in range(3)]
    answers = multiprocessing.Queue()
    parties = [
        multiprocessing.Process(target=party, args=(rank, addresses, rows, answers))
        for rank in range(3)
    ]
    for process in parties:
        process.start()
    for process in parties:
        process.join()
        if process.exitcode != 0:
            sys.exit("a party of SPU has failed")
    told = [answers.get() for _ in parties]
    print(*(max(times) for times in zip(*told)))
