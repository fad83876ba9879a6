"""FastChat's apply_delta.py on two folders: python delta-fastchat.py BASE DELTA OUT. Its tokenizers are left out, since there are none. Prints its
peak memory in kilobytes."""

import contextlib
import importlib.util
import resource
import sys
from pathlib import Path

package = Path(importlib.util.find_spec("fastchat").submodule_search_locations[0])
spec = importlib.util.spec_from_file_location("apply_delta", package / "model" / "apply_delta.py")
apply_delta = importlib.util.module_from_spec(spec)
spec.loader.exec_module(apply_delta)


class NoTokenizer:
    @classmethod
    def from_pretrained(cls, *_, **__):
        return cls()

    def save_pretrained(self, *_, **__):
        pass


apply_delta.AutoTokenizer = NoTokenizer
base, delta, out = sys.argv[1:]
with contextlib.redirect_stdout(sys.stderr):
    apply_delta.apply_delta(base, out, delta)
# Kilobytes on Linux.
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
