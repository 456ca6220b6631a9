#!/usr/bin/env python3
"""Compares the worker's training speed with PyTorch eager's on this machine: alternating runs, medians, ratios.

Needs torch 2.11, torchvision, pillow and numpy, the built worker, and a folder of images (train/<class>/*):
    python3 benches/pytorch/compare.py --worker target/release/traintop-worker --data FOLDER [--rounds 3]

End to end: the reference's own design (float32, contiguous, Pillow and torchvision augmentation in two loader processes) against the
recipe resnet_randaugment as the worker runs it by itself. Bare step: the same network, batch 128, no augmentation, in the same
precision and memory order on both sides; bfloat16 where the processor multiplies it. The first steps of a run are left out on both
sides.
"""

import argparse
import csv
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

import numpy
import torch
from PIL import Image
from torch import nn
from torchvision import transforms

BATCH = 128
WARM_UP, MEASURED = 2, 12
IMAGES = BATCH * (WARM_UP + MEASURED)
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)


class Squeeze(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // 16, bias=False), nn.ReLU(inplace=True),
            nn.Linear(channels // 16, channels, bias=False), nn.Sigmoid())

    def forward(self, x):
        return x * self.fc(x.mean((2, 3)))[:, :, None, None]


class Block(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.se = Squeeze(after)
        self.downsample = nn.Sequential()
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        out = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.se(self.bn2(self.conv2(out))) + self.downsample(x))


def network():
    layers, before = [nn.Conv2d(3, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU()], 32
    for stage, after in enumerate([32, 64, 128, 256]):
        for block in range(2):
            layers.append(Block(before, after, 2 if stage and not block else 1))
            before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(256, 10))


class Pictures(torch.utils.data.Dataset):
    """Decoded once, augmented one by one as the reference does."""

    def __init__(self, folder):
        files = sorted(pathlib.Path(folder, "train").glob("*/*"))
        classes = sorted({file.parent.name for file in files})
        files = random.Random(0).sample(files, IMAGES)
        self.images = [numpy.asarray(Image.open(file).convert("RGB")) for file in files]
        self.labels = [classes.index(file.parent.name) for file in files]
        self.change = transforms.Compose([
            transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), transforms.RandomRotation(15),
            transforms.ColorJitter(0.3, 0.3, 0.3, 0.1), transforms.RandomPerspective(0.2, 0.5), transforms.RandAugment(2, 9),
            transforms.ToTensor(), transforms.Normalize(MEAN, STD), transforms.RandomErasing(0.3, (0.02, 0.2), (0.3, 3.3))])

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, at):
        return self.change(Image.fromarray(self.images[at])), self.labels[at]


def cutmix(images, labels):
    share = numpy.random.beta(1.0, 1.0)
    partner = torch.randperm(len(images))
    side, x, y = int(32 * (1 - share) ** 0.5), numpy.random.randint(32), numpy.random.randint(32)
    left, right, top, bottom = max(x - side // 2, 0), min(x + side // 2, 32), max(y - side // 2, 0), min(y + side // 2, 32)
    images[:, :, top:bottom, left:right] = images[partner, :, top:bottom, left:right]
    return images, labels[partner], 1 - (right - left) * (bottom - top) / 1024


def pytorch(batches, channels_last=False, bfloat16=False):
    """Images a second of training steps over the batches, the first few left out."""
    torch.manual_seed(0)
    model = network().train()
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1)
    since = None
    for step, (images, labels) in enumerate(batches):
        if step == WARM_UP:
            since = time.perf_counter()
        others, share = labels, 1.0
        if random.random() < 0.7:
            images, others, share = cutmix(images, labels)
        if channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits = model(images)
        loss = share * loss_of(logits.float(), labels) + (1 - share) * loss_of(logits.float(), others)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return MEASURED * BATCH / (time.perf_counter() - since)


def worker(program, data, changes):
    """Images a second of the worker's training steps, the first few left out."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "train", "--config", "resnet_randaugment"]
        for change in [f"data_dir={data}", f"output_dir={folder}", f"max_train_images={IMAGES}", "max_val_images=10", "num_epochs=1", "log_interval=1", *changes]:
            command += ["--set", change]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        steps = next(pathlib.Path(folder).glob("training_runs/*/logs/steps.csv"))
        with open(steps, newline="") as file:
            ends = [float(row["time_elapsed"]) for row in csv.DictReader(file)]
        return MEASURED * BATCH / (ends[-1] - ends[WARM_UP - 1])


def processor():
    """Its name, and whether it multiplies bfloat16."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    name = next((line.split(": ")[1] for line in text.splitlines() if line.startswith("model name")), "unknown processor")
    return name, "avx512_bf16" in text or "amx_bf16" in text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    pictures = Pictures(arguments.data)
    resident = [(torch.randn(BATCH, 3, 32, 32), torch.randint(10, (BATCH,))) for _ in range(WARM_UP + MEASURED)]
    bare = ["use_randaugment=false", "random_rotation=0", "color_jitter_brightness=0", "color_jitter_contrast=0",
            "color_jitter_saturation=0", "color_jitter_hue=0", "random_perspective_distortion=0", "random_erasing_prob=0",
            "random_crop_padding=0", "random_horizontal_flip=false"]

    def loader():
        return torch.utils.data.DataLoader(pictures, BATCH, shuffle=True, num_workers=2)

    kinds = {
        "end to end": (lambda: pytorch(loader()), []),
        "bare step, float32": (lambda: pytorch(resident), [*bare, "precision=float32", "channels_last=false"]),
        "bare step, float32, channels last": (
            lambda: pytorch(resident, channels_last=True), [*bare, "precision=float32", "channels_last=true"]),
    }
    name, has_bfloat16 = processor()
    if has_bfloat16:
        kinds["bare step, bfloat16, channels last"] = (
            lambda: pytorch(resident, True, True), [*bare, "precision=bfloat16", "channels_last=true"])
    print(f"{name}, {torch.get_num_threads()} threads, images a second, medians of {arguments.rounds} alternating runs")
    print(f"{'':<36} {'PyTorch':>9} {'worker':>9} {'ratio':>7}")
    for name, (theirs, changes) in kinds.items():
        pairs = [(theirs(), worker(arguments.worker, arguments.data, changes)) for _ in range(arguments.rounds)]
        one, other = (statistics.median(side) for side in zip(*pairs))
        print(f"{name:<36} {one:>9.1f} {other:>9.1f} {other / one:>7.2f}", flush=True)


if __name__ == "__main__":
    main()
