//! `shell`: commands under a real keeper.

use std::fs;
use std::sync::atomic::Ordering;

use bowline_core::{Action, OutcomeStatus};
use bowline_tools::builtin::BuiltinConfig;
use bowline_tools::{Cancel, Found};
use serde_json::json;

use crate::bench::{Bench, Ready, runtime};

crate::cases![
    runs_in_the_working_folder,
    tells_how_it_ended,
    merges_and_cleans_output,
    ends_what_is_left_running,
    ends_when_its_time_is_over,
    ends_when_cancelled,
    cuts_long_output_and_names_the_whole,
    starts_afresh_with_the_given_environment,
    is_not_understood_for_the_policy,
    checks_its_input,
    fails_without_a_keeper,
    is_found_again_after_a_crash,
    is_stopped_by_a_later_owner,
];

fn runs_in_the_working_folder() {
    let mut bench = Bench::new();
    let finish = bench
        .call("shell", json!({"command": "pwd; echo x > made"}))
        .unwrap();
    let mut lines = finish.text.lines();
    assert_eq!(lines.next(), bench.root().to_str());
    let last = lines.next().unwrap();
    assert!(
        last.starts_with("[exit 0 in ") && last.ends_with(" s]"),
        "{last}"
    );
    assert_eq!(lines.next(), None);
    assert_eq!(bench.content("made"), "x\n");
    assert_eq!(
        (finish.status, finish.exit_code),
        (OutcomeStatus::Ok, Some(0))
    );
    assert_eq!(finish.full_output, None);
}

fn tells_how_it_ended() {
    let mut bench = Bench::new();
    let mut check = |command: &str, code: Option<i32>, expect: &str| {
        let finish = bench.call("shell", json!({"command": command})).unwrap();
        assert_eq!(
            (finish.status, finish.exit_code),
            (OutcomeStatus::Error, code),
            "{command}"
        );
        assert!(finish.text.contains(expect), "{command}: {}", finish.text);
        assert!(!finish.failed_before_effect && finish.in_doubt.is_none());
    };
    check("echo out; exit 3", Some(3), "out\n[exit 3 in ");
    check("kill -KILL $$", None, "[ended by signal 9 after ");
    check("no-such-command-here", Some(127), "command not found");
    check("if", Some(2), "syntax error");
    let finish = bench
        .call(
            "shell",
            json!({"command": "true", "description": "does nothing"}),
        )
        .unwrap();
    assert!(
        finish.summary.starts_with("does nothing: exit 0 in "),
        "{}",
        finish.summary
    );
}

fn merges_and_cleans_output() {
    let mut bench = Bench::new();
    let command = r"printf '\033[31mred\033[0m\n'; printf 'wrong\n' >&2; printf '\377 10%%\r20%%\n'; printf end";
    let text = bench.ok("shell", json!({"command": command}));
    assert!(
        text.starts_with("red\nwrong\n20%\nend\n[exit 0 in "),
        "{text}"
    );
}

fn ends_what_is_left_running() {
    let mut bench = Bench::new();
    let text = bench.ok("shell", json!({"command": "sleep 1000 & echo started"}));
    assert!(text.starts_with("started\n[exit 0"), "{text}");
    assert!(text.contains("[left running and ended: sleep ("), "{text}");
}

fn ends_when_its_time_is_over() {
    let mut bench = Bench::new();
    let input = json!({"command": "echo begun; sleep 1000", "timeout_ms": 300});
    let finish = bench.call("shell", input).unwrap();
    assert_eq!(
        finish.text,
        "begun\n[timed out after 0.3 s; processes ended]\n"
    );
    assert_eq!(finish.status, OutcomeStatus::Error);
}

fn ends_when_cancelled() {
    let bench = Bench::new();
    let (asking, cancel) = Cancel::channel();
    let mut ready = bench
        .prepare("shell", json!({"command": "echo begun; sleep 1000"}))
        .unwrap();
    let progress = std::sync::Arc::clone(&ready.progress);
    ready.call.cancel = cancel;
    ready.call.progress = std::sync::Arc::new(move |bytes| {
        progress.store(bytes, Ordering::Relaxed);
        // It has spoken, so it runs: now it is to stop.
        asking.send_replace(true);
    });
    let told = std::sync::Arc::clone(&ready.progress);
    let finish = ready.go();
    assert_eq!(told.load(Ordering::Relaxed), 6);
    assert!(
        finish.text.starts_with("begun\n[cancelled after "),
        "{}",
        finish.text
    );
    assert_eq!(finish.status, OutcomeStatus::Error);
}

fn cuts_long_output_and_names_the_whole() {
    let mut bench = Bench::new();
    let finish = bench
        .call("shell", json!({"command": "seq 1 20000; exit 1"}))
        .unwrap();
    assert!(finish.text.len() <= 30 << 10, "{}", finish.text.len());
    assert!(finish.text.starts_with("1\n2\n3\n"));
    assert!(finish.text.contains(" bytes left out here]\n"));
    assert!(finish.text.contains("\n20000\n[exit 1 in "));
    let whole = fs::read_to_string(finish.full_output.unwrap()).unwrap();
    let expect: String = (1..=20_000).map(|n| format!("{n}\n")).collect();
    assert_eq!(whole, expect);
    // More than a spool keeps: the middle is gone, and the text says how much.
    let finish = bench
        .call("shell", json!({"command": "seq 1 400000"}))
        .unwrap();
    let whole = fs::read_to_string(finish.full_output.unwrap()).unwrap();
    assert!(whole.starts_with("1\n2\n") && whole.ends_with("\n400000\n"));
    let note = whole.lines().find(|line| line.starts_with('[')).unwrap();
    let dropped: usize = note
        .chars()
        .filter(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .unwrap();
    let expect: usize = (1..=400_000).map(|n: u32| n.to_string().len() + 1).sum();
    let kept = whole.len() - note.len() - 1;
    assert!(
        (kept + dropped).abs_diff(expect) <= 1,
        "{kept} + {dropped}, {expect}"
    );
}

fn starts_afresh_with_the_given_environment() {
    let mut config = BuiltinConfig::new(std::env::current_exe().unwrap());
    let path = std::env::var("PATH").unwrap();
    config.shell_env = vec![("PATH".into(), path), ("GIVEN".into(), "value".into())];
    let mut bench = Bench::with(config);
    bench.ok("shell", json!({"command": "cd /; KEPT=no; export KEPT"}));
    let text = bench.ok(
        "shell",
        json!({"command": "echo $GIVEN-$KEPT-$HOME; pwd; cat"}),
    );
    let expect = format!("value--\n{}\n[exit 0", bench.root().display());
    assert!(text.starts_with(&expect), "{text}");
}

fn is_not_understood_for_the_policy() {
    let bench = Bench::new();
    let command = "make test\nmake install";
    let plan = bench
        .prepare("shell", json!({"command": command}))
        .unwrap()
        .plan;
    let expect = Action::Run {
        command: command.into(),
        understood: false,
    };
    assert_eq!(plan.actions, [expect]);
    assert_eq!(plan.essence, "make test ↵ make install");
}

fn checks_its_input() {
    let mut bench = Bench::new();
    let mut check = |input: serde_json::Value, expect: &str| {
        let text = bench.fails("shell", input);
        assert_eq!(text, expect);
    };
    check(
        json!({"cmd": "ls"}),
        "missing \"command\"; unknown key \"cmd\": did you mean \"command\"?",
    );
    check(json!({"command": " "}), "\"command\" is empty");
    check(
        json!({"command": "a\0b"}),
        "\"command\" holds a NUL character, which no command can",
    );
    check(
        json!({"command": "ls", "timeout_ms": 600_001}),
        "\"timeout_ms\" must be at most 600000, got 600001",
    );
    check(
        json!({"command": "ls", "timeout_ms": "5s"}),
        "\"timeout_ms\" must be a whole number, got \"5s\"",
    );
}

fn fails_without_a_keeper() {
    let mut bench = Bench::with(BuiltinConfig::new("/no/such/program".into()));
    let text = bench.fails("shell", json!({"command": "echo x"}));
    assert!(
        text.starts_with("The command was not run: its keeper did not start"),
        "{text}"
    );
    let ready = bench
        .prepare("shell", json!({"command": "echo x"}))
        .unwrap();
    let finish = ready.go_with(|call| call.spool = None);
    assert!(finish.failed_before_effect, "{}", finish.text);
}

fn is_found_again_after_a_crash() {
    let bench = Bench::new();
    let ready = bench
        .prepare("shell", json!({"command": "echo x"}))
        .unwrap();
    let spool = ready.spool();
    assert!(
        matches!(ready.reconcile(), Found::DidNot { .. }),
        "nobody started it"
    );

    // A keeper that comes after that must not run anything.
    let mut late = bench
        .prepare("shell", json!({"command": "echo x > late"}))
        .unwrap();
    late.call.spool = Some(spool);
    assert!(late.go().failed_before_effect);
    assert!(!bench.root().join("late").exists());

    // The harness goes away while the command runs; a later one hears how it ended.
    let first = bench
        .prepare(
            "shell",
            json!({"command": "echo begun; read x < go; echo done; exit 4"}),
        )
        .unwrap();
    let fifo = bench.root().join("go");
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
    )
    .unwrap();
    let spool = first.spool();
    leave_running(first);
    let mut later = bench
        .prepare(
            "shell",
            json!({"command": "echo begun; read x < go; echo done; exit 4"}),
        )
        .unwrap();
    later.call.spool = Some(spool);
    let writer = std::thread::spawn(move || fs::write(fifo, "\n").unwrap());
    let told = std::sync::Arc::clone(&later.progress);
    match later.reconcile() {
        Found::Happened(finish) => {
            assert_eq!(finish.exit_code, Some(4));
            assert!(finish.duration_ms.is_some_and(|ms| ms < 60_000));
            assert!(told.load(Ordering::Relaxed) >= 6, "its output streams on");
            assert!(
                finish.text.starts_with("begun\ndone\n[exit 4 in "),
                "{}",
                finish.text
            );
        }
        other => panic!("{other:?}"),
    }
    writer.join().unwrap();
}

/// Runs a command until it has written something; then its harness goes away.
fn leave_running(mut first: Ready) {
    let (running, mut is_running) = tokio::sync::watch::channel(false);
    first.call.progress = std::sync::Arc::new(move |_| {
        running.send_replace(true);
    });
    runtime().block_on(async {
        tokio::select! {
            finish = first.future() => panic!("{}", finish.text),
            running = is_running.wait_for(|running| *running) => drop(running.unwrap()),
        }
    });
}

/// The harness went away while the command ran; a later one is asked to stop.
fn is_stopped_by_a_later_owner() {
    let bench = Bench::new();
    let input = json!({"command": "echo begun; sleep 1000"});
    let first = bench.prepare("shell", input).unwrap();
    let mut later = first.again();
    leave_running(first);
    let (asking, cancel) = Cancel::channel();
    asking.send_replace(true);
    later.call.cancel = cancel;
    match later.reconcile() {
        Found::Happened(finish) => assert!(
            finish.text.starts_with("begun\n[cancelled after "),
            "{}",
            finish.text
        ),
        other => panic!("{other:?}"),
    }
}
