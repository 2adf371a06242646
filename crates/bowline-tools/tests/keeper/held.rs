//! What a sandbox holds beyond writing, reading and the network: names that are not there, hidden
//! places that move, sockets of services, caches, rights of root. Each for root and for a user
//! without any rights.

use std::path::{Path, PathBuf};

use bowline_core::{Backend, Profile};
use bowline_tools::keeper::spool;

use crate::confined::{BOTH, GROUND, Ground, check, shown_inside};
use crate::support::{Case, block_on, finished, launcher, until};

pub(crate) const CASES: &[Case] = &[
    ("confined_absent_names_are_set_aside", absent_are_set_aside),
    ("confined_hidden_places_stay_put", hidden_stay_put),
    ("confined_grants_are_written", granted_is_written),
    ("confined_caches_are_written_over", caches_are_written_over),
    ("confined_root_is_a_user", root_is_a_user),
];

/// What changes the machine for the others: run after them.
pub(crate) const ALONE: &[Case] = &[
    ("confined_sockets_are_covered", sockets_are_covered),
    ("as_an_ordinary_user", as_an_ordinary_user),
];

/// Names that do not exist: what is made under one does not stay, and is told. Git works all the
/// same.
fn absent_are_set_aside() {
    let names = [
        ".envrc",
        ".github/workflows",
        ".git/hooks",
        ".git/commondir",
    ];
    for backend in BOTH {
        let run = |name: &str, command: &str| {
            let ground = Ground::new();
            let order = ground.order_with(Some(backend), command, |profile| {
                profile.protected = names.map(str::to_owned).to_vec();
            });
            let (exit, output) = ground.run(name, &order);
            assert_eq!(exit.code, Some(0), "{backend:?} {command}: {output}");
            let work = PathBuf::from(ground.work()).canonicalize().unwrap();
            let aside = exit.set_aside.iter();
            let aside = aside.map(|path| path.strip_prefix(&work).unwrap().to_owned());
            let aside: Vec<PathBuf> = aside.collect();
            let left = |name: &str| work.join(name).exists();
            assert!(!left(".envrc") && !left(".github/workflows"), "{command}");
            for path in &aside {
                assert!(work.join(path).exists(), "{path:?}");
            }
            (aside, ground)
        };
        let (aside, _ground) = run("plain", "echo x >.envrc; mkdir -p .github/workflows");
        let expect = [".envrc.set-aside", ".github/workflows.set-aside"];
        assert_eq!(aside, expect.map(PathBuf::from), "{backend:?}");
        let (aside, _ground) = run("moved", "mkdir -p gh/workflows && mv gh .github && ls");
        assert_eq!(aside, [PathBuf::from(".github/workflows.set-aside")]);
        // It is gone while the command still runs.
        let command = "echo x >.envrc; until [ ! -e .envrc ]; do :; done; cat .envrc.set-aside";
        run("meanwhile", command);
        let git = "git init -q . && git init -q sub && cd sub && git -c user.name=a -c user.email=a \
                   commit -q --allow-empty -m x && git log --oneline";
        let (aside, ground) = run("git", git);
        assert!(aside.is_empty(), "{aside:?}");
        let plant = "git init -q sub && cd sub && echo x >.git/hooks/pre-commit && \
                     git config core.fsmonitor ./x";
        let (aside, _ground) = run("planted", plant);
        let expect = ["config.set-aside", "hooks/pre-commit.set-aside"];
        assert_eq!(aside, expect.map(|name| Path::new("sub/.git").join(name)));
        assert!(Path::new(&ground.work()).join("sub/.git/HEAD").exists());
    }
}

fn hidden_stay_put() {
    let ground = Ground::new();
    let deep = Path::new(&ground.work()).join("a/b/key");
    std::fs::create_dir_all(deep.parent().unwrap()).unwrap();
    std::fs::write(&deep, "words\n").unwrap();
    for (command, expect) in [
        ("cat a/b/key", ""),
        ("mv a c", ""),
        ("mv a/b a/c", ""),
        ("mv a/b/key k; cat k", ""),
        ("cat a/b/key c/b/key a/c/key", ""),
    ] {
        let order = ground.order_with(Some(Backend::Namespaces), command, |profile| {
            profile.hidden.push(deep.to_str().unwrap().to_owned());
        });
        let name = command.replace(['/', ' ', ';'], "-");
        let (_, output) = ground.run(&name, &order);
        assert!(!output.contains("words"), "{command}: {output}{expect}");
    }
    assert_eq!(std::fs::read(&deep).unwrap(), b"words\n");
}

/// What a person granted can be written, also a file that was not there, and nothing beside it.
fn granted_is_written() {
    let grant = |ground: &Ground, profile: &mut Profile| {
        let name = |name: &str| ground.outside(name).to_str().unwrap().to_owned();
        profile.granted = vec![name("new"), name("folder")];
        profile.protected = vec![".envrc".to_owned()];
        profile.granted.push(format!("{}/.envrc", ground.work()));
    };
    let write = |name: &'static str| {
        move |ground: &Ground| {
            std::fs::create_dir_all(ground.outside("folder")).unwrap();
            format!("echo x >{0} && grep x {0}", ground.outside(name).display())
        }
    };
    check(write("new"), grant, [true; 3]);
    check(write("folder/new"), grant, [true; 3]);
    check(write("other"), grant, [true, false, false]);
    check(
        |_| "echo x >.envrc && grep x .envrc".to_owned(),
        grant,
        [true; 3],
    );
}

/// A command sees the user's cache and what the session wrote over it; the cache stays as it was.
fn caches_are_written_over() {
    let ground = Ground::new();
    let cache = ground.outside("a, b:c/.npm");
    std::fs::create_dir_all(cache.join("folder")).unwrap();
    std::fs::write(cache.join("old"), "old\n").unwrap();
    std::fs::write(cache.join("key"), "words\n").unwrap();
    let work = Path::new(&ground.work()).to_owned();
    let run = |name: &str, command: &str| {
        let order = ground.order_with(Some(Backend::Namespaces), command, |profile| {
            profile.caches = vec![cache.to_str().unwrap().to_owned()];
            profile.hidden = vec![cache.join("key").to_str().unwrap().to_owned()];
        });
        let mut order = order;
        order
            .env
            .push(("CACHE".to_owned(), cache.display().to_string()));
        let (exit, output) = ground.run(name, &order);
        assert_eq!(exit.code, Some(0), "{command}: {output}");
        output
    };
    run(
        "write",
        "cd \"$CACHE\" && cat old && echo new >>old && echo x >folder/x && rm -rf folder && mkdir folder && \
         echo y >folder/y && [ -z \"$npm_config_cache\" ] && [ -n \"$XDG_CACHE_HOME\" ]",
    );
    // The next command sees it.
    let next =
        "cd \"$CACHE\" && cat old folder/y && [ ! -e folder/x ] && ! grep words key && ! mv key k";
    assert!(run("read", next).starts_with("old\nnew\ny\n"));
    // One at the same time has an overlay of its own.
    let first = ground.order_with(
        Some(Backend::Namespaces),
        "echo up; until [ -e end ]; do :; done",
        |profile| {
            profile.caches = vec![cache.to_str().unwrap().to_owned()];
        },
    );
    let dir = ground.place.path("spool").join("first");
    let kept = launcher().launch(&dir, &first).unwrap();
    until("a start", || {
        (spool::read(&dir).head == b"up\n").then_some(())
    });
    assert_eq!(run("beside", "cat \"$CACHE/old\""), "old\n");
    std::fs::write(work.join("end"), "").unwrap();
    assert_eq!(finished(block_on(kept.wait(|_| {}))).code, Some(0));
    let real = std::fs::read_to_string(cache.join("old")).unwrap();
    assert_eq!(real, "old\n");
    let mut names: Vec<_> = std::fs::read_dir(&cache)
        .unwrap()
        .flatten()
        .map(|one| one.file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["folder", "key", "old"]);
    assert!(
        std::fs::read_dir(cache.join("folder"))
            .unwrap()
            .next()
            .is_none()
    );
}

/// Listens on a socket that looks as old as one of a service, to the end of this process.
fn listen_for_long(path: &Path) {
    std::mem::forget(std::os::unix::net::UnixListener::bind(path).unwrap());
    let mut aged = std::process::Command::new("touch");
    aged.args(["-d", "2020-01-01"]).arg(path);
    assert!(aged.status().unwrap().success());
}

/// A socket that lies neither in the workspace nor in a folder that is replaced.
fn sockets_are_covered() {
    let reach = |ground: &Ground| {
        let path = ground.outside("socket");
        listen_for_long(&path);
        let path = path.display().to_string();
        format!("python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"{path}\")'")
    };
    check(reach, |_, _| {}, [true, false, false]);
    // One of the workspace, too; but not those that the command listens on itself.
    let inside = |ground: &Ground| {
        let path = Path::new(&ground.work()).join("socket");
        listen_for_long(&path);
        "python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"socket\")'".to_owned()
    };
    check(inside, |_, _| {}, [true, false, false]);
    let own = "python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind(\"own\"); \
               s.listen(); socket.socket(socket.AF_UNIX).connect(\"own\")'";
    check(|_| own.to_owned(), |_, _| {}, [true, true, false]);
}

/// No capability is left, no device can be made, no memory is dumped.
fn root_is_a_user() {
    let unchanged = |_: &Ground, _: &mut Profile| {};
    let no_more = [rustix::process::geteuid().is_root(), false, false];
    check(
        |_| "grep -Eq 'CapEff:.*[1-9a-f]' /proc/self/status".to_owned(),
        unchanged,
        no_more,
    );
    check(|_| "mknod disk b 7 200".to_owned(), unchanged, no_more);
    check(
        |_| "[ $(ulimit -Hc) = 0 ]".to_owned(),
        unchanged,
        [false, true, true],
    );
}

/// Runs all of these cases again as a user without any rights, if this one is root.
fn as_an_ordinary_user() {
    if !rustix::process::geteuid().is_root() {
        println!("left out: this is an ordinary user already");
        return;
    }
    let folder = tempfile::tempdir_in(shown_inside()).unwrap();
    let exe = folder.path().join("keeper");
    std::fs::copy(std::env::current_exe().unwrap(), &exe).unwrap();
    let mut all = std::process::Command::new("chown");
    all.args(["-R", "65534:65534"]).arg(folder.path());
    assert!(all.status().unwrap().success());
    let mut command = std::process::Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(&exe)
        .arg("confined_")
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .env(GROUND, folder.path())
        .current_dir("/");
    let ran = command.output().unwrap();
    let (out, err) = (ran.stdout, ran.stderr);
    let told = [out, err].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(ran.status.success(), "{}{}", told[0], told[1]);
    println!("as an ordinary user: {}", told[0].lines().last().unwrap());
}
