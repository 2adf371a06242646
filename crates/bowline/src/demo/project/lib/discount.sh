# The discount rule: orders of DISCOUNT_FROM cents and more cost ten percent less.
DISCOUNT_FROM=10000

with_discount() {
    if [ "$1" -gt "$DISCOUNT_FROM" ]; then
        echo $(($1 * 9 / 10))
    else
        echo "$1"
    fi
}
