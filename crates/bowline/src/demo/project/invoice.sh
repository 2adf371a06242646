#!/bin/sh
# Prints the total of the amounts given as arguments, in cents, with the discount taken off.
here=$(dirname "$0")
. "$here/lib/discount.sh"

total=0
for amount in "$@"; do
    total=$((total + amount))
done
with_discount "$total"
