//! The allow-list over small package lists.

use super::judge;
use crate::metadata::Package;

fn check(licence: Option<&str>, expect: &[&str]) {
    let package = Package {
        name: "some".into(),
        version: "1.0.0".into(),
        licence: licence.map(str::to_owned),
        ..Package::default()
    };
    assert_eq!(judge(&[package]).lines(), expect, "{licence:?}");
}

#[test]
fn permissive_licences_pass() {
    check(Some("MIT OR Apache-2.0"), &[]);
    check(Some("MIT OR Apache-2.0 OR LGPL-2.1-or-later"), &[]);
    check(Some("(Apache-2.0 OR MIT) AND BSD-3-Clause"), &[]);
    check(Some("Unlicense/MIT"), &[]);
}

#[test]
fn copyleft_missing_and_unreadable_licences_are_found() {
    check(
        Some("GPL-3.0-only"),
        &["some 1.0.0: its licence `GPL-3.0-only` is not on the list"],
    );
    check(
        Some("MIT AND MPL-2.0"),
        &["some 1.0.0: its licence `MIT AND MPL-2.0` is not on the list"],
    );
    check(None, &["some 1.0.0: its manifest names no licence"]);
    check(
        Some("MIT OR"),
        &["some 1.0.0: `MIT OR` cannot be read: the licence expression ends too early"],
    );
}
