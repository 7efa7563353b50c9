from __future__ import annotations

from thresher_bench.cli import main

if __name__ == "__main__":
    main()
