"""What is not read and why, in both languages; printed below the list of formats."""

from __future__ import annotations

from collections.abc import Mapping

REFUSED: tuple[Mapping[str, str], ...] = (
    {
        "en": "One metric file of MLflow on its own, outside its `metrics` folder, whose name does not say what it holds: it is "
        "read as a loss only where its values fall as one does. Counters of epochs and learning rates are refused. Give the run's "
        "folder.",
        "zh": "脱离 `metrics` 目录、文件名看不出含义的单个 MLflow 指标文件：只有数值像损失那样下降时才按损失读取，"
        "轮次计数和学习率不读。请给出整个运行目录。",
    },
    {
        "en": "Closing values without a curve: `train_results.json`, a W&B summary, a W&B table of runs. Of `all_results.json` the "
        "evaluation's value is read and said to be the last.",
        "zh": "没有曲线、只有收尾数值的文件：`train_results.json`、W&B summary、W&B 运行列表。"
        "`all_results.json` 只读取其中的评估值，并说明它只是最终值。",
    },
    {
        "en": "Aim: it keeps runs in RocksDB, which only its own package reads: 51 packages and 390 MB in an environment, four "
        "seconds to import (measured, 3.29). Export the run with `aim` as CSV.",
        "zh": "Aim：运行保存在 RocksDB 中，只有它自己的软件包能读：环境中 51 个包、390 MB，导入需四秒 (实测，3.29)。"
        "请用 `aim` 将运行导出为 CSV。",
    },
    {
        "en": "Comet, Neptune and ClearML: the runs are on their servers, which ask for an account. Export the run as CSV.",
        "zh": "Comet、Neptune、ClearML：运行保存在其服务器上，读取需要账号。请将运行导出为 CSV。",
    },
    {
        "en": "Checkpoints, pickles and arrays (`.pt`, `.pkl`, `.npy`): loading them may run code.",
        "zh": "检查点、pickle 和数组文件 (`.pt`、`.pkl`、`.npy`)：加载它们可能会执行代码。",
    },
    {
        "en": "spaCy's tables, whose losses are sums since the last evaluation and rise with its interval; the boxes of "
        "Stable-Baselines3, which hold no supervised loss; Darknet.",
        "zh": "spaCy 的表格 (损失是自上次评估以来的累计值，随评估间隔增大)；Stable-Baselines3 的方框输出 (没有监督损失)；Darknet。",
    },
    {
        "en": "Git LFS pointers, HTML pages and LaTeX logs are named for what they are.",
        "zh": "Git LFS 指针、HTML 页面和 LaTeX 日志会被直接指出是什么。",
    },
)
