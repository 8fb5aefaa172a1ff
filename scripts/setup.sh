#!/usr/bin/env bash
# Installs what a build (`build`), the tests (`test`), the benchmarks (`bench`) and the counting of a request's costs
# (`budget`), the Debian package (`deb`) and the image (`image`) need and the machine does not have yet.
# Says nothing and touches nothing when all of it is there.
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(ca-certificates libevent-dev libssl-dev libjansson-dev libpcre2-dev libsqlite3-dev zlib1g-dev libexpat1-dev libpq-dev pkg-config)
test_packages=(python3 python3-venv curl openssl postgresql redis-server binutils groff-base)
# Without these some tests are skipped, and say so.
browser_packages=(chromium fonts-liberation)
client_packages=(awscli golang-go golang-github-aws-aws-sdk-go-dev golang-github-aws-aws-sdk-go-v2-dev ruby ruby-aws-sigv4)
bench_packages=(gcc libc6-dev libssl-dev nginx haproxy)
budget_packages=(gcc libc6-dev libssl-dev python3 valgrind strace)
deb_packages=(debhelper dpkg-dev lintian debootstrap python3 iproute2)
image_packages=(buildah python3 iproute2)

# Git keeps no such modes: in a checkout made with umask 002 a group could write the policies, which `check` and `serve` refuse.
chmod -R go-w policies deploy/samples

fail() {
  printf 'setup: error: %s\n' "$*" >&2
  exit 1
}

check_swift() {
  command -v swift >/dev/null 2>&1 || fail "no \`swift\` on PATH; install Swift 6.3 from swift.org first"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  [ "$(printf '%s\n' 6.2 "$version" | sort -V | head -n 1)" = 6.2 ] \
    || fail "Swift ${version:-of an unknown version} found; 6.2 or later is needed (6.3 is what is tested)"
}

# Installs those of the given Debian packages that are missing.
install_packages() {
  local missing=() package
  for package in "$@"; do
    case "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)" in
      ii*) ;;
      *) missing+=("$package") ;;
    esac
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null 2>&1 \
    || fail "no apt-get here; install the counterparts of these Debian packages yourself: ${missing[*]}"

  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || fail "run as root or install sudo; missing packages: ${missing[*]}"
    as_root=(sudo)
  fi
  printf 'setup: installing %s\n' "${missing[*]}" >&2
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -qq \
    && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install: ${missing[*]}"
  fi
  rm -f "$log"
}

# Takes promtool out of Debian's package of Prometheus, which would be started if it were installed.
get_promtool() {
  local tools=.build/tools folder
  if command -v promtool >/dev/null 2>&1 || [ -x $tools/promtool ]; then return 0; fi
  command -v apt-get >/dev/null 2>&1 || return 1
  printf 'setup: fetching promtool\n' >&2
  folder=$(mktemp -d)
  chmod 755 "$folder"
  mkdir -p $tools
  (cd "$folder" && apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb .) >/dev/null 2>&1 \
    && cp "$folder/usr/bin/promtool" $tools/promtool
  local result=$?
  rm -rf "$folder"
  return $result
}

# Makes .venv with the pinned packages; made anew when the pins change.
make_venv() {
  local requirements=Tests/EndToEnd/requirements.txt stamp=.venv/.requirements
  cmp -s "$requirements" "$stamp" && .venv/bin/python -c 'import boto3, awscli, pytest' 2>/dev/null && return 0

  local python=${PYTHON:-python3}
  usable() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }
  usable "$python" || python=/usr/bin/python3
  usable "$python" || fail "Python 3.10 or later with the venv module is needed (tried ${PYTHON:-python3} and $python)"

  printf 'setup: making .venv with %s\n' "$("$python" --version)" >&2
  rm -rf .venv
  "$python" -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement "$requirements" >&2 \
    || fail "pip could not install $requirements"
  cp "$requirements" "$stamp"
}

[ $# -gt 0 ] || set -- build test
for part in "$@"; do
  case "$part" in
    build)
      check_swift
      install_packages "${build_packages[@]}"
      ;;
    test)
      install_packages "${test_packages[@]}"
      (install_packages "${browser_packages[@]}") || printf 'setup: the tests of the dashboard in a browser are skipped\n' >&2
      (install_packages "${client_packages[@]}") || printf 'setup: the tests with SDKs that no Python package brings are skipped\n' >&2
      get_promtool || printf 'setup: the tests of the alerts are skipped\n' >&2
      make_venv
      ;;
    bench) install_packages "${bench_packages[@]}" ;;
    budget) install_packages "${budget_packages[@]}" ;;
    deb) install_packages "${deb_packages[@]}" ;;
    image) install_packages "${image_packages[@]}" ;;
    *) fail "unknown part \`$part\`; known are build, test, bench, budget, deb and image" ;;
  esac
done
