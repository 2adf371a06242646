//! Tests of `likeness`.

use super::{is_chosen, is_random, is_wordy};

#[test]
fn words_are_told_from_random_characters() {
    let check = |value: &str, random: bool| {
        assert_eq!(is_random(value.as_bytes()), random, "{value}");
        assert!(!(random && is_wordy(value.as_bytes())), "{value}");
    };
    check("C3A8KtfzWgeATybklkjRUl", true);
    check("HigqYbRBiCEwTvdpZVMMoOiUZE", true);
    check("9e82dee19c8a4cd4fa4a0291abf75920", true);
    check("b-uNeJxrX-&vNAqnn^d!p6-BdtXerf8p!v", true);
    check("getUserPasswordFromConfig", false);
    check("re_exported_from_core_module", false);
    check("application-default-credentials-v2", false);
    check("Ed25519SigningKey", false);
    check("2024-01-01", false);
    check("aaaaaaaaaaaaaaaa", false);
    check("x7Fq2L", false);
}

#[test]
fn chosen_passwords_mix_three_kinds() {
    let check =
        |value: &str, chosen: bool| assert_eq!(is_chosen(value.as_bytes()), chosen, "{value}");
    check("Winter2024!", true);
    check("Summer2024", true);
    check("winter2024", false);
    check("db-password-v2", false);
    check("Ab1!", false);
}
