#!/usr/bin/env bash
# Lays what is installed into .build/dist: the binary without symbols, its debug symbols in a file of their own,
# man page and shell completions. The binary that was built stays as it is, with symbols, for profiles.
# With $GATEHOUSE another binary than the one just built.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=${GATEHOUSE:-.build/release/gatehouse}
dist=.build/dist
[ -x "$binary" ] || { printf 'distribute: error: no %s; run `make build` first\n' "$binary" >&2; exit 1; }

# Everything that is made carries the time of the last commit, so that the same source gives the same bytes.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

umask 022
rm -rf "$dist"
mkdir -p "$dist/man" "$dist/completions"
objcopy --only-keep-debug --compress-debug-sections "$binary" "$dist/gatehouse.debug"
strip --strip-unneeded --remove-section=.comment -o "$dist/gatehouse" "$binary"
(cd "$dist" && objcopy --add-gnu-debuglink=gatehouse.debug gatehouse)
chmod 0755 "$dist/gatehouse"
chmod 0644 "$dist/gatehouse.debug"

python3 scripts/man-page.py "$dist/gatehouse" >"$dist/man/gatehouse.1"
"$dist/gatehouse" --generate-completion-script bash | sed "1{/^#!/d}" >"$dist/completions/gatehouse"
"$dist/gatehouse" --generate-completion-script zsh >"$dist/completions/_gatehouse"
"$dist/gatehouse" --generate-completion-script fish >"$dist/completions/gatehouse.fish"
"$dist/gatehouse" --version | sed 's/.* //' >"$dist/version"
