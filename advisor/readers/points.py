"""From points logged one quantity at a time (TensorBoard tags, MLflow metrics) to rows of measurements."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from advisor.readers.base import Row
from advisor.readers.names import OTHER_LOSSES, canonical, canonical_keys, is_loss_like, normalise

RARE = 10
"""A tag with fewer than 1 / RARE of the points of another one for the same quantity is not its curve: a closing summary."""

COUNTS_EPOCHS = 5
"""How many times further the training must have come, at its last evaluation, for that one's steps to be numbers of epochs."""

LARGEST_STEP = (1 << 62) - 1
_AVERAGED = re.compile(r"^(?:epoch|step|batch|iter|total|avg|mean)_|_(?:epoch|step|batch|iter|total|avg|mean)$")
_LOSSES = ("train_loss", "eval_loss")
_EVAL_WORDS = ("eval", "val", "valid", "validation", "dev", "test")
_OTHERS = frozenset(map(normalise, OTHER_LOSSES))


@dataclass
class Points:
    """Points in the order in which they were logged, in flat arrays: 28 bytes a point.

    time: seconds, from any beginning; 0 where the log has none. A row has that of its first point.
    by_epoch: tags whose steps are said to be epochs; believed where they count 0, 1, 2 ….
    """

    tags: list[str] = field(default_factory=list)
    tag: array[int] = field(default_factory=lambda: array("l"))
    step: array[int] = field(default_factory=lambda: array("q"))
    value: array[float] = field(default_factory=lambda: array("d"))
    time: array[float] = field(default_factory=lambda: array("d"))
    by_epoch: set[str] = field(default_factory=set)
    _number: dict[str, int] = field(default_factory=dict)

    def add(self, tag: str, step: int, value: float, time: float = 0.0) -> None:
        """Append one point."""
        number = self._number.get(tag)
        if number is None:
            number = self._number[tag] = len(self.tags)
            self.tags.append(tag)
        self.tag.append(number)
        self.step.append(max(-LARGEST_STEP, min(LARGEST_STEP, step)))
        self.value.append(value)
        self.time.append(time)

    def __len__(self) -> int:
        return len(self.tag)

    def __iter__(self) -> Iterator[tuple[str, int, float, float]]:
        for tag, step, value, time in zip(self.tag, self.step, self.value, self.time, strict=True):
            yield self.tags[tag], step, value, time

    def by_time(self) -> Points:
        """Return the points in the order of their times: of several files, or of several metrics of one run."""
        ordered = Points(by_epoch=self.by_epoch)
        for i in sorted(range(len(self)), key=lambda i: (self.time[i], self.step[i])):
            ordered.add(self.tags[self.tag[i]], self.step[i], self.value[i], self.time[i])
        return ordered

    def rows(self) -> Iterator[Row]:
        """Yield one row for the points that were logged in a row at one step. Without a loss there is none."""
        names = quantities(Counter(self.tags[tag] for tag in self.tag))
        if not is_loss_like(names.values()):
            return
        epochs = self._steps_are_epochs(names)
        values: dict[str, float] = {}
        for tag, step, value, time in self:
            name = names.get(tag)
            if name is None or name == "step":
                continue
            axis = "epoch" if tag in epochs else "step"
            if values.get(axis) != step or name in values.keys() - {"epoch", "time"}:
                yield from _row(values)
                values = {axis: float(step)}
                if time > 0:
                    values["time"] = time
            if name != axis:
                values[name] = value
        yield from _row(values)

    def _steps_are_epochs(self, names: Mapping[str, str]) -> frozenset[str]:
        """Return the tags whose steps count 0, 1, 2 … and are epochs: they say so, or are evaluations among many more batches."""
        furthest, expected, behind = 0, dict[str, int](), set[str]()
        for tag, step, _, _ in self:
            name = names.get(tag)
            if name == "train_loss" and tag not in self.by_epoch:
                furthest = max(furthest, step)
            if tag in self.by_epoch or (name is not None and name.startswith("eval_")):
                follows = step in (0, 1) if tag not in expected else step == expected[tag]
                expected[tag] = step + 1 if follows else -1
                if step > 0 and furthest >= COUNTS_EPOCHS * step:
                    behind.add(tag)
                else:
                    behind.discard(tag)
        return frozenset(tag for tag, n in expected.items() if n > 0 and (tag in self.by_epoch or tag in behind))


def quantities(counts: Mapping[str, int]) -> dict[str, str]:
    """Return what each tag means, each quantity once: of several tags for it, the best name that is no rarity.

    counts: the number of points by tag.
    """
    most: Counter[str] = Counter()
    for tag, count in counts.items():
        name = canonical(tag) or tag
        most[name] = max(most[name], count)
    kept = [tag for tag, count in counts.items() if count * RARE >= most[canonical(tag) or tag]]
    pairs = canonical_keys(tuple(sorted(kept, key=lambda tag: -counts[tag])))
    found = {tag: name for tag, name in pairs if canonical(tag) is not None}
    for tag in sorted(kept, key=lambda tag: -counts[tag]):
        loss = _loss(normalise(tag)) if canonical(tag) is None else None
        if loss is not None and loss not in found.values():
            found[tag] = loss
    nested = _nested(tag for tag in kept if counts[tag] > 1 and tag not in found)
    found |= {tag: name for tag, name in nested.items() if name not in found.values()}
    for tag, name in pairs:
        plain = _plain(name)
        if tag not in found and plain not in found.values() and canonical(plain) is None:
            found[tag] = plain
    return found


def _plain(name: str) -> str:
    """Return the name that the Trainer gave a quantity before its callbacks wrote `eval/f1` for `eval_f1`."""
    return "eval_" + name.removeprefix("eval/") if name.startswith("eval/") else name.removeprefix("train/")


def _loss(name: str) -> str | None:
    """Return which loss a name means, also with a word for how it was averaged: `loss_train_epoch`, `epoch_val_loss`."""
    bare = _AVERAGED.sub("", name)
    meant = canonical(name) or canonical(bare)
    return meant if meant in _LOSSES else None


def _nested(tags: Iterable[str]) -> dict[str, str]:
    """Return the losses whose names stand in a group of the user's: `bert/train/loss`, `Train/Samples/train_loss`.

    Only where each is the sole tag of its meaning: with two groups there is no telling which is the run's loss.
    """
    meant: dict[str, list[str]] = {}
    for tag in tags:
        parts = [normalise(part) for part in tag.split("/")]
        for begin in range(1, len(parts)):
            name = _loss("_".join(parts[begin:]))
            if name is not None and not any(part in _OTHERS for part in parts[:begin]):
                evaluation = name == "train_loss" and any(part in _EVAL_WORDS for part in parts[:begin])
                meant.setdefault("eval_loss" if evaluation else name, []).append(tag)
                break
    return {tags[0]: name for name, tags in meant.items() if len(tags) == 1}


def _row(values: dict[str, float]) -> Iterator[Row]:
    if values.keys() - {"step", "epoch", "time"}:
        yield Row(0, values)
