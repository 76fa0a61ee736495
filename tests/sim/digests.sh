#!/bin/sh
# The same random world under gcc -O2, clang -O2 and this build, with different hash seeds: one digest.
# digests.sh SOURCE_FOLDER BUILD_FOLDER THIS_BUILD'S_PROGRAM
set -eu
root=$1
out=$2/digests
program=$3
mkdir -p "$out"
sources=$(for folder in base value graph cel slo policy entry model gate; do
    ls "$root"/src/$folder/*.c
done | grep -v /yaml.c)
# Of diff only the words: its readers need a library that the world does not.
sources="$sources $root/src/diff/changes.c $root/src/diff/shown.c"
build() {
    # shellcheck disable=SC2086
    "$1" -std=c17 -D_GNU_SOURCE -O2 -ffp-contract=off -iquote "$root/src" -iquote "$root/tests/sim" \
        -o "$out/sim-$1" $sources "$root"/tests/sim/sim_world.c "$root"/tests/sim/sim_ledger.c "$root"/tests/sim/sim_actions.c -lm -lpcre2-8
}
programs=$program
for compiler in gcc clang; do
    if command -v $compiler >/dev/null 2>&1; then
        build $compiler
        programs="$programs $out/sim-$compiler"
    else
        echo "$compiler is not here: its build is not compared"
    fi
done
for seed in 1 2 20270115; do
    hash=0
    want=
    for p in $programs; do
        hash=$((hash + 7))
        got=$("$p" $seed $hash 2500 | sed -n 's/^world //p')
        [ -n "$got" ] || { echo "$p $seed $hash 2500: no digest"; exit 1; }
        [ -n "$want" ] || want=$got
        if [ "$got" != "$want" ]; then
            echo "seed $seed: $p with hash seed $hash makes $got, not $want"
            exit 1
        fi
    done
    echo "seed $seed: $want"
done
