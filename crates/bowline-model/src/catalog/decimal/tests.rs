//! Decimal text to whole millionths.

use proptest::prelude::*;

use super::{DecimalError, USD_PER_MTOK, USD_PER_TOKEN, price, show};

#[track_caller]
fn check(text: &str, scale: i32, micro: u64, is_exact: bool) {
    let amount = price(text, scale).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(
        (amount.micro_usd_per_mtok, amount.is_exact),
        (micro, is_exact),
        "{text}"
    );
}

#[test]
fn a_decimal_is_converted_to_the_last_millionth() {
    for (text, micro) in [
        ("3", 3_000_000),
        ("0.1", 100_000),
        ("0.3", 300_000),
        ("1.25", 1_250_000),
        ("0.000001", 1),
        ("1_000.5", 1_000_500_000),
        ("+2.50", 2_500_000),
        ("1e1", 10_000_000),
        ("12.5E-1", 1_250_000),
        ("0", 0),
        ("-0.0", 0),
        ("0e999999999999", 0),
        ("1000000", 1_000_000_000_000),
    ] {
        check(text, USD_PER_MTOK, micro, true);
    }
    for (text, micro) in [
        ("3e-06", 3_000_000),
        ("1.5e-05", 15_000_000),
        ("0.000003", 3_000_000),
        ("5.46875e-07", 546_875),
        ("2.4414e-07", 244_140),
        ("5e-09", 5_000),
    ] {
        check(text, USD_PER_TOKEN, micro, true);
    }
}

#[test]
fn what_lies_between_two_millionths_is_never_cheaper() {
    check("0.0000001", USD_PER_MTOK, 1, false);
    check("2.0000001", USD_PER_MTOK, 2_000_001, false);
    check("1e-999999999", USD_PER_TOKEN, 1, false);
    check(
        "0.00000000000000000000000000000000001",
        USD_PER_MTOK,
        1,
        false,
    );
}

#[test]
fn the_rest_of_a_binary_number_in_print_is_not_counted() {
    check("2.9000000000000004", USD_PER_MTOK, 2_900_000, false);
    check("0.39999999999999997", USD_PER_MTOK, 400_000, false);
    check("3.0000000000000004e-06", USD_PER_TOKEN, 3_000_000, false);
    check("1.9999999999999998e-06", USD_PER_TOKEN, 2_000_000, false);
    check("0.08333333333333334", USD_PER_MTOK, 83_334, false);
    check(
        &format!("0.1{}1", "0".repeat(60)),
        USD_PER_MTOK,
        100_000,
        false,
    );
    check("0.100000000000000000000", USD_PER_MTOK, 100_000, true);
    check("1000.00000000000000", USD_PER_MTOK, 1_000_000_000, true);
}

#[test]
fn what_is_no_price_is_refused() {
    for (text, error) in [
        ("", DecimalError::NotANumber),
        ("nan", DecimalError::NotANumber),
        ("inf", DecimalError::NotANumber),
        ("1.", DecimalError::NotANumber),
        (".5", DecimalError::NotANumber),
        ("1e", DecimalError::NotANumber),
        ("1.2.3", DecimalError::NotANumber),
        ("--1", DecimalError::NotANumber),
        ("1__0", DecimalError::NotANumber),
        ("\"3\"", DecimalError::NotANumber),
        ("0x10", DecimalError::NotANumber),
        ("-1", DecimalError::Negative),
        ("-1e-99", DecimalError::Negative),
        ("1000000.1", DecimalError::TooLarge),
        ("1e999999999999999999999", DecimalError::TooLarge),
        (
            "999999999999999999999999999999999999999999",
            DecimalError::TooLarge,
        ),
    ] {
        assert_eq!(price(text, USD_PER_MTOK).unwrap_err(), error, "{text}");
    }
}

proptest! {
    /// What is shown reads as the same amount.
    #[test]
    fn an_amount_survives_being_shown(micro in 0_u64..=1_000_000_000_000) {
        let read = price(&show(micro), USD_PER_MTOK).unwrap();
        prop_assert_eq!((read.micro_usd_per_mtok, read.is_exact), (micro, true));
    }

    /// Any text is read or refused.
    #[test]
    fn any_text_is_read_or_refused(text in "[-+0-9._eE]{0,60}|\\PC{0,20}") {
        let _either = (price(&text, USD_PER_MTOK), price(&text, USD_PER_TOKEN));
    }
}
