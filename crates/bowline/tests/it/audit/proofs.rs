//! Chains, anchors and exports through the program: what is changed is named, and ends with 1.

use std::path::PathBuf;

use super::worked;
use crate::support::Scratch;

fn journal(scratch: &Scratch) -> PathBuf {
    let session = scratch.sessions().remove(0);
    scratch
        .home()
        .join("sessions")
        .join(session)
        .join("journal.jsonl")
}

fn text(path: &PathBuf) -> String {
    std::fs::read_to_string(path).expect("a file")
}

fn anchored(scratch: &Scratch) -> String {
    let file = scratch.path("today.anchor").display().to_string();
    scratch
        .run(&["audit", "anchor", "--out", &file])
        .expect(0, &["3 chains anchored"]);
    file
}

#[test]
fn a_changed_record_is_named_by_file_line_and_kind() {
    let scratch = worked();
    scratch
        .run(&["audit", "verify"])
        .expect(0, &["nothing is wrong"]);
    let path = journal(&scratch);
    let whole = text(&path);
    std::fs::write(&path, whole.replacen("make all", "make it", 1)).expect("written");
    let line = whole.lines().position(|line| line.contains("make all"));
    let place = format!("journal.jsonl:{}", line.expect("it is there") + 1);
    scratch
        .run(&["audit", "verify"])
        .expect(1, &[&place, "content", "1 chain cannot be trusted"]);
    let found = scratch
        .run(&["audit", "verify", "--json"])
        .expect(1, &[])
        .json();
    assert_eq!(found["sound"], false);
    let chains = found["chains"].as_array().expect("chains");
    let bad = chains.iter().find(|it| it["findings"][0].is_object());
    assert_eq!(bad.expect("a bad one")["findings"][0]["kind"], "content");
    std::fs::write(&path, whole).expect("written");
    scratch.run(&["audit", "verify"]).expect(0, &[]);
}

#[test]
fn what_only_an_anchor_can_see_is_seen_by_it() {
    let scratch = worked();
    let anchor = anchored(&scratch);
    let verify = |more: &[&str]| {
        let mut args = vec!["audit", "verify", "--anchor", &anchor];
        args.extend(more);
        scratch.run(&args)
    };
    verify(&[]).expect(0, &["holds for 3 chains", "own key"]);
    let key = scratch.path("config/bowline/audit.key");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&key).expect("a key"));
    assert_eq!(mode & 0o777, 0o600);

    let path = journal(&scratch);
    let whole = text(&path);
    let kept: String = whole.split_inclusive('\n').take(5).collect();
    std::fs::write(&path, kept).expect("written");
    std::fs::remove_file(path.with_file_name("head")).expect("a head file");
    std::fs::remove_file(scratch.home().join("index.db")).expect("an index");
    scratch
        .run(&["audit", "verify"])
        .expect(0, &["by an anchor only"]);
    verify(&[]).expect(1, &["it was cut"]);
    std::fs::write(&path, whole).expect("written");
    verify(&[]).expect(0, &[]);
    let session = scratch.sessions().remove(0);
    std::fs::remove_dir_all(scratch.home().join("sessions").join(session)).expect("removed");
    verify(&[]).expect(1, &["it was removed"]);
}

#[test]
fn an_anchor_counts_under_the_right_key_only() {
    let scratch = worked();
    let anchor = anchored(&scratch);
    let own = serde_json::from_str::<serde_json::Value>(&text(&PathBuf::from(&anchor)));
    let own = own.expect("an anchor")["public_key"]
        .as_str()
        .expect("a key")
        .to_owned();
    let verify = |file: &str, key: &str| {
        scratch.run(&["audit", "verify", "--anchor", file, "--public-key", key])
    };
    verify(&anchor, &own).expect(0, &["the key you named"]);
    verify(&anchor, &"0".repeat(64)).expect(2, &["it is signed with"]);
    verify(&anchor, "short").expect(2, &["64 lower-case hexadecimal digits"]);

    // Signed with a key of one's own, over whatever one likes.
    let other = scratch.path("other.key");
    std::fs::write(&other, format!("bowline-anchor-key-1 {}\n", "7".repeat(64))).expect("a key");
    let forged = scratch.path("forged").display().to_string();
    let other = other.display().to_string();
    scratch
        .run(&["audit", "anchor", "--key", &other, "--out", &forged])
        .expect(0, &[]);
    scratch
        .run(&["audit", "verify", "--anchor", &forged])
        .expect(2, &["it is signed with"]);
    let changed = text(&PathBuf::from(&anchor)).replace("\"seq\": ", "\"seq\": 1");
    std::fs::write(&forged, changed).expect("written");
    verify(&forged, &own).expect(2, &["its signature does not hold"]);
    verify("/nowhere", &own).expect(2, &["/nowhere"]);
}

#[test]
fn an_export_is_checked_standing_alone() {
    let scratch = worked();
    let anchor = anchored(&scratch);
    let file = scratch.path("decisions.jsonl");
    let out = file.display().to_string();
    scratch
        .run(&["audit", "export", "--out", &out])
        .expect(0, &["4 decisions of 1 session"]);
    let whole = text(&file);
    assert!(whole.contains("make all") && !whole.contains("\\\"kind\\\":\\\"ModelReplied"));
    let printed = scratch.run(&["audit", "export"]).expect(0, &[]).out.clone();
    let rest = |text: &str| text.split_once('\n').map(|(_, rest)| rest.to_owned());
    assert_eq!(rest(&printed), rest(&whole), "the same but for the time");

    let other = Scratch::new();
    let verify = |anchor: &[&str]| {
        let mut args = vec!["audit", "verify", "--export", &out];
        args.extend(anchor);
        other.run(&args)
    };
    verify(&[]).expect(0, &["4 decisions", "an anchor shows"]);
    verify(&["--anchor", &anchor]).expect(0, &["nothing is wrong"]);
    assert!(!other.home().exists());

    let lines: Vec<&str> = whole.lines().collect();
    for at in 0..lines.len() {
        let mut dropped = lines.clone();
        dropped.remove(at);
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at]);
        let middle = lines[at].len() / 2;
        let flipped = lines[at].as_bytes()[middle] ^ 1;
        let mut bytes = lines[at].as_bytes().to_vec();
        bytes[middle] = flipped;
        let bytes = String::from_utf8_lossy(&bytes).into_owned();
        let mut changed = lines.clone();
        changed[at] = &bytes;
        for (name, lines) in [
            ("dropped", dropped),
            ("doubled", doubled),
            ("flipped", changed),
        ] {
            // The time of the file is in its head and bears no signature.
            if at == 0 && name == "flipped" {
                continue;
            }
            std::fs::write(&file, lines.join("\n") + "\n").expect("written");
            let found = verify(&[]);
            assert_eq!(found.code, 1, "line {at} {name}: {}", found.out);
        }
    }
}

#[test]
fn what_is_written_has_the_published_shape() {
    let scratch = worked();
    let anchor = text(&PathBuf::from(anchored(&scratch)));
    let export = scratch.run(&["audit", "export"]).expect(0, &[]).out.clone();
    let docs = scratch.path("docs");
    scratch
        .run(&["docs", "--out", &docs.display().to_string()])
        .expect(0, &[]);
    for (name, texts) in [
        ("anchor", vec![anchor.as_str()]),
        ("audit-export", export.lines().collect()),
    ] {
        let schema = text(&docs.join(format!("{name}.schema.json")));
        let schema: serde_json::Value = serde_json::from_str(&schema).expect("a schema");
        jsonschema::draft202012::meta::validate(&schema).expect("a valid schema");
        let validator = jsonschema::validator_for(&schema).expect("a usable schema");
        for text in texts {
            let value = serde_json::from_str(text).expect("JSON");
            let errors: Vec<String> = validator
                .iter_errors(&value)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{name}: {errors:?}\n{text}");
        }
        assert!(!validator.is_valid(&serde_json::json!({ "more": 1 })));
    }
}
