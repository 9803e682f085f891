"""Names of quantities other than losses: preference optimisation, reinforcement learning, speed and memory.

Names on the left are TRL's where it has one. Each alias also counts with `train_` before it, as trackers write it.
"""

from __future__ import annotations

from collections.abc import Mapping

_TRAINING: Mapping[str, tuple[str, ...]] = {
    # Preference optimisation: TRL, LLaMA-Factory and ms-swift; the DPO authors' code (rewards_train/…); OpenRLHF (chosen_reward).
    "rewards/chosen": ("rewards_chosen", "rewards_train_chosen", "chosen_reward", "chosen_rewards"),
    "rewards/rejected": ("rewards_rejected", "rewards_train_rejected", "reject_reward", "rejected_reward", "rejected_rewards"),
    "rewards/margins": ("rewards_margins", "rewards_train_margins", "reward_margin", "rewards_margin"),
    "rewards/accuracies": ("rewards_accuracies", "rewards_train_accuracies", "reward_accuracy", "preference_accuracy"),
    "logps/chosen": ("logps_chosen", "logps_train_chosen"),
    "logps/rejected": ("logps_rejected", "logps_train_rejected"),
    "dpo_loss": ("dpo_loss",),
    "log_odds_ratio": ("log_odds_ratio", "odds_ratio_loss"),
    # Reinforcement learning: TRL; verl (actor/…, critic/…, response_length/…); OpenRLHF; ms-swift as TRL.
    "reward": ("reward", "mean_reward", "objective_scores", "rewards_mean", "critic_rewards_mean", "critic_score_mean",
               "episode_reward", "reward_mean", "env_reward_mean"),
    "reward_std": ("reward_std", "rewards_std", "env_reward_std"),
    "frac_reward_zero_std": ("frac_reward_zero_std",),
    "kl": ("kl", "objective_kl", "actor_kl_loss", "critic_kl", "actor_reward_kl_penalty"),
    "entropy": ("entropy", "entropy_mean", "actor_entropy", "actor_entropy_loss", "policy_entropy", "objective_entropy",
                "policy_entropy_avg", "ppo_policy_entropy"),
    "completions/mean_length": ("completions_mean_length", "completion_length", "response_length_mean", "response_length",
                                "mean_response_length"),
    "completions/clipped_ratio": ("completions_clipped_ratio", "response_length_clip_ratio", "response_clip_ratio"),
    "clip_ratio": ("clip_ratio_region_mean", "clip_ratio", "actor_pg_clipfrac", "pg_clipfrac", "ppo_clip_ratio", "clipfrac",
                   "policy_clipfrac_avg", "ppo_policy_clipfrac"),
    "value_loss": ("critic_vf_loss", "value_loss", "critic_loss", "loss_value_avg", "vf_loss", "ppo_loss_value"),
    "sampling/logp_difference": ("sampling_sampling_logp_difference_mean",),
    # Speed and memory. A series is compared with itself only, so seconds and milliseconds, GiB and MB need no telling apart.
    "tokens_per_second": (
        "tokens_per_second", "tok_s", "tokens_s", "tok_sec", "tokens_sec", "tokens_per_sec", "tps", "tgs", "tok_per_sec",
        "tokens_per_second_per_gpu", "tokens_train_per_sec_per_gpu", "perf_throughput", "throughput",
    ),
    "samples_per_second": (
        "samples_per_second", "samples_per_sec", "samples_s", "samples_sec", "examples_per_second", "samples_per_second_per_gpu",
    ),
    "steps_per_second": (
        "steps_per_second", "steps_per_sec", "it_s", "it_sec", "iter_s", "iter_sec", "iterations_per_second", "speed_iter_s",
    ),
    "step_time": (
        "step_time", "step_time_s", "step_time_ms", "iter_time", "iter_time_ms", "iteration_time", "time_per_step",
        "time_per_iteration", "sec_per_step", "seconds_per_step", "sec_per_iter", "s_it", "speed_s_it", "batch_time",
        "elapsed_time_per_iteration", "elapsed_time_per_iteration_ms", "perf_time_per_step", "timing_s_step",
    ),
    "data_time": ("data_time", "data_wait", "data_wait_time", "data_loading_time", "data_load_time", "dataloader_time"),
    "memory": (
        "memory", "gpu_memory", "gpu_mem", "mem", "memory_gib", "memory_gb", "gpu_memory_gb", "gpu_mem_gb", "used_gpu_memory",
        "peak_mem", "peak_memory", "peak_memory_active", "peak_memory_alloc", "max_memory_allocated", "memory_max_active_gib",
        "memory_max_mem_active_gib", "memory_max_active", "perf_max_memory_allocated_gb", "vram", "vram_gb", "显存",
    ),
    "gpu_utilisation": ("gpu_utilisation", "gpu_utilization", "gpu_util", "gpu_utilization_pct", "system_gpu_0_gpu"),
}  # fmt: skip

_EVALUATIONS: Mapping[str, tuple[str, ...]] = {
    "eval_reward": ("eval_reward", "val_reward", "valid_reward", "eval_rewards_mean", "eval_mean_reward", "test_reward"),
    **{
        f"eval_rewards/{kind}": (f"eval_rewards_{kind}", f"rewards_eval_{kind}", f"valid_rewards_{kind}", f"val_rewards_{kind}")
        for kind in ("chosen", "rejected", "margins", "accuracies")
    },
}

QUANTITIES: Mapping[str, tuple[str, ...]] = {
    **{name: (*aliases, *(f"train_{alias}" for alias in aliases)) for name, aliases in _TRAINING.items()},
    **_EVALUATIONS,
}
