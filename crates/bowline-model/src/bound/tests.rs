//! The tables are true, pieces are those of the tokenizer, and the bound holds for every text.

mod odd;

use bpe_openai::o200k_base;

use super::*;

/// To write the tables: `BOWLINE_WRITE_TABLES=1 cargo test -p bowline-model tables_are`.
#[test]
fn the_tables_are_those_of_the_tokenizer() {
    let made = tables::made::tables();
    if std::env::var_os("BOWLINE_WRITE_TABLES").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bound/tables.bin");
        std::fs::write(path, &made).unwrap();
        return;
    }
    assert!(
        made == tables::TABLES,
        "tables.bin is not what the tokenizer gives"
    );
}

fn exact(text: &str) -> u64 {
    o200k_base().count(text) as u64
}

#[test]
fn texts_are_bounded_closely() {
    let check = |text: &str, counted: u64, bound: u64| {
        assert_eq!(exact(text), counted, "{text:?}");
        assert_eq!(tokens_bound(text), bound, "{text:?}");
    };
    check("", 0, 0);
    check("Read the file and say what it does.", 9, 9);
    check("fn main() {\n    let value = 42;\n}\n", 12, 12);
    check("{\"role\":\"user\",\"content\":\"hi\"}", 9, 9);
    check(&" ".repeat(1_000), 9, 25);
    check(&"-".repeat(1_000), 16, 117);
    check("1234567890", 4, 4);
    check("reconciliation tokenizer", 3, 12);
    check("don't we'll it'sso", 4, 5);
    check("xqzjvkwpmx", 8, 8);
    check("9f86d081884c7d659a2feaa0c55ad015", 19, 19);
    check("Съешь ещё этих мягких булок", 9, 21);
    check("我能吞下玻璃而不伤身体", 10, 11);
    check("🦀🦀🦀", 9, 9);
}

#[test]
fn pieces_of_ascii_are_those_of_the_tokenizer() {
    let check = |text: &str| {
        let mut ours = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let end = pieces::next(text.as_bytes(), at).unwrap();
            ours.push(&text[at..end]);
            at = end;
        }
        let theirs: Vec<&str> = o200k_base().split(text).collect();
        assert_eq!(ours, theirs);
    };
    check("");
    check("HTTPServer fooBar BAZ_qux x1y2 it's IT'Sfoo they'reA don'");
    check("(a) ((b)) a(b) \t(c) .d //e \n/f ;\n/*g*/ h;\n\n  i");
    check("a  b   \n c\n \n d \n\n  ");
    check("12345 1 234 5a6 \u{1}x\u{7f}\u{b}y \r\n\r z");
    check(include_str!("../bound.rs"));
    check(include_str!("tables.rs"));
    check(include_str!("../../Cargo.toml"));
    // All texts of a few tricky signs.
    let signs = ["a", "B", "1", " ", "\n", "\t", "(", "/", "'", "s", "re"];
    for number in 0..signs.len().pow(4) {
        let digit = |place: u32| signs[number / signs.len().pow(place) % signs.len()];
        check(&(0..4).map(digit).collect::<String>());
    }
}
