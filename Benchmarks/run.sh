#!/usr/bin/env bash
# Installs what the benchmark needs, builds its two C programs and runs it. Arguments go to bench.py.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build test bench
tools=.build/bench
mkdir -p "$tools"
cc -O2 -Wall -Wextra -o "$tools/upstream" Benchmarks/upstream.c
cc -O2 -Wall -Wextra -o "$tools/load" Benchmarks/load.c Benchmarks/requests.c -lssl -lcrypto
exec .venv/bin/python Benchmarks/bench.py --tools "$tools" "$@"
