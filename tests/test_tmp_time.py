def test_rows(tiny_rows):
    rows, words = tiny_rows
    import numpy as np
    print(np.bincount(rows.label+1), len(rows.page_ids))
def test_model(tiny_model):
    print(tiny_model.card.scores["held_out"], tiny_model.card.content_threshold, tiny_model.card.spam_threshold)
