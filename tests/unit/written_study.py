"""The text of a good study of one table, to be spoilt in one place."""

HEADER = "participant_id,site,age,sex,size [cm],g1,g2,months,died,dx,score,scanner,blur,scan_day,dx_day\n"
STUDY = """\
name: mine
title: A study
question: Which model ranks patients better?
estimand: new-patients
cohorts:
  ours: {table: TABLE}
tasks:
  os:
    title: Overall survival
    cohorts: [ours]
    outcome: {time: months, event: died, event_value: 1}
    inputs:
      clinical: [age, sex]
      genes: [g*]
    horizon: 12
models:
  cox:
    use: cox
    label: Cox
    inputs: [clinical]
    options: {ridge: [1.0, 10.0]}
  km: {use: kaplan_meier}
validation:
  split: repeated_kfold
  options: {folds: 5, repeats: 2}
statistics:
  metrics:
    - harrell_c
    - brier
  figures: [forest]
audit: {same_content: warn}
tolerance: {patients: 0.1}
"""


def line_of(path, word):
    """Line of a file that holds a word first."""
    return next(i for i, line in enumerate(path.read_text().splitlines(), 1) if word in line)
