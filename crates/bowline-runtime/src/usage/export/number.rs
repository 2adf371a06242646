//! Numbers as exports write them.

/// A decimal number times ten to the power of `places`, rounded to the nearest; `None` for what is
/// no number, negative, or too large.
#[must_use]
pub fn scaled(text: &str, places: i32) -> Option<u64> {
    let text = text.trim();
    let text = text.strip_prefix('$').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if !whole
        .bytes()
        .chain(fraction.bytes())
        .all(|it| it.is_ascii_digit())
    {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let length = i32::try_from(digits.len()).ok()?;
    // How many of the digits stand before the point once it is moved.
    let kept = length
        .checked_sub(i32::try_from(fraction.len()).ok()?)?
        .checked_add(exponent)?
        .checked_add(places)?;
    match kept {
        ..0 => Some(0),
        21.. => None,
        kept => {
            let kept = usize::try_from(kept).ok()?;
            let (before, after) = digits.split_at(kept.min(digits.len()));
            let mut value: u128 = if before.is_empty() {
                0
            } else {
                before.parse().ok()?
            };
            for _ in digits.len()..kept {
                value = value.checked_mul(10)?;
            }
            let up = after.bytes().next().is_some_and(|digit| digit >= b'5');
            u64::try_from(value + u128::from(up)).ok()
        }
    }
}

/// A whole number, also one that is written with a point and nothing but zeros behind it.
pub(super) fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let zeros = fraction.bytes().all(|it| it == b'0');
    let digits = !whole.is_empty() && whole.bytes().all(|it| it.is_ascii_digit());
    if zeros && digits {
        whole.parse().ok()
    } else {
        None
    }
}
