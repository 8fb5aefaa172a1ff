#!/usr/bin/env bash
# Builds the Debian packages (`gatehouse` and its debug symbols) from .build/dist into .build/deb, and lets lintian
# judge them. scripts/distribute.sh goes before.
set -euo pipefail
cd "$(dirname "$0")/.."

dist=.build/dist
tree=.build/deb/gatehouse
version=$(cat "$dist/version")
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

umask 022
rm -rf .build/deb
mkdir -p "$tree"/{bin,completions,man,doc/examples/policies,etc/gatehouse/policies,share/gatehouse/{schemas,policies}}
cp -r deploy/debian "$tree/debian"

# With its symbols: dh_strip puts them into a package of their own, found by the build's id.
cp "${GATEHOUSE:-.build/release/gatehouse}" "$tree/bin/gatehouse"
cp "$dist"/completions/* "$tree/completions/"
cp "$dist/man/gatehouse.1" "$tree/man/"

# What a package installs is below /usr, what an administrator does below /usr/local.
# The comment at its head says how to install it by hand.
sed -e '1,/^\[Unit\]/{/^#/d}' -e 's,/usr/local/bin/,/usr/bin/,g' -e 's,/usr/local/share/doc/gatehouse/,/usr/share/doc/gatehouse/docs/,g' \
  deploy/gatehouse.service >"$tree/debian/gatehouse.service"
for unit in deploy/*.socket; do
  [ ! -e "$unit" ] || cp "$unit" "$tree/debian/"
done

mv "$tree/debian/gatehouse.json" "$tree/debian/environment" "$tree/etc/gatehouse/"
cp policies/*.json "$tree/etc/gatehouse/policies/"
cp schemas/*.json "$tree/share/gatehouse/schemas/"
cp policies/*.json "$tree/share/gatehouse/policies/"
cp deploy/samples/tenants.json "$tree/share/gatehouse/"

cp README.md CHANGELOG.md "$tree/doc/"
mkdir "$tree/doc/docs"
cp docs/*.md "$tree/doc/docs/"
cp -r policies/. "$tree/doc/examples/policies/"
for part in samples postgres iam kubernetes compose nginx haproxy prometheus grafana; do
  [ ! -d "deploy/$part" ] || cp -r "deploy/$part" "$tree/doc/examples/"
done
cp deploy/compose.yaml "$tree/doc/examples/"
find "$tree" -name __pycache__ -prune -exec rm -rf {} +

cat >"$tree/debian/changelog" <<END
gatehouse ($version-1) unstable; urgency=medium

  * What is new stands in changelog.gz.

 -- $(sed -n 's/^Maintainer: //p' deploy/debian/control)  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END

(cd "$tree" && dpkg-buildpackage -b -us -uc) >.build/deb/log 2>&1 || { tail -n 40 .build/deb/log >&2; exit 1; }
lintian --fail-on error,warning --allow-root --tag-display-limit 0 .build/deb/gatehouse_"$version"-1_*.deb
ls -l .build/deb/*.deb
