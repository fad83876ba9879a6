"""
What PyTorch needs to train a LoRA on a CPU: the other side of bench/training.

    training-torch.py [--dtype float32|bfloat16] [--steps N] [--threads N] [--checkpoint]

A llama of 12 layers with random frozen weights learns one sequence of 512 tokens, with adapters of rank 16 on all seven
matrices of each layer. Prints a line of JSON for each step and one for the whole. The peak of memory includes PyTorch itself,
which the last line also tells alone.
"""

import argparse
import json
import math
import resource
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

LAYERS, EMBEDDING, HEADS, GROUPS, FEED_FORWARD = 12, 768, 12, 4, 2048
VOCABULARY, CONTEXT, RANK, ALPHA = 32000, 512, 16, 32
HEAD = EMBEDDING // HEADS


class Linear(nn.Module):
    """A frozen matrix with an adapter in float32."""

    def __init__(self, width, height, dtype):
        super().__init__()
        self.weight = nn.Parameter(random_matrix(height, width, dtype), requires_grad=False)
        self.a = nn.Parameter(torch.randn(RANK, width) / math.sqrt(width))
        self.b = nn.Parameter(torch.zeros(height, RANK))

    def forward(self, x):
        a, b = self.a.to(x.dtype), self.b.to(x.dtype)
        return x @ self.weight.T + x @ a.T @ b.T * (ALPHA / RANK)


class Layer(nn.Module):
    def __init__(self, dtype):
        super().__init__()
        self.q, self.o = Linear(EMBEDDING, EMBEDDING, dtype), Linear(EMBEDDING, EMBEDDING, dtype)
        self.k, self.v = Linear(EMBEDDING, GROUPS * HEAD, dtype), Linear(EMBEDDING, GROUPS * HEAD, dtype)
        self.gate, self.up = Linear(EMBEDDING, FEED_FORWARD, dtype), Linear(EMBEDDING, FEED_FORWARD, dtype)
        self.down = Linear(FEED_FORWARD, EMBEDDING, dtype)

    def forward(self, x, cos, sin, mask):
        normed = norm(x)
        q = rotate(split(self.q(normed)), cos, sin)  # (heads, tokens, head)
        k = rotate(split(self.k(normed)), cos, sin).repeat_interleave(HEADS // GROUPS, dim=0)
        v = split(self.v(normed)).repeat_interleave(HEADS // GROUPS, dim=0)
        weights = (q @ k.transpose(1, 2) / math.sqrt(HEAD) + mask).softmax(dim=-1)
        x = x + self.o((weights @ v).transpose(0, 1).reshape(-1, EMBEDDING))
        normed = norm(x)
        return x + self.down(functional.silu(self.gate(normed)) * self.up(normed))


class Decoder(nn.Module):
    def __init__(self, dtype, checkpointed):
        super().__init__()
        self.embeddings = nn.Parameter(random_matrix(VOCABULARY, EMBEDDING, dtype), requires_grad=False)
        self.head = nn.Parameter(random_matrix(VOCABULARY, EMBEDDING, dtype), requires_grad=False)
        self.layers = nn.ModuleList(Layer(dtype) for _ in range(LAYERS))
        self.checkpointed = checkpointed
        frequencies = 10000 ** (-torch.arange(0, HEAD, 2) / HEAD)
        angles = torch.outer(torch.arange(CONTEXT).float(), frequencies)
        self.cos, self.sin = angles.cos().to(dtype), angles.sin().to(dtype)
        self.mask = torch.full((CONTEXT, CONTEXT), -math.inf).triu(1).to(dtype)

    def forward(self, tokens):
        x = self.embeddings[tokens]  # (tokens, embedding)
        for layer in self.layers:
            if self.checkpointed:
                x = checkpoint(layer, x, self.cos, self.sin, self.mask, use_reentrant=False)
            else:
                x = layer(x, self.cos, self.sin, self.mask)
        return norm(x) @ self.head.T  # (tokens, vocabulary)


def random_matrix(height, width, dtype):
    return (torch.randn(height, width) * 0.02).to(dtype)


def split(x):
    return x.view(CONTEXT, -1, HEAD).transpose(0, 1)


def norm(x):
    return x * torch.rsqrt(x.float().square().mean(dim=-1, keepdim=True) + 1e-5).to(x.dtype)


def rotate(x, cos, sin):
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1).flatten(-2)


def peak_bytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--checkpoint", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    own_bytes = peak_bytes()
    decoder = Decoder(getattr(torch, options.dtype), options.checkpoint)
    loaded_bytes = peak_bytes()
    trained = [parameter for parameter in decoder.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0)
    tokens = torch.arange(CONTEXT + 1) * 7919 % VOCABULARY

    seconds = []
    for step in range(1, options.steps + 1):
        begin = time.perf_counter()
        loss = functional.cross_entropy(decoder(tokens[:-1]).float(), tokens[1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - begin)
        print(json.dumps({"step": step, "loss": loss.item(), "seconds": seconds[-1]}), flush=True)

    # The first step also makes the optimizer's moments, and warms up.
    typical = statistics.median(seconds[1:] or seconds)
    print(
        json.dumps(
            {
                "tokensPerSecond": CONTEXT / typical,
                "peakBytes": peak_bytes(),
                "loadedBytes": loaded_bytes,
                "torchBytes": own_bytes,
                "parameters": sum(each.numel() for each in decoder.parameters() if not each.requires_grad),
                "trained": sum(each.numel() for each in trained),
                "torch": torch.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
