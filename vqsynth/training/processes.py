"""Training over several processes, as torchrun starts them."""

from __future__ import annotations

import os

import torch
import torch.distributed as dist


def join_processes() -> None:
    """Join the process group that torchrun set up, if any."""
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) < 2 or dist.is_initialized():
        return
    cuda = torch.cuda.is_available()
    dist.init_process_group("nccl" if cuda else "gloo")
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))


def rank_and_world() -> tuple[int, int]:
    """Number of this process, and how many there are; (0, 1) outside of a process group."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def wait_for_all() -> None:
    """Return when every process has come here."""
    if rank_and_world()[1] > 1:
        dist.barrier()


def agreed(value: float, device: torch.device) -> float:
    """The first process's value, in all of them."""
    if rank_and_world()[1] == 1:
        return value
    shared = torch.tensor(value, dtype=torch.float64, device=device)
    dist.broadcast(shared, 0)
    return float(shared)
