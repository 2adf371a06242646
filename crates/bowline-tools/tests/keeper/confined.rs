//! Commands in a sandbox: the same fates as without, and limits that hold. Each limit is first
//! shown not to be there for an unconfined command.

use std::path::{Path, PathBuf};

use bowline_core::{Backend, Confinement, Network, Profile};
use bowline_tools::confine::{Support, capability};
use bowline_tools::keeper::{Ended, Exit, Fate, Order, Settled, recover, spool};

use crate::support::{Case, Place, block_on, finished, kill, launcher, until};

pub(crate) const CASES: &[Case] = &[
    ("this_machine_has_both_backends", this_machine_has_both),
    ("confined_exit_codes_and_signals", exit_codes_and_signals),
    ("confined_output_is_whole_and_bounded", output_is_bounded),
    ("confined_writes_stay_in_the_workspace", writes_stay),
    ("confined_reads_leave_out_what_is_hidden", reads_leave_out),
    ("confined_names_are_protected", names_are_protected),
    ("confined_network_is_out_of_reach", network_is_out_of_reach),
    ("confined_temporary_files_last", temporary_files_last),
    ("confined_commands_inherit_nothing", inherits_nothing),
    ("confined_time_out_leaves_time_to_end", time_out),
    ("confined_deaf_process_is_killed", deaf_is_killed),
    ("confined_left_processes_are_ended", left_are_ended),
    ("confined_command_dies_with_its_keeper", keeper_dies),
    ("confined_command_survives_the_harness", recovery_finds_it),
    ("a_sandbox_that_cannot_be_made_runs_nothing", cannot_be_made),
];

pub(crate) const BOTH: [Backend; 2] = [Backend::Namespaces, Backend::Landlock];

/// Names the folder for what lies outside of a workspace, where this user may not write the usual.
pub(crate) const GROUND: &str = "BOWLINE_GROUND";

/// A place to work in and one outside of it, not below a folder that a sandbox replaces.
pub(crate) struct Ground {
    pub(crate) place: Place,
    outside: tempfile::TempDir,
}

/// A folder that confined commands see. The build may lie among the temporary files, of which they
/// have their own.
pub(crate) fn shown_inside() -> PathBuf {
    if let Some(ground) = std::env::var_os(GROUND) {
        return ground.into();
    }
    let build = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let replaced = ["/tmp", "/var/tmp", "/run"];
    if replaced.iter().any(|place| build.starts_with(place)) {
        return PathBuf::from(std::env::var_os("HOME").unwrap());
    }
    build
}

impl Ground {
    pub(crate) fn new() -> Self {
        Self {
            place: Place::new(),
            outside: tempfile::tempdir_in(shown_inside()).unwrap(),
        }
    }

    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.outside.path().join(name)
    }

    fn order(&self, backend: Option<Backend>, command: &str) -> Order {
        self.order_with(backend, command, |_| {})
    }

    pub(crate) fn order_with(
        &self,
        backend: Option<Backend>,
        command: &str,
        change: impl FnOnce(&mut Profile),
    ) -> Order {
        let mut profile = Profile {
            writable: vec![self.work()],
            ..Profile::default()
        };
        change(&mut profile);
        std::fs::create_dir_all(self.work()).unwrap();
        let mut order = self.place.order(command);
        order.cwd = self.work().into();
        order.confinement = backend.map(|backend| Box::new(Confinement { backend, profile }));
        order
    }

    /// The workspace; the attempt folder lies beside it.
    pub(crate) fn work(&self) -> String {
        self.place.path("work").to_str().unwrap().to_owned()
    }

    /// Runs `order` to its end as an attempt of its own and gives its output.
    pub(crate) fn run(&self, name: &str, order: &Order) -> (Exit, String) {
        let dir = self.place.path("spool").join(name);
        let kept = launcher().launch(&dir, order).unwrap();
        let exit = finished(block_on(kept.wait(|_| {})));
        let head = spool::read(&dir).head;
        (exit, String::from_utf8_lossy(&head).into_owned())
    }
}

/// Processes that carry the mark of the attempt, as seen from outside, but for the sandbox itself.
fn marked(mark: &str) -> Vec<i32> {
    let entry = format!("BOWLINE_KEEPER={mark}");
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let read = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let is_marked = read("environ")
            .split(|byte| *byte == 0)
            .any(|one| one == entry.as_bytes());
        is_marked && read("comm") != b"bwrap\n"
    })
    .collect()
}

fn until_none_is_marked(mark: &str) {
    until("the end of all processes", || {
        marked(mark).is_empty().then_some(())
    });
}

fn this_machine_has_both() {
    let found = capability();
    for (support, what) in [
        (&found.namespaces, "apt install bubblewrap"),
        (&found.landlock, "a kernel with Landlock"),
        (&found.seccomp, "a kernel with seccomp"),
    ] {
        assert!(
            matches!(support, Support::Works(_)),
            "needed: {what}; found {support:?}"
        );
    }
    assert_eq!(
        (found.backend(), found.lacking().as_str()),
        (Some(Backend::Namespaces), "")
    );
}

fn exit_codes_and_signals() {
    for backend in BOTH {
        let ground = Ground::new();
        for code in [0, 7, 255] {
            let order = ground.order(Some(backend), &format!("exit {code}"));
            let (exit, _) = ground.run(&code.to_string(), &order);
            let got = (exit.ended_by, exit.code, exit.signal);
            assert_eq!(got, (Ended::ItsOwn, Some(code), None), "{backend:?}");
        }
        // bubblewrap tells a signal the way shells do.
        let order = ground.order(Some(backend), "kill -SEGV $$");
        let (exit, _) = ground.run("signal", &order);
        let expect = match backend {
            Backend::Namespaces => (Some(128 + 11), None),
            Backend::Landlock => (None, Some(11)),
        };
        assert_eq!((exit.code, exit.signal), expect, "{backend:?}");
        let order = ground.order(Some(backend), "kill -KILL 0");
        let (exit, _) = ground.run("group", &order);
        assert_eq!(
            (exit.ended_by, exit.signal),
            (Ended::ItsOwn, Some(9)),
            "{backend:?}"
        );
    }
}

fn output_is_bounded() {
    const TOTAL: u64 = 20_000_000;
    for backend in BOTH {
        let ground = Ground::new();
        let command = format!("echo out; echo err >&2; head -c {TOTAL} /dev/zero");
        let mut order = ground.order(Some(backend), &command);
        (order.spool_head_bytes, order.spool_tail_bytes) = (100_000, 100_000);
        let (exit, output) = ground.run("big", &order);
        assert_eq!((exit.code, exit.output_bytes_total), (Some(0), TOTAL + 8));
        assert!(output.starts_with("out\nerr\n"), "{backend:?}");
    }
}

/// Runs `command` unconfined, then under each backend, each in a ground of its own; the exit code
/// must be 0 where `expect` says so and another where it does not. Order: none, namespaces,
/// Landlock.
pub(crate) fn check(
    command: impl Fn(&Ground) -> String,
    change: impl Fn(&Ground, &mut Profile),
    expect: [bool; 3],
) {
    let all = [None, Some(Backend::Namespaces), Some(Backend::Landlock)];
    for (backend, succeeds) in all.into_iter().zip(expect) {
        let ground = Ground::new();
        std::fs::create_dir_all(ground.work()).unwrap();
        let command = command(&ground);
        let order = ground.order_with(backend, &command, |profile| change(&ground, profile));
        let (exit, output) = ground.run("check", &order);
        let told = format!("{backend:?}: {command}\n{output}{exit:?}");
        assert_eq!(exit.ended_by, Ended::ItsOwn, "{told}");
        assert_eq!(exit.code == Some(0), succeeds, "{told}");
    }
}

fn writes_stay() {
    let unchanged = |_: &Ground, _: &mut Profile| {};
    let shown = |path: PathBuf| path.display().to_string();
    let out = |name: &'static str| move |ground: &Ground| shown(ground.outside(name));
    let denied = [true, false, false];
    check(
        |ground| format!("echo x >{}", out("new")(ground)),
        unchanged,
        denied,
    );
    check(
        |ground| format!("mkdir {}", out("folder")(ground)),
        unchanged,
        denied,
    );
    check(
        |ground| format!("ln -s {} link && echo x >link", out("new")(ground)),
        unchanged,
        denied,
    );
    check(
        |ground| {
            std::fs::write(ground.outside("old"), "old").unwrap();
            format!("ln {} hard || cp {0} {0}.copy", out("old")(ground))
        },
        unchanged,
        denied,
    );
    let allowed = [true; 3];
    check(
        |_| "mkdir -p a/b && echo x >a/b/c && mv a d && rm -r d".to_owned(),
        unchanged,
        allowed,
    );
    check(
        |_| "echo x >\"${TMPDIR:-/tmp}/y-$$\"".to_owned(),
        unchanged,
        allowed,
    );
    check(
        |_| "echo x >/dev/null && head -c 8 /dev/urandom".to_owned(),
        unchanged,
        allowed,
    );
    let added = |ground: &Ground, profile: &mut Profile| {
        profile
            .writable
            .push(ground.outside("").to_str().unwrap().to_owned());
    };
    check(
        |ground| format!("echo x >{}", out("new")(ground)),
        added,
        allowed,
    );
}

fn reads_leave_out() {
    let hide = |ground: &Ground, profile: &mut Profile| {
        for name in ["key", "folder", "absent"] {
            profile
                .hidden
                .push(ground.outside(name).to_str().unwrap().to_owned());
        }
    };
    let read = |name: &'static str| {
        move |ground: &Ground| {
            std::fs::create_dir(ground.outside("folder")).unwrap();
            for name in ["key", "folder/key", "open"] {
                std::fs::write(ground.outside(name), "words\n").unwrap();
            }
            format!("grep -r words {}", ground.outside(name).display())
        }
    };
    check(read("key"), hide, [true, false, false]);
    check(read("folder"), hide, [true, false, false]);
    check(read("folder/key"), hide, [true, false, false]);
    check(read("open"), hide, [true, true, true]);
    // Within the workspace only namespaces can hide anything; see `cannot_be_made`.
    let inside = |ground: &Ground, profile: &mut Profile| {
        profile.hidden.push(format!("{}/state", ground.work()));
    };
    let ground = Ground::new();
    let state = Path::new(&ground.work()).join("state");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("journal"), "words\n").unwrap();
    for (command, expect) in [
        ("cat state/journal", false),
        ("echo x >state/y", false),
        ("mv state s", false),
        ("echo x >y", true),
    ] {
        let order = ground.order_with(Some(Backend::Namespaces), command, |it| inside(&ground, it));
        let (exit, output) = ground.run(&command.replace('/', "-"), &order);
        assert_eq!(exit.code == Some(0), expect, "{command}: {output}");
    }
    assert_eq!(std::fs::read(state.join("journal")).unwrap(), b"words\n");
}

fn names_are_protected() {
    let names = [".git/hooks", ".git/config", ".envrc"];
    let protect = |_: &Ground, profile: &mut Profile| {
        profile.protected = names.map(str::to_owned).to_vec();
    };
    let try_to = |command: &'static str| {
        move |ground: &Ground| {
            let work = PathBuf::from(ground.work());
            std::fs::create_dir_all(work.join(".git/hooks")).unwrap();
            std::fs::write(work.join(".git/config"), "").unwrap();
            std::fs::write(work.join(".envrc"), "").unwrap();
            command.to_owned()
        }
    };
    // The last column says what Landlock does not do.
    let namespaces_only = [true, false, true];
    for command in [
        "echo x >.git/hooks/pre-commit",
        "echo x >.git/config",
        "rm .envrc",
        "mv .git other",
        "mv .git/hooks .git/other",
        "echo x >new && mv new .git/config",
        "chmod 777 .envrc",
        "ln -s /etc/passwd new && mv -T new .envrc",
    ] {
        check(try_to(command), protect, namespaces_only);
    }
    check(
        try_to("echo x >.git/index && cat .envrc && ls .git/hooks"),
        protect,
        [true; 3],
    );
}

fn network_is_out_of_reach() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let unchanged = |_: &Ground, _: &mut Profile| {};
    let denied = [true, false, false];
    check(
        |_| format!("exec 3<>/dev/tcp/127.0.0.1/{port}"),
        unchanged,
        denied,
    );
    check(
        |_| format!("echo x >/dev/udp/127.0.0.1/{port}"),
        unchanged,
        [true, true, false],
    );
    let open = |_: &Ground, profile: &mut Profile| profile.network = Network::Open;
    check(
        |_| format!("exec 3<>/dev/tcp/127.0.0.1/{port}"),
        open,
        [true, true, false],
    );
}

fn temporary_files_last() {
    for backend in BOTH {
        let ground = Ground::new();
        let write = ground.order(Some(backend), "echo kept >$TMPDIR/note; echo $TMPDIR");
        let (_, place) = ground.run("one", &write);
        let read = ground.order(Some(backend), "cat $TMPDIR/note");
        assert_eq!(ground.run("two", &read).1, "kept\n", "{backend:?}");
        if backend == Backend::Namespaces {
            assert_eq!(place, "/tmp\n");
            assert!(!Path::new("/tmp/note").exists());
        }
        assert!(ground.place.path("spool/confined/tmp/note").exists());
    }
}

fn inherits_nothing() {
    for backend in BOTH {
        let ground = Ground::new();
        let order = ground.order(Some(backend), "ls /proc/self/fd; echo $PATH");
        let (_, output) = ground.run("look", &order);
        let path = std::env::var("PATH").unwrap();
        // 3 is the folder that `ls` lists.
        assert_eq!(output, format!("0\n1\n2\n3\n{path}\n"), "{backend:?}");
    }
}

fn time_out() {
    for backend in BOTH {
        let ground = Ground::new();
        let command = "trap 'echo bye; exit 4' TERM; sleep 1000 & wait";
        let mut order = ground.order(Some(backend), command);
        (order.timeout_ms, order.grace_ms) = (1_000, 20_000);
        let (exit, output) = ground.run("slow", &order);
        assert_eq!(
            (exit.ended_by, exit.code),
            (Ended::TimedOut, Some(4)),
            "{backend:?}"
        );
        assert_eq!(output, "bye\n", "{backend:?}");
        let names: Vec<&str> = exit
            .ended_descendants
            .iter()
            .map(|one| &*one.name)
            .collect();
        assert!(
            names.contains(&"sleep") && !names.contains(&"bwrap"),
            "{names:?}"
        );
    }
}

fn deaf_is_killed() {
    for backend in BOTH {
        let ground = Ground::new();
        let command =
            "trap '' TERM; (setsid sleep 1000 &); echo ready; while :; do sleep 1000; done";
        let mut order = ground.order(Some(backend), command);
        order.grace_ms = 300;
        let kept = ground.place.launch(&order);
        let canceller = kept.canceller();
        let exit = std::thread::scope(|scope| {
            scope.spawn(|| {
                until("a start", || {
                    (spool::read(&ground.place.attempt()).head == b"ready\n").then_some(())
                });
                canceller.cancel();
            });
            finished(block_on(kept.wait(|_| {})))
        });
        assert_eq!(exit.ended_by, Ended::Cancelled, "{backend:?}");
        assert!(
            exit.duration_ms >= 300 && exit.survivors.is_empty(),
            "{exit:?}"
        );
        until_none_is_marked(&ground.place.started().mark);
    }
}

fn left_are_ended() {
    for backend in BOTH {
        let ground = Ground::new();
        let command = "(setsid sleep 1000 >/dev/null 2>&1 &) ; sleep 1000 & echo done";
        let exit = finished(ground.place.fate(&ground.order(Some(backend), command)));
        assert_eq!(
            (exit.ended_by, exit.code),
            (Ended::ItsOwn, Some(0)),
            "{backend:?}"
        );
        assert_eq!(spool::read(&ground.place.attempt()).head, b"done\n");
        until_none_is_marked(&ground.place.started().mark);
    }
}

fn keeper_dies() {
    for backend in BOTH {
        let ground = Ground::new();
        let command = "(setsid sleep 1000 &); echo ready; sleep 1000";
        let kept = ground.place.launch(&ground.order(Some(backend), command));
        until("a start", || {
            (spool::read(&ground.place.attempt()).head == b"ready\n").then_some(())
        });
        let started = ground.place.started();
        // While a process executes its program, its environment reads as empty.
        until("the mark to be seen from outside", || {
            (marked(&started.mark).len() >= 2).then_some(())
        });
        kill(started.keeper_pid);
        let fate = block_on(kept.wait(|_| {}));
        assert!(
            matches!(fate, Fate::InDoubt { .. }),
            "{backend:?}: {fate:?}"
        );
        until_none_is_marked(&started.mark);
    }
}

fn recovery_finds_it() {
    for backend in BOTH {
        let ground = Ground::new();
        let fifo = ground.place.fifo("fifo");
        let command = format!("echo before; read line <{}; exit 3", fifo.display());
        let order = ground.order_with(Some(backend), &command, |profile| {
            profile
                .writable
                .push(ground.place.path("").to_str().unwrap().to_owned());
        });
        // Dropped at once: nobody waits for it any more.
        drop(ground.place.launch(&order));
        until("output", || {
            (spool::read(&ground.place.attempt()).head == b"before\n").then_some(())
        });
        let settled = recover::settle(&ground.place.attempt(), "test");
        assert!(
            matches!(settled, Settled::Running(_)),
            "{backend:?}: {settled:?}"
        );
        std::fs::write(fifo, "x\n").unwrap();
        let settled = block_on(recover::wait_running(
            &ground.place.attempt(),
            "test",
            |_| {},
        ));
        let Settled::Happened(exit) = settled else {
            panic!("{backend:?}: {settled:?}")
        };
        assert_eq!((exit.ended_by, exit.code), (Ended::ItsOwn, Some(3)));
    }
}

fn cannot_be_made() {
    let ground = Ground::new();
    std::fs::create_dir_all(Path::new(&ground.work()).join("state")).unwrap();
    let order = ground.order_with(Some(Backend::Landlock), "touch ran", |profile| {
        profile
            .hidden
            .push(format!("{}/state", profile.writable[0]));
    });
    let Fate::NeverStarted { why } = ground.place.fate(&order) else {
        panic!("it was started")
    };
    assert!(
        why.contains("sandbox could not be made") && why.contains("bubblewrap can"),
        "{why}"
    );
    assert!(!Path::new(&ground.work()).join("ran").exists());
}
