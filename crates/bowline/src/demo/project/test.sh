#!/bin/sh
# Runs every test; ends with 1 if one fails.
here=$(dirname "$0")
passed=0
failed=0

check() {
    expected=$1
    shift
    got=$(sh "$here/invoice.sh" "$@")
    if [ "$got" = "$expected" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: invoice.sh $* printed $got, expected $expected"
    fi
}

check 5000 2500 2500
check 10800 8000 4000
check 9000 10000

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
