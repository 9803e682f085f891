"""The small training that the samples of formats show: a linear layer, fitted by the Trainer."""

TRAINING = """\
import torch
from transformers import Trainer, TrainingArguments, set_seed


class Line(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def forward(self, x, labels):
        guess = self.layer(x).squeeze(-1)
        return {"loss": torch.nn.functional.mse_loss(guess, labels), "logits": guess}


def rows(number):
    x = torch.randn(number, 4)
    y = x @ torch.tensor([1.0, -2.0, 0.5, 0.0]) + torch.randn(number) / 4
    return [{"x": a, "labels": b} for a, b in zip(x, y)]


def trainer(**options):
    set_seed(7)
    arguments = TrainingArguments(
        output_dir="out", num_train_epochs=3, per_device_train_batch_size=8, learning_rate=0.02,
        logging_steps=5, eval_strategy="steps", eval_steps=10, save_strategy="no", use_cpu=True,
        seed=7, dataloader_pin_memory=False, **options,
    )
    return Trainer(model=Line(), args=arguments, train_dataset=rows(80), eval_dataset=rows(32))
"""
