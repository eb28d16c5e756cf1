import numpy as np

from plugins.musicvae.data.split import assign_pieces, split_windows

NAMES = [f"song{index}.mid" for index in range(200)]


def test_the_split_has_the_asked_for_sizes() -> None:
    splits = assign_pieces(NAMES, validation_fraction=0.1, test_fraction=0.05)

    assert np.bincount(splits).tolist() == [170, 20, 10]


def test_a_piece_is_in_the_same_split_whatever_the_order() -> None:
    straight = assign_pieces(NAMES, validation_fraction=0.1, test_fraction=0.1)
    backward = assign_pieces(NAMES[::-1], validation_fraction=0.1, test_fraction=0.1)

    np.testing.assert_array_equal(straight, backward[::-1])


def test_three_pieces_are_enough_for_three_splits() -> None:
    splits = assign_pieces(["a", "b", "c"], validation_fraction=0.05, test_fraction=0.05)

    assert sorted(splits.tolist()) == [0, 1, 2]


def windows(*pitches: int) -> np.ndarray:
    """Windows of two notes, a different interval apart for each pitch."""
    return np.array([[50, pitch] for pitch in pitches], dtype=np.uint8)


def test_windows_follow_their_piece() -> None:
    parts = split_windows(windows(60, 61, 62, 63), np.array([0, 1, 2, 1]), np.array([0, 1, 2]))

    assert parts["train"].tokens[:, 1].tolist() == [60]
    assert parts["validation"].tokens[:, 1].tolist() == [61, 63]
    assert parts["test"].tokens[:, 1].tolist() == [62]
    assert parts["validation"].piece.tolist() == [1, 1]


def test_duplicates_within_a_split_are_removed() -> None:
    parts = split_windows(windows(60, 60, 61, 60), np.array([0, 0, 1, 1]), np.array([0, 0]))

    assert parts["train"].tokens[:, 1].tolist() == [60, 61]
    assert parts["train"].piece.tolist() == [0, 1]


def test_held_out_windows_that_training_has_are_removed() -> None:
    tokens = windows(60, 61, 60, 62, 61, 62, 63)
    pieces = np.array([0, 0, 1, 1, 2, 2, 2])

    parts = split_windows(tokens, pieces, np.array([0, 1, 2]))

    assert parts["train"].tokens[:, 1].tolist() == [60, 61]
    assert parts["validation"].tokens[:, 1].tolist() == [62]  # 60 is in train
    assert parts["test"].tokens[:, 1].tolist() == [63]  # 61 is in train, 62 in validation


def test_held_out_windows_that_training_has_in_another_key_are_removed() -> None:
    tokens = np.array([[60, 64], [62, 66], [62, 67]], dtype=np.uint8)

    parts = split_windows(tokens, np.array([0, 1, 1]), np.array([0, 2]))

    assert parts["test"].tokens.tolist() == [[62, 67]]


def test_transpositions_within_training_are_kept() -> None:
    tokens = np.array([[60, 64], [62, 66]], dtype=np.uint8)

    assert len(split_windows(tokens, np.array([0, 0]), np.array([0]))["train"]) == 2
