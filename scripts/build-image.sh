#!/usr/bin/env bash
# Builds the OCI image from .build/dist with buildah: .build/image/gatehouse-VERSION.tar, an oci-archive, and beside it
# the image's digest. The same source on the same machine gives the same digest. scripts/distribute.sh goes before.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(cat .build/dist/version)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
context=.build/image/context
archive=.build/image/gatehouse-$version.tar

umask 022
rm -rf .build/image
mkdir -p "$context/root"
python3 scripts/image-root.py .build/dist/gatehouse "$context/root"

# Not the machine's own store of images, nor what builds left there before.
store=(--root "$PWD/.build/image/store" --runroot "$PWD/.build/image/run" --storage-driver vfs)
labels=(
  --label org.opencontainers.image.title=gatehouse
  --label "org.opencontainers.image.description=Policy gateway for the Amazon Chime SDK Identity API"
  --label "org.opencontainers.image.version=$version"
  --label "org.opencontainers.image.revision=$(git rev-parse HEAD)"
  --label "org.opencontainers.image.created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)"
  --label org.opencontainers.image.licenses=Apache-2.0
)
buildah "${store[@]}" bud --quiet --isolation chroot --format oci --identity-label=false \
  --timestamp "$SOURCE_DATE_EPOCH" "${labels[@]}" \
  --file deploy/image/Containerfile --tag "gatehouse:$version" "$context" >/dev/null
buildah "${store[@]}" push --quiet --digestfile .build/image/digest \
  "gatehouse:$version" "oci-archive:$archive:gatehouse:$version"
rm -rf .build/image/store .build/image/run
ls -l "$archive"
cat .build/image/digest
echo
