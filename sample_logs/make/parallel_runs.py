"""Runs of the tools for training on many accelerators, on one CPU."""

from __future__ import annotations

import os

ALONE = {
    "RANK": "0",
    "LOCAL_RANK": "0",
    "WORLD_SIZE": "1",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "29511",
}


def deepspeed_pipeline() -> None:
    """DeepSpeed's pipeline engine with one stage, by gloo."""
    os.environ |= {**ALONE, "DS_ACCELERATOR": "cpu"}
    import deepspeed
    import torch
    from deepspeed.pipe import PipelineModule
    from torch import nn
    from torch.utils.data import TensorDataset

    from make_tool_logs import noisy_labels

    deepspeed.init_distributed("gloo")
    torch.manual_seed(1)
    x, y, _, _ = map(torch.from_numpy, noisy_labels())
    layers = [nn.Linear(x.shape[1], 16), nn.ReLU(), nn.Linear(16, 2)]
    net = PipelineModule(layers, num_stages=1, loss_fn=nn.CrossEntropyLoss())
    settings = {
        "train_batch_size": 20,
        "train_micro_batch_size_per_gpu": 10,
        "steps_per_print": 5,
        "gradient_clipping": 1.0,
        "optimizer": {"type": "Adam", "params": {"lr": 1e-2, "torch_adam": True}},
    }
    engine, *_ = deepspeed.initialize(
        model=net,
        model_parameters=list(net.parameters()),
        config=settings,
        training_data=TensorDataset(x, y.long()),
    )
    for _ in range(100):
        engine.train_batch()
