//! Names that must not come into being, in real folders.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

fn nursery() -> Nursery {
    Nursery::new(Vec::new(), &super::super::survey::Survey::default())
}

fn lookout(root: &Path, names: &[(&str, Option<&str>)]) -> Lookout {
    let names = names.iter().map(|(name, link)| Watched {
        folder: root.to_owned(),
        name: (*name).to_owned(),
        link: link.map(PathBuf::from),
    });
    Lookout::new(names.collect(), nursery()).unwrap()
}

#[test]
fn what_comes_into_being_is_set_aside() {
    let check = |make: fn(&Path), expect: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("there")).unwrap();
        symlink("there", root.join("link")).unwrap();
        let lookout = lookout(
            root,
            &[
                (".envrc", None),
                (".github/workflows", None),
                ("link", Some("there")),
            ],
        );
        make(root);
        let aside = lookout.end();
        let expect: Vec<PathBuf> = expect.iter().map(|name| root.join(name)).collect();
        assert_eq!(aside, expect);
        for path in &expect {
            assert!(fs::symlink_metadata(path).is_ok(), "{path:?}");
        }
        assert!(fs::symlink_metadata(root.join(".envrc")).is_err());
        assert!(!root.join(".github/workflows").exists());
        assert_eq!(
            fs::read_link(root.join("link")).unwrap(),
            Path::new("there")
        );
    };
    check(|_| {}, &[]);
    check(|root| fs::write(root.join("other"), "").unwrap(), &[]);
    check(
        |root| fs::write(root.join(".envrc"), "x").unwrap(),
        &[".envrc.set-aside"],
    );
    check(
        |root| symlink("other", root.join(".envrc")).unwrap(),
        &[".envrc.set-aside"],
    );
    check(
        |root| {
            fs::write(root.join(".envrc.set-aside"), "").unwrap();
            fs::create_dir(root.join(".envrc")).unwrap();
        },
        &[".envrc.set-aside-1"],
    );
    check(|root| fs::create_dir(root.join(".github")).unwrap(), &[]);
    check(
        |root| fs::create_dir_all(root.join(".github/workflows")).unwrap(),
        &[".github/workflows.set-aside"],
    );
    // A link in place of a folder on the way.
    check(
        |root| {
            fs::create_dir_all(root.join("gh/workflows")).unwrap();
            symlink("gh", root.join(".github")).unwrap();
        },
        &[".github.set-aside"],
    );
    // A link that was there and leads elsewhere now is put back.
    check(
        |root| {
            fs::remove_file(root.join("link")).unwrap();
            symlink("/etc", root.join("link")).unwrap();
        },
        &["link.set-aside"],
    );
}

#[test]
fn news_come_from_folders_that_are_made_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut lookout = lookout(root, &[(".github/workflows", None)]);
    let has_news = |lookout: &Lookout| {
        let news = lookout.news().unwrap();
        let mut polled = [rustix::event::PollFd::from_borrowed_fd(
            news,
            rustix::event::PollFlags::IN,
        )];
        rustix::event::poll(&mut polled, Some(&rustix::event::Timespec::default())).unwrap() == 1
    };
    assert!(lookout.listens_at().is_some());
    lookout.listen();
    assert!(lookout.listens_at().is_none() && !has_news(&lookout));
    fs::create_dir(root.join(".github")).unwrap();
    assert!(has_news(&lookout));
    lookout.look();
    assert!(!has_news(&lookout));
    fs::create_dir(root.join(".github/workflows")).unwrap();
    assert!(has_news(&lookout));
    lookout.look();
    assert!(!root.join(".github/workflows").exists());
    assert!(lookout.end().len() == 1);
}

#[test]
fn nothing_to_watch_is_no_guard() {
    assert!(Lookout::new(Vec::new(), nursery()).is_none());
    let gone = Watched {
        folder: "/nowhere/at/all".into(),
        name: "x".to_owned(),
        link: None,
    };
    assert!(Lookout::new(vec![gone], nursery()).is_none());
}
