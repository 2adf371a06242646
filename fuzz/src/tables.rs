//! Tables of models that others keep, and the one that was imported before.

use bowline_core::ModelRef;
use bowline_model::catalog::decimal::{USD_PER_MTOK, USD_PER_TOKEN, price};
use bowline_model::catalog::import::{merge, read};
use bowline_model::catalog::table::{Row, find, rows};

/// A table of either form is read or refused; what is read can be written down and found again.
pub(crate) fn prices(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        std::hint::black_box((price(text, USD_PER_MTOK).ok(), price(text, USD_PER_TOKEN).ok()));
        // The same bytes as a table that was damaged on disk.
        for row in rows(text) {
            assert_eq!(Row::parse(&row.to_string()), Some(row));
        }
        std::hint::black_box(find(text, "p", "m-20250929"));
    }
    let Ok(found) = read(data, "2026-11-26", None) else {
        return;
    };
    let merged = merge("", &found.rows, |_| None);
    assert_eq!(merged.new.len(), found.rows.len());
    assert!(rows(&merged.text).eq(found.rows.iter().cloned()));
    for row in &found.rows {
        let id: &ModelRef = &row.id;
        assert_eq!(find(&merged.text, id.provider(), id.model()).as_ref(), Some(row));
    }
    let again = merge(&merged.text, &found.rows, |_| None);
    assert_eq!((again.same, again.text), (found.rows.len(), merged.text));
}
