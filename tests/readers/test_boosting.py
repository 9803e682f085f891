"""XGBoost, LightGBM and CatBoost."""

import pytest

from advisor.errors import UnreadableLog
from advisor.readers import read_bytes


def read(text):
    (run,) = read_bytes(text.encode(), "boost.log")
    return run


def values(run, name):
    return run.series[name].values.tolist()


XGBOOST = (
    "[0]\ttrain-auc:0.90\ttrain-logloss:0.56\teval-auc:0.82\teval-logloss:0.60\n"
    "[1]\ttrain-auc:0.95\ttrain-logloss:0.47\teval-auc:0.83\teval-logloss:0.55\n"
)


def test_a_cross_entropy_is_a_loss_in_nats_and_what_is_maximised_is_none():
    run = read(XGBOOST)
    assert (values(run, "train_loss"), values(run, "eval_loss")) == ([0.56, 0.47], [0.60, 0.55])
    assert run.series["eval_loss"].unit == "nats"
    assert (values(run, "train_auc"), values(run, "eval_auc")) == ([0.90, 0.95], [0.82, 0.83])
    assert (run.axis, run.series["train_loss"].x.tolist(), run.series["train_loss"].line.tolist()) == ("step", [0, 1], [1, 2])


def test_a_log_of_scores_alone_holds_no_loss():
    with pytest.raises(UnreadableLog):
        read("[0]\ttrain-auc:0.90\teval-auc:0.82\n[1]\ttrain-auc:0.95\teval-auc:0.83\n")


@pytest.mark.parametrize("metric", ["rmse", "mae", "tweedie-nloglik@1.5", "error"])
def test_an_error_that_is_no_cross_entropy_has_no_unit(metric):
    run = read(f"[0]\tvalidation_0-{metric}:0.41\tvalidation_1-{metric}:0.44\n[1]\tvalidation_0-{metric}:0.35\n")
    assert (values(run, "train_loss"), values(run, "eval_loss")) == ([0.41, 0.35], [0.44])
    assert run.series["train_loss"].unit == run.series["eval_loss"].unit == ""


def test_a_single_set_without_a_name_is_the_evaluation():
    assert values(read("[0]\tvalidation_0-rmse:0.41\n[1]\tvalidation_0-rmse:0.35\n"), "eval_loss") == [0.41, 0.35]


def test_means_of_a_cross_validation_are_read_without_their_deviation():
    run = read("[0]\ttrain-logloss:0.55+0.007\ttest-logloss:0.61+0.006\n[1]\ttrain-logloss:0.46+0.007\ttest-logloss:0.57+0.01\n")
    assert values(run, "eval_loss") == [0.61, 0.57]


def test_lightgbm_is_read_and_its_best_iteration_told_again_is_no_point():
    run = read(
        "[5]\ttraining's auc: 0.91\ttraining's binary_logloss: 0.52\tvalid_1's auc: 0.83\tvalid_1's binary_logloss: 0.57\n"
        "[10]\ttraining's auc: 0.92\ttraining's binary_logloss: 0.43\tvalid_1's auc: 0.84\tvalid_1's binary_logloss: 0.53\n"
        "Early stopping, best iteration is:\n"
        "[8]\ttraining's auc: 0.92\ttraining's binary_logloss: 0.45\tvalid_1's auc: 0.84\tvalid_1's binary_logloss: 0.52\n"
    )
    assert (values(run, "train_loss"), values(run, "eval_loss")) == ([0.52, 0.43], [0.57, 0.53])


def test_lightgbms_command_line_prints_one_metric_a_line():
    run = read(
        "[LightGBM] [Info] Iteration:1, training l2 : 0.5\n[LightGBM] [Info] Iteration:1, valid_1 l2 : 0.6\n"
        "[LightGBM] [Info] Iteration:2, training l2 : 0.4\n[LightGBM] [Info] Iteration:2, valid_1 l2 : 0.55\n"
    )
    assert (values(run, "train_loss"), values(run, "eval_loss")) == ([0.5, 0.4], [0.6, 0.55])


CATBOOST = "{i}:\tlearn: {l}\ttest: {t}\tbest: {b} ({i})\ttotal: 49.4ms\tremaining: 1.43s\n"


def test_catboost_is_read_as_a_loss_without_a_unit():
    rows = ((0, 0.66, 0.67, 0.67), (5, 0.57, 0.58, 0.58), (10, 0.50, 0.59, 0.58))
    run = read("".join(CATBOOST.format(i=i, l=learn, t=test, b=best) for i, learn, test, best in rows))
    assert (values(run, "train_loss"), values(run, "eval_loss")) == ([0.66, 0.57, 0.50], [0.67, 0.58, 0.59])
    assert run.series["train_loss"].unit == ""


def test_a_catboost_metric_whose_best_is_the_highest_is_no_loss():
    rows = ((0, 0.80, 0.79, 0.79), (5, 0.90, 0.85, 0.85), (10, 0.95, 0.84, 0.85))
    with pytest.raises(UnreadableLog):
        read("".join(CATBOOST.format(i=i, l=learn, t=test, b=best) for i, learn, test, best in rows))
