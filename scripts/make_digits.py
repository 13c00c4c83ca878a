"""Builds minitorch/data/digits.npz, the bundled digits, from scikit-learn's copy (`pip install scikit-learn`).

The set is the test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak, UCI
Machine Learning Repository, 1998, licensed under CC BY 4.0. Equal input gives equal bytes, on every platform.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

ATTRIBUTION = (
    "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits.",
    "UCI Machine Learning Repository, 1998.",
    "https://doi.org/10.24432/C50P49",
    "Licensed under CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
    "Changes: the test part only, as uint8 arrays in file order.",
)
TARGET = Path(__file__).resolve().parent.parent / "minitorch" / "data" / "digits.npz"


def pack(**arrays: npt.NDArray[np.generic]) -> bytes:
    """Return the bytes of an uncompressed npz without clocks or platforms in them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1998, 7, 1, 0, 0, 0))
            entry.create_system = 3  # the byte that tells Unix from Windows
            archive.writestr(entry, content.getvalue())
    return packed.getvalue()


def build() -> bytes:
    """Return the bytes of digits.npz: 1,797 images of 8x8, values 0..16, their labels, the attribution."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    images, labels = load_digits(return_X_y=True)
    return pack(
        images=images.reshape(-1, 1, 8, 8).astype(np.uint8),
        labels=labels.astype(np.uint8),
        attribution=np.array(ATTRIBUTION),
    )


if __name__ == "__main__":
    TARGET.write_bytes(build())
    print(f"wrote {TARGET}, {TARGET.stat().st_size} bytes")
