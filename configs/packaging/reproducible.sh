#!/bin/sh
# Builds the binary and both packages from two copies of the tree, in folders of
# different names, each with its own build cache, and compares the bytes.
# Called by `make reproducible`, which passes its own settings.
set -eu
make=$1 go=$2 nfpm=$3 version=$4 revision=$5 time=$6
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
# Both copies first: the tree may be worked on while the first is being built.
git ls-files -z --cached --others --exclude-standard | tar cf "$top/tree.tar" --null -T -
for copy in one another/place; do
	mkdir -p "$top/$copy" "$top/cache"
	tar xf "$top/tree.tar" -C "$top/$copy"
	echo "building in a folder of its own: $copy"
	(cd "$top/$copy" && GOCACHE="$top/cache" "$make" -s build GO="$go" VERSION="$version" REVISION="$revision")
	rm -rf "$top/cache"
	for kind in deb rpm; do
		(cd "$top/$copy" && mkdir -p dist && GOARCH=$("$go" env GOARCH) PACKAGE_VERSION=0.0.0 SOURCE_DATE_EPOCH="$time" \
			$nfpm package -f configs/nfpm.yaml -p "$kind" -t dist/ >/dev/null)
	done
	(cd "$top/$copy" && sha256sum bin/retentiond dist/*) >"$top/sums.$(echo $copy | tr / .)"
done
cmp "$top/sums.one" "$top/sums.another.place" || { diff "$top"/sums.*; exit 1; }
cat "$top/sums.one"
