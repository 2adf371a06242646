//! Files of rules: what is read, what is refused and where.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<Vec<FileRule>, ConfigError> {
    parse_rules(Layer::User, "rules.toml", text)
}

#[test]
fn a_file_is_read_with_everything_it_says() {
    let text = r#"
# What this project may do.
[[rule]]
allow = ["write(docs/**)", "write(notes.md)"]
reason = "prose is harmless"
expires = 2027-01-31
allows = ["write docs/a.md", "write notes.md"]
denies = ["write src/a.rs"]

[[rule]]
deny = "read(vault/**)"
denies = "read vault/a"

[[rule]]
ask = "host(*)"

[[rule]]
deny = "spend(2.50)"
expires = "2026-01-01T12:00:00+02:00"
"#;
    let rules = read(text).unwrap();
    let seen: Vec<_> = rules
        .iter()
        .map(|one| {
            let source = &one.rule.source;
            (
                one.rule.verdict,
                source.rule.as_str(),
                source.line,
                one.table,
            )
        })
        .collect();
    use Verdict::{Allow, Ask, Deny};
    assert_eq!(
        seen,
        [
            (Allow, "write(docs/**)", Some(4), 0),
            (Allow, "write(notes.md)", Some(4), 0),
            (Deny, "read(vault/**)", Some(11), 1),
            (Ask, "host(*)", Some(15), 2),
            (Deny, "spend(2.50)", Some(18), 3),
        ]
    );
    assert_eq!(rules[0].reason.as_deref(), Some("prose is harmless"));
    // The first moment of the day after, and 10:00 UTC.
    assert_eq!(rules[0].expires_at_ms, Some(1_801_440_000_000));
    assert_eq!(rules[4].expires_at_ms, Some(1_767_261_600_000));
    assert_eq!(rules[2].expires_at_ms, None);
    assert!(rules[0].is_expired(1_801_440_000_000) && !rules[0].is_expired(1_801_439_999_999));
    assert_eq!((rules[1].allows.len(), rules[1].denies.len()), (2, 1));
    assert!(
        rules
            .iter()
            .all(|one| one.rule.source.file.as_deref() == Some("rules.toml"))
    );
    assert!(read("").unwrap().is_empty());
    assert!(read("# nothing yet\n").unwrap().is_empty());
}

fn check(text: &str, place: &str, parts: &[&str]) {
    let error = read(text).unwrap_err();
    assert_eq!(error.place, place, "{text}: {error}");
    for part in parts {
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

fn table(lines: &str) -> String {
    format!("[[rule]]\n{lines}\n")
}

#[test]
fn what_is_wrong_is_refused_with_its_line_and_what_to_do() {
    check("x", "rules.toml:1", &["not valid TOML"]);
    check(
        "\n\nrules = 1",
        "rules.toml:3",
        &["unknown key `rules`", "[[rule]]"],
    );
    check(
        "rule = 1",
        "rules.toml:1",
        &["`rule` is", "begins with [[rule]]"],
    );
    check(
        "[rule]\nallow = \"ls\"",
        "rules.toml:1",
        &["begins with [[rule]]"],
    );
    check(
        &table("alow = \"ls\""),
        "rules.toml:2",
        &["unknown key `rule.alow`", "Did you mean `allow`?"],
    );
    check(
        &table("colour = 1"),
        "rules.toml:2",
        &["A rule has allow, ask, deny, reason"],
    );
    check(
        &table("reason = \"x\""),
        "rules.toml:1",
        &["says nothing", "allow, ask and deny"],
    );
    check(
        &table("deny = \"ls\"\nallow = \"ls\""),
        "rules.toml:2",
        &["both `allow` and `deny`"],
    );
    check(&table("allow = []"), "rules.toml:2", &["names nothing"]);
    check(
        &table("allow = 3"),
        "rules.toml:2",
        &["a text in quotes or a list"],
    );
    check(
        &table("allow = [\"ls\", 3]"),
        "rules.toml:2",
        &["a list of such"],
    );
    check(
        &table("deny = [\n\"ls\",\n\"raed(x)\",\n]"),
        "rules.toml:4",
        &["there is no `raed(..)`", "mcp(SERVER/TOOL)"],
    );
}

#[test]
fn caps_dates_and_reasons_that_cannot_be_meant_are_refused() {
    check(
        &table("allow = \"spend(3)\""),
        "rules.toml:2",
        &["money can only be denied"],
    );
    check(
        &table("deny = \"spend(3)\"\ndenies = [\"x\"]"),
        "rules.toml:3",
        &["takes no examples"],
    );
    check(
        &table("deny = \"spend(much)\""),
        "rules.toml:2",
        &["give dollars"],
    );
    for date in ["tomorrow", "12:00:00", "2026-13-01"] {
        check(
            &table(&format!("deny = \"ls\"\nexpires = \"{date}\"")),
            "rules.toml:3",
            &["is no date", "2027-01-31"],
        );
    }
    check(
        &table("deny = \"ls\"\nexpires = 3"),
        "rules.toml:3",
        &["is no date"],
    );
    check(
        &table("deny = \"ls\"\nreason = 3"),
        "rules.toml:3",
        &["text in quotes"],
    );
    let long = format!("deny = \"ls\"\nreason = \"{}\"", "x".repeat(1_001));
    check(&table(&long), "rules.toml:3", &["longer than 1000 bytes"]);
}

#[test]
fn a_rule_that_is_wrong_by_its_example_is_refused_with_the_example() {
    let check = |lines: &str, line: u32, parts: &[&str]| {
        let error = read(&format!("[[rule]]\n{lines}\n")).unwrap_err();
        assert_eq!(error.place, format!("rules.toml:{line}"), "{error}");
        for part in parts {
            assert!(error.to_string().contains(part), "{error}");
        }
    };
    check(
        "allow = \"write(docs/*)\"\nallows = [\n  \"write docs/a.md\",\n  \"write docs/a/b.md\",\n]",
        5,
        &[
            "`write(docs/*)`",
            "`write docs/a/b.md`",
            "under `allows`",
            "came to `ask`",
        ],
    );
    check(
        "deny = \"read(vault/*)\"\nallows = [\"read vault/a\"]",
        3,
        &["came to `deny`", "refused by the rule"],
    );
    check(
        "deny = \"read(vault/*)\"\ndenies = [\"read vaults/a\"]",
        3,
        &["under `denies`", "came to `allow`"],
    );
}

#[test]
fn too_many_rules_are_refused() {
    let text = "[[rule]]\ndeny = \"read(a/b/*.c)\"\n".repeat(50);
    assert_eq!(
        parse_at_most(50, Layer::User, "f", &text).unwrap().len(),
        50
    );
    let error = parse_at_most(49, Layer::User, "f", &text).unwrap_err();
    assert!(error.to_string().contains("more than 49 rules"), "{error}");
    assert_eq!(error.place, "f:99");
}

proptest! {
    /// Whatever a file holds, reading it gives rules or an error with a place.
    #[test]
    fn any_text_is_read_or_refused(
        text in "\\PC{0,200}|(\\[\\[rule\\]\\]\n)?([a-z]{3,8} = (\"[a-z(*/) ]{0,12}\"|[0-9-]{1,10})\n){0,5}"
    ) {
        if let Err(error) = read(&text) {
            prop_assert!(error.place.starts_with("rules.toml"), "{error}");
        }
    }
}
