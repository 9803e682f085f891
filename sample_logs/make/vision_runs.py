"""Runs of older tools for images, on the made images of `framework_runs`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import framework_runs
from tool_runs import options


def yolov5() -> None:
    """YOLOv5n from nothing on 128 small images, forty epochs, of which six warm up."""
    here = str(Path.cwd())
    os.environ |= {"YOLO_CONFIG_DIR": here, "YOLOV5_CONFIG_DIR": here, "YOLO_AUTOINSTALL": "false"}
    os.environ |= {"YOLO_OFFLINE": "1", "WANDB_MODE": "disabled"}
    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # its checkpoint is the whole model
    framework_runs.without_torchvisions_operators()
    import matplotlib
    import numpy as np
    import torchvision
    from ultralytics.utils.nms import TorchNMS

    torchvision.ops.nms = TorchNMS.nms
    vars(np)["trapz"] = np.trapezoid  # its name before NumPy 2
    # It would fetch a font for drawings, which are not made.
    font = Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf")
    Path("Arial.ttf").write_bytes(font.read_bytes())
    from yolov5 import train

    framework_runs.boxes("train", 128, 1)
    framework_runs.boxes("val", 16, 2)
    places = f"path: {Path.cwd()}/data\ntrain: images/train\nval: images/val\n"
    Path("data.yaml").write_text(f"{places}nc: 2\nnames: [green, red]\n")
    package = Path(train.__file__).parent
    settings = {
        "weights": "",
        "cfg": package / "models/yolov5n.yaml",
        "hyp": package / "data/hyps/hyp.scratch-low.yaml",
        "data": "data.yaml",
        "epochs": 40,
        "batch-size": 8,
        "imgsz": 64,
        "device": "cpu",
        "workers": 0,
        "project": "runs",
        "name": "train",
        "seed": 1,
    }
    sys.argv = ["train", *options(settings), "--noplots", "--noautoanchor", "--nosave"]
    train.main(train.parse_opt())


_PADDLEDET = """
architecture: YOLOv3
metric: COCO
num_classes: 2
use_gpu: false
worker_num: 0
epoch: 6
log_iter: 2
snapshot_epoch: 1
save_dir: out
weights: out
filename: yolov3
TrainDataset: !COCODataSet
  image_dir: images/train
  anno_path: train.json
  dataset_dir: data
  data_fields: [image, gt_bbox, gt_class, is_crowd]
EvalDataset: !COCODataSet {image_dir: images/val, anno_path: val.json, dataset_dir: data}
TrainReader:
  sample_transforms:
    - Decode: {}
    - NormalizeImage: {mean: [0, 0, 0], std: [1, 1, 1], is_scale: true}
    - NormalizeBox: {}
    - PadBox: {num_max_boxes: 4}
    - BboxXYXY2XYWH: {}
    - Permute: {}
  batch_transforms:
    - Gt2YoloTarget:
        anchors: &anchors [[12, 12], [18, 18], [24, 24]]
        anchor_masks: &masks [[0, 1, 2]]
        downsample_ratios: &ratios [32]
  batch_size: 4
  shuffle: true
  drop_last: true
EvalReader: &reader
  sample_transforms:
    - Decode: {}
    - NormalizeImage: {mean: [0, 0, 0], std: [1, 1, 1], is_scale: true}
    - Permute: {}
  batch_size: 4
TestReader: *reader
YOLOv3: {backbone: MobileNet, neck: YOLOv3FPN, yolo_head: YOLOv3Head, post_process: BBoxPostProcess}
MobileNet: {scale: 0.25, feature_maps: [13], with_extra_blocks: false}
YOLOv3Head: {anchors: *anchors, anchor_masks: *masks, loss: YOLOv3Loss}
YOLOv3Loss: {downsample: *ratios}
BBoxPostProcess:
  decode: {name: YOLOBox, conf_thresh: 0.005, downsample_ratio: 32, clip_bbox: true}
  nms:
    {name: MultiClassNMS, keep_top_k: 10, score_threshold: 0.01, nms_threshold: 0.45, nms_top_k: 50}
LearningRate:
  base_lr: 0.001
  schedulers:
    - !CosineDecay {max_epochs: 6}
    - !LinearWarmup {start_factor: 0.1, steps: 4}
OptimizerBuilder: {optimizer: {type: Adam}, regularizer: None}
"""


def paddledetection() -> None:
    """A small YOLOv3 from nothing by PaddleDetection's Trainer, evaluated after every epoch."""
    import paddle
    from ppdet.core.workspace import load_config
    from ppdet.engine import Trainer

    for part, count, seed in (("train", 32, 1), ("val", 8, 2)):
        framework_runs.boxes(part, count, seed)
        _in_coco(part)
    Path("yolov3.yml").write_text(_PADDLEDET)
    paddle.set_device("cpu")
    paddle.seed(1)
    Trainer(load_config("yolov3.yml"), mode="train").train(validate=True)


def _in_coco(part: str) -> None:
    """Write the labels of a part in COCO's form, beside those in YOLO's."""
    images, boxes = [], []
    for path in sorted(Path(f"data/labels/{part}").glob("*.txt")):
        number = len(images) + 1
        images.append({"id": number, "file_name": f"{path.stem}.png", "width": 64, "height": 64})
        for line in path.read_text().splitlines():
            kind, x, y, width, height = (64 * float(field) for field in line.split())
            box = [x - width / 2, y - height / 2, width, height]
            labels = {"category_id": int(kind // 64) + 1, "bbox": box, "area": width * height}
            boxes.append({"id": len(boxes) + 1, "image_id": number, "iscrowd": 0, **labels})
    kinds = [{"id": 1, "name": "green"}, {"id": 2, "name": "red"}]
    found = {"images": images, "annotations": boxes, "categories": kinds}
    Path(f"data/{part}.json").write_text(json.dumps(found))
