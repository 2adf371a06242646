//! Amounts of money as tables and people write them: decimal text in, whole millionths out, without
//! a floating-point number in between.

/// The highest price that is taken: a million dollars for a million tokens.
const MICRO_USD_MAX: u128 = 1_000_000_000_000;

/// A million tokens cost this: dollars to millionths of a dollar.
pub const USD_PER_MTOK: i32 = 6;

/// One token costs this: dollars for one to millionths of a dollar for a million.
pub const USD_PER_TOKEN: i32 = 12;

/// A price that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// Millionths of a dollar for a million tokens; the next higher one if it lies between two.
    pub micro_usd_per_mtok: u64,
    /// Whether it lies on a whole millionth.
    pub is_exact: bool,
}

/// Why a text is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// It is not a number.
    #[error("is not a number")]
    NotANumber,
    /// It is below zero.
    #[error("is below zero")]
    Negative,
    /// It is beyond what anything costs.
    #[error("is over a million dollars for a million tokens")]
    TooLarge,
}

/// Reads a decimal number such as `2.50`, `1_000` or `3e-06`; `scale` says what it is the price of,
/// [`USD_PER_MTOK`] or [`USD_PER_TOKEN`]. What lies between two millionths counts as the higher one,
/// so that nothing is taken to be cheaper than it is. From the 16th digit on a number is what a
/// binary one looks like in print (`2.9000000000000004`), and is rounded to 15.
///
/// # Errors
/// [`DecimalError`] for anything that is not a number from zero to a million dollars for a million.
pub fn price(text: &str, scale: i32) -> Result<Amount, DecimalError> {
    let number = Number::read(text)?;
    let exponent = number.exponent.saturating_add(scale);
    let (value, is_exact) = if number.digits == 0 {
        (0, true)
    } else if let Ok(up) = u32::try_from(exponent) {
        let factor = 10_u128.checked_pow(up).ok_or(DecimalError::TooLarge)?;
        let value = number.digits.checked_mul(factor);
        (value.ok_or(DecimalError::TooLarge)?, true)
    } else {
        match 10_u128.checked_pow(exponent.unsigned_abs()) {
            Some(divisor) => (
                number.digits.div_ceil(divisor),
                number.digits.is_multiple_of(divisor),
            ),
            // Smaller than the smallest millionth.
            None => (1, false),
        }
    };
    if value > MICRO_USD_MAX {
        return Err(DecimalError::TooLarge);
    }
    Ok(Amount {
        micro_usd_per_mtok: u64::try_from(value).map_err(|_| DecimalError::TooLarge)?,
        is_exact: is_exact && !number.is_cut,
    })
}

/// Millionths of a dollar as dollars, with as many decimals as it takes: `2`, `0.125`.
#[must_use]
pub fn show(micro_usd: u64) -> String {
    let (whole, rest) = (micro_usd / 1_000_000, micro_usd % 1_000_000);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = format!("{rest:06}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// Digits that a binary floating-point number can hold for sure.
const DIGITS_MAX: u32 = 15;

/// `digits` times ten to the `exponent`.
struct Number {
    digits: u128,
    exponent: i32,
    /// How many digits are taken, zeros in front not counted.
    count: u32,
    /// The first digit that is left out.
    next: Option<u8>,
    /// Whether a digit other than zero is left out.
    is_cut: bool,
}

impl Number {
    fn read(text: &str) -> Result<Self, DecimalError> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, power(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        if !is_digits(whole) || !is_digits(fraction) {
            return Err(DecimalError::NotANumber);
        }
        let mut number = Self {
            digits: 0,
            exponent,
            count: 0,
            next: None,
            is_cut: false,
        };
        for digit in whole.bytes() {
            number.push(digit, false);
        }
        for digit in fraction.bytes() {
            number.push(digit, true);
        }
        number.digits += u128::from(number.next.is_some_and(|next| next >= 5));
        if is_negative && (number.digits > 0 || number.is_cut) {
            return Err(DecimalError::Negative);
        }
        Ok(number)
    }

    fn push(&mut self, digit: u8, is_fraction: bool) {
        if digit == b'_' {
            return;
        }
        let digit = digit - b'0';
        if self.count < DIGITS_MAX {
            self.digits = self.digits * 10 + u128::from(digit);
            self.count += u32::from(self.digits > 0);
            self.exponent = self.exponent.saturating_sub(i32::from(is_fraction));
        } else {
            self.next.get_or_insert(digit);
            self.is_cut |= digit > 0;
            self.exponent = self.exponent.saturating_add(i32::from(!is_fraction));
        }
    }
}

/// Digits, which may be set apart by single `_`.
fn is_digits(text: &str) -> bool {
    text.split('_')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn power(text: &str) -> Result<i32, DecimalError> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if !is_digits(digits) {
        return Err(DecimalError::NotANumber);
    }
    // What has more digits than this is as good as without end.
    let power = digits.replace('_', "").parse().unwrap_or(1_000_000_i32);
    Ok(sign * power.min(1_000_000))
}

#[cfg(test)]
mod tests;
