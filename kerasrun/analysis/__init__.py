"""What runs say when they are laid side by side: records in, tables and words out; never TensorFlow, never printing.

From a question to a table    question, choice, columns, moments, fairness, groups, outcomes, compare; its rows are
                              means (over seeds), one_seed (runs), targets (epochs to a value), planning (seeds that
                              are missing, shares of axes); beside them remarks and explanation; comparison, amounts
                              and tables write it
Statistics, numbers alone     statistics (the door), student, counts, verdicts (the words), crossed (seeds and
                              images), shares, variances, tuned_rates
Claims of a file              claims, claim_parts, places, layer_numbers, evidence, findings, sameness, looks, decisions
Why a network does not learn  patient, illnesses, diagnosis
One model on examples         evaluation, scores, residuals, mistakes, answers, predictions
Pictures                      charts (what is shown), plots and figures (of which numbers), drawings and images (in a
                              terminal), pictures, evaluation_pictures and region_pictures (as files)
"""
