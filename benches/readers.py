#!/usr/bin/env python3
"""How fast traintop reads a run of TensorBoard and of W&B, beside these packages' own readers: alternating rounds, medians, ratios.

Needs tensorboard and a wandb that still reads its files in Python (pip install tensorboard wandb==0.21.0), and the built program:
    python3 benches/readers.py --traintop target/release/traintop [--points 1000000] [--rounds 5]

What is timed of traintop is the whole program, from its start to the end of `list --json`, its cache empty each time. Of the packages it
is reading alone: starting Python and importing them, which takes a second or more, is left out.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time


def write_tensorboard(folder, points):
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    for step in range(points // 2):
        for tag, value in (("loss/train", 1 / (step + 1)), ("accuracy/val", step / points)):
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            writer.add_event(Event(wall_time=1.79e9 + step, step=step, summary=summary))
    writer.close()


def read_tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    accumulator.Reload()
    return sum(len(accumulator.Scalars(tag)) for tag in accumulator.Tags()["scalars"])


def write_wandb(folder, points):
    from wandb.proto.wandb_internal_pb2 import Record
    from wandb.sdk.internal.datastore import DataStore

    store = DataStore()
    store.open_for_write(str(folder / "run-1.wandb"))
    for step in range(points // 2):
        record = Record()
        for key, value in (("_step", step), ("loss/train", 1 / (step + 1)), ("accuracy/val", step / points)):
            record.history.item.add(key=key, value_json=repr(value))
        store.write(record)
    store.close()


def read_wandb(folder):
    from wandb.proto.wandb_internal_pb2 import Record
    from wandb.sdk.internal.datastore import DataStore

    store = DataStore()
    store.open_for_scan(str(folder / "run-1.wandb"))
    points = 0
    while (data := store.scan_data()) is not None:
        record = Record()
        record.ParseFromString(data)
        points += sum(item.key != "_step" and float(item.value_json) == float(item.value_json) for item in record.history.item)
    return points


def traintop(program, folder, scratch):
    homes = {f"XDG_{name}_HOME": str(scratch / name) for name in ("CACHE", "CONFIG", "DATA", "STATE")}
    shutil.rmtree(scratch / "CACHE", ignore_errors=True)
    started = time.perf_counter()
    subprocess.run([program, "list", "--json", str(folder)], env=os.environ | homes, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traintop", default="target/release/traintop")
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for name, write, read in (("TensorBoard", write_tensorboard, read_tensorboard), ("W&B", write_wandb, read_wandb)):
            folder = scratch / "runs" / name / "run"
            folder.mkdir(parents=True)
            write(folder, arguments.points)
            ours, theirs = [], []
            for _ in range(arguments.rounds):
                ours.append(traintop(arguments.traintop, folder, scratch))
                started = time.perf_counter()
                points = read(folder)
                theirs.append(time.perf_counter() - started)
                assert points == arguments.points, points
            our, their = statistics.median(ours), statistics.median(theirs)
            print(f"{name}, {arguments.points} points: traintop {our:.2f} s, its own reader {their:.2f} s, {their / our:.0f} times as long")


if __name__ == "__main__":
    main()
