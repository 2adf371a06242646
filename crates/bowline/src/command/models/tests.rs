//! How lists of models look.

use bowline_core::price::ModelFacts;
use bowline_model::catalog;

use super::{row, short};
use crate::prices::{From, Known};

#[test]
fn a_length_is_short_and_never_more_than_it_is() {
    for (tokens, text) in [
        (512, "512"),
        (8_192, "8K"),
        (128_000, "128K"),
        (999_999, "999K"),
        (1_000_000, "1M"),
        (1_047_576, "1.04M"),
        (2_000_000, "2M"),
        (10_500_000, "10.5M"),
    ] {
        assert_eq!(short(tokens), text);
    }
}

#[test]
fn rows_fit_80_columns_and_say_what_is_unknown() {
    for built_in in catalog::built_in() {
        let known = Known {
            facts: catalog::facts(&built_in.id).unwrap(),
            id: built_in.id,
            from: From::BuiltIn,
        };
        let line = row(&known);
        assert!(line.chars().count() <= 80 && !line.contains('\n'), "{line}");
    }
    let nothing = Known {
        id: "an-endpoint-with-a-long-name/of-a-model".parse().unwrap(),
        facts: ModelFacts::default(),
        from: From::Config,
    };
    let lines = row(&nothing);
    assert_eq!(lines.lines().count(), 2);
    assert!(
        lines.lines().all(|line| line.chars().count() <= 80),
        "{lines}"
    );
    assert!(
        lines.ends_with("unknown unknown unknown  config"),
        "{lines}"
    );
}
