"""Functions of tensors that scripts use less often, built from those beside this folder."""
