//! What is read as a configuration file, and what blocks.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn told(layer: Layer, path: &Path) -> String {
    match read(layer, path, 16) {
        Ok(found) => format!("{found:?}"),
        Err(failure) => failure.message().to_owned(),
    }
}

#[test]
fn whatever_is_there_and_cannot_be_read_blocks() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("good"), "deny").expect("a file");
    std::fs::write(at("bad"), b"ok\xff").expect("a file");
    std::fs::write(at("long"), "x".repeat(17)).expect("a file");
    std::fs::create_dir(at("folder")).expect("a folder");
    symlink(at("nothing"), at("dangling")).expect("a link");
    symlink(at("b"), at("a")).expect("a link");
    symlink(at("a"), at("b")).expect("a link");
    symlink(at("good"), at("link")).expect("a link");
    symlink(at("nowhere"), at("lost")).expect("a link");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        at("fifo"),
        rustix::fs::FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
        0,
    )
    .expect("a FIFO");
    let table = [
        ("good", "Some(\"deny\")"),
        ("link", "Some(\"deny\")"),
        ("none", "None"),
        ("no/folder", "None"),
        ("bad", "is not UTF-8 (byte 2)"),
        ("long", "is larger than"),
        ("folder", "is not a file"),
        ("fifo", "is not a file"),
        ("dangling", "leads nowhere"),
        ("lost/rules.toml", "leads nowhere"),
        ("a", "cannot be read"),
    ];
    for layer in [Layer::Managed, Layer::User, Layer::Project] {
        for (name, expect) in table {
            let found = told(layer, &at(name));
            assert!(found.contains(expect), "{layer:?} {name}: {found}");
            if layer == Layer::Managed && !expect.contains("Some") && expect != "None" {
                assert!(found.contains("no session begins or goes on"), "{found}");
            }
        }
    }
    // A file where the folder should be: nothing of a project's, but no managed machine is so.
    assert_eq!(told(Layer::Project, &at("good/rules.toml")), "None");
    let managed = told(Layer::Managed, &at("good/rules.toml"));
    assert!(managed.contains("is no folder"), "{managed}");
}

/// Whoever reads while the file is replaced or written has the whole of one state of it, or an
/// error: never a mixture.
#[test]
fn a_file_that_is_replaced_while_it_is_read_is_read_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rules.toml");
    let fresh = folder.path().join("fresh");
    let texts = ["a".repeat(200_000), "b".repeat(100_000)];
    std::fs::write(&path, &texts[0]).expect("a file");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                std::fs::write(&fresh, &texts[round % 2]).expect("it is written");
                std::fs::rename(&fresh, &path).expect("it is replaced");
            }
        });
        let mut seen = [0; 2];
        // Until both have come often, however long the other thread is kept from replacing it.
        while seen.iter().any(|count| *count < 50) {
            if let Ok(found) = read(Layer::User, &path, 1 << 20) {
                let found = found.expect("it is there");
                match texts.iter().position(|text| *text == found) {
                    Some(which) => seen[which] += 1,
                    None => break,
                }
            }
        }
        done.store(true, Ordering::Relaxed);
        assert!(seen.iter().all(|count| *count >= 50), "a mixture: {seen:?}");
    });
}
