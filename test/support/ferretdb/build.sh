#!/usr/bin/env bash
# Builds the test's MongoDB-protocol server: `build.sh FOLDER` leaves FOLDER/ferretdb. Needs Go and git.
# FerretDB 1.24 on SQLite never uses its index of _id (its questions name the field otherwise than the index does) and reads
# the whole collection for all else; mended.patch mends the first, leaves out rows that cannot match before they are decoded,
# has changes of a collection take turns (each reads and writes in two steps, and two processes would lose what the other wrote),
# and keeps no index that is not unique. What a question means stays FerretDB's: it filters, sorts and refuses as ever.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
module=github.com/FerretDB/FerretDB
export GOFLAGS=-mod=mod

mkdir -p "$folder"
cd "$here"
cp go.mod go.sum "$folder/"
go mod download "$module"
rm -rf "$folder/source"
cp -r "$(go list -m -f '{{.Dir}}' "$module")" "$folder/source"
chmod -R u+w "$folder/source"
# Told where no repository begins: inside one, git would leave the files alone.
(cd "$folder/source" && GIT_CEILING_DIRECTORIES=$(dirname "$PWD") git apply "$here/mended.patch")
go mod edit -replace "$module=$folder/source" "$folder/go.mod"
go build -modfile="$folder/go.mod" -o "$folder/ferretdb" .
