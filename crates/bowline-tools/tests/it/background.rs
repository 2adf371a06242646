//! `shell` in the background and `shell_job`, under a real keeper.

use bowline_core::job::JobChange;
use bowline_core::{Action, Job, OutcomeStatus, ReplayClass};
use bowline_tools::keeper::recover::{Look, look};
use bowline_tools::{Finish, Found};
use serde_json::json;

use crate::bench::{Bench, runtime};

crate::cases![
    starts_reads_on_and_stops,
    takes_input_until_it_is_closed,
    tells_of_a_command_that_is_over_at_once,
    waits_for_output_and_for_the_end,
    is_found_again_running_after_a_crash,
    a_stop_is_found_or_asked_again,
    is_judged_as_the_command_it_tells,
    checks_its_input,
    lists_what_there_is,
    keeps_the_number_of_jobs_bounded,
];

/// Folds what a call did to jobs, as a session does.
fn fold(bench: &mut Bench, finish: &Finish) {
    for change in &finish.effect.jobs {
        match change.clone() {
            JobChange::Started {
                job,
                command,
                spool,
                offset,
                confined,
            } => {
                let started = Job {
                    command,
                    spool,
                    offset,
                    confined,
                    ended: None,
                };
                bench.jobs.insert(job, started);
            }
            JobChange::Read { job, offset } => {
                bench.jobs.get_mut(&job).unwrap().offset = offset;
            }
            JobChange::Ended { job, how } => {
                bench.jobs.get_mut(&job).unwrap().ended = Some(how);
            }
        }
    }
}

fn start(bench: &mut Bench, command: &str) -> (String, String) {
    let input = json!({"command": command, "background": true});
    let finish = bench.call("shell", input).unwrap();
    fold(bench, &finish);
    (finish.effect.jobs[0].job().to_owned(), finish.text)
}

fn tell(bench: &mut Bench, input: serde_json::Value) -> Finish {
    let finish = bench.call("shell_job", input).unwrap();
    fold(bench, &finish);
    finish
}

/// Polls until the output read so far holds `part`.
fn poll_until(bench: &mut Bench, job: &str, part: &str) -> String {
    let mut all = String::new();
    while !all.contains(part) {
        let finish = tell(
            bench,
            json!({"action": "poll", "job": job, "wait_ms": 30_000}),
        );
        assert!(
            finish.text.contains(" runs]") || finish.text.contains(part),
            "{}",
            finish.text
        );
        all.push_str(&finish.text);
    }
    all
}

fn starts_reads_on_and_stops() {
    let mut bench = Bench::new();
    let fifo = bench.root().join("go");
    let command = "mkfifo go; echo ready; read line < go; echo heard $line; sleep 1000";
    let (job, text) = start(&mut bench, command);
    assert!(
        text.starts_with("ready\n[runs in the background as bg:"),
        "{text}"
    );
    let quiet = tell(&mut bench, json!({"action": "poll", "job": job}));
    assert_eq!(quiet.text, format!("[{job} runs; no new output]\n"));
    std::fs::write(fifo, "you\n").unwrap();
    let text = poll_until(&mut bench, &job, "heard");
    assert!(text.starts_with("heard you\n"), "only what is new: {text}");
    let stopped = tell(&mut bench, json!({"action": "stop", "job": &job[3..]}));
    assert!(
        stopped.text.contains("ended: stopped after"),
        "{}",
        stopped.text
    );
    let dir = bench.at("spool").join(&bench.jobs[&job].spool);
    assert!(matches!(look(&dir), Look::Ended(_)));
    let again = tell(&mut bench, json!({"action": "poll", "job": job}));
    assert!(
        again.text.contains("has ended: stopped after"),
        "{}",
        again.text
    );
    let late = tell(
        &mut bench,
        json!({"action": "write", "job": job, "input": "x"}),
    );
    assert!(late.failed_before_effect, "{}", late.text);
}

fn takes_input_until_it_is_closed() {
    let mut bench = Bench::new();
    let command = "while read line; do echo \"got $line\"; done; echo over";
    let (job, _) = start(&mut bench, command);
    let one = tell(
        &mut bench,
        json!({"action": "write", "job": job, "input": "one\nt"}),
    );
    assert!(one.text.contains("got one\n"), "{}", one.text);
    tell(
        &mut bench,
        json!({"action": "write", "job": job, "input": "wo\n"}),
    );
    let closed = tell(&mut bench, json!({"action": "close", "job": job}));
    let mut text = closed.text;
    if !text.contains("ended: exit 0") {
        text = poll_until(&mut bench, &job, "ended: exit 0");
    }
    assert!(text.contains("over\n"), "{text}");
}

fn tells_of_a_command_that_is_over_at_once() {
    let mut bench = Bench::new();
    let input = json!({"command": "echo gone; exit 3", "background": true});
    let finish = bench.call("shell", input).unwrap();
    let text = &finish.text;
    assert!(
        text.starts_with("gone\n[bg:") && text.contains("ended: exit 3 after"),
        "{text}"
    );
    assert_eq!(
        (finish.status, finish.exit_code),
        (OutcomeStatus::Error, Some(3))
    );
    assert!(matches!(finish.effect.jobs[1], JobChange::Ended { .. }));
}

fn waits_for_output_and_for_the_end() {
    let mut bench = Bench::new();
    let (job, _) = start(&mut bench, "mkfifo go; read line < go; echo $line; exit 7");
    let fifo = bench.root().join("go");
    let writer = std::thread::spawn(move || std::fs::write(fifo, "late\n").unwrap());
    let finish = tell(
        &mut bench,
        json!({"action": "poll", "job": job, "wait_ms": 30_000}),
    );
    writer.join().unwrap();
    assert!(finish.text.starts_with("late\n"), "{}", finish.text);
    if finish.exit_code.is_none() {
        poll_until(&mut bench, &job, "ended: exit 7");
    }
}

fn is_found_again_running_after_a_crash() {
    let mut bench = Bench::new();
    let input = json!({"command": "echo up; exec sleep 1000", "background": true});
    let first = bench.prepare("shell", input).unwrap();
    let (dir, again) = (first.spool(), first.again());
    // The harness dies as soon as the command has spoken.
    runtime().block_on(async {
        let progress = std::sync::Arc::clone(&first.progress);
        let call = first.future();
        tokio::pin!(call);
        let spoke = async {
            while progress.load(std::sync::atomic::Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { biased; () = spoke => {}, _ = &mut call => panic!("it waits longer") }
    });
    let Found::Happened(finish) = again.reconcile() else {
        panic!("it runs");
    };
    fold(&mut bench, &finish);
    let job = finish.effect.jobs[0].job().to_owned();
    assert!(
        finish.text.starts_with("up\n[runs in the background as"),
        "{}",
        finish.text
    );
    assert_eq!(look(&dir), Look::Running);
    let stopped = tell(&mut bench, json!({"action": "stop", "job": job}));
    assert!(stopped.text.contains("ended: stopped"), "{}", stopped.text);

    let never = json!({"command": "echo never", "background": true});
    let never = bench.prepare("shell", never).unwrap();
    assert!(matches!(never.reconcile(), Found::DidNot { .. }));
}

fn a_stop_is_found_or_asked_again() {
    let mut bench = Bench::new();
    let (job, _) = start(&mut bench, "sleep 1000");
    let ready = bench
        .prepare("shell_job", json!({"action": "stop", "job": job}))
        .unwrap();
    let (first, again) = (ready.again(), ready.again());
    assert!(ready.go().text.contains("ended: stopped"));
    // The outcome was lost: looking tells.
    assert!(matches!(first.reconcile(), Found::Happened(_)));
    assert!(matches!(again.reconcile(), Found::Happened(_)));
    let (job, _) = start(&mut bench, "cat");
    let written = json!({"action": "write", "job": job, "input": "x"});
    let written = bench.prepare("shell_job", written).unwrap();
    assert!(matches!(written.reconcile(), Found::Unknown { .. }));
    tell(&mut bench, json!({"action": "stop", "job": job}));
}

fn is_judged_as_the_command_it_tells() {
    let mut bench = Bench::new();
    let (job, _) = start(&mut bench, "cat");
    let check = |input: serde_json::Value, command: Option<&str>, class: ReplayClass| {
        let plan = bench.prepare("shell_job", input.clone()).unwrap().plan;
        let action = match command {
            Some(command) => Action::Run {
                command: command.into(),
                understood: false,
            },
            None => Action::Note,
        };
        assert_eq!(
            (plan.actions, plan.replay.class),
            (vec![action], class),
            "{input}"
        );
    };
    check(json!({"action": "list"}), None, ReplayClass::Free);
    check(
        json!({"action": "poll", "job": job}),
        None,
        ReplayClass::Free,
    );
    check(
        json!({"action": "write", "job": job, "input": "rm -r /\n"}),
        Some("cat\nrm -r /\n"),
        ReplayClass::Once,
    );
    check(
        json!({"action": "stop", "job": job}),
        Some("cat"),
        ReplayClass::Checkable,
    );
    let write = json!({"action": "write", "job": job, "input": "rm -r /\n"});
    let essence = bench.prepare("shell_job", write).unwrap().plan.essence;
    assert_eq!(essence, format!("write `rm -r /\\n` to {job} (cat)"));
    tell(&mut bench, json!({"action": "stop", "job": job}));
}

fn checks_its_input() {
    let mut bench = Bench::new();
    let text = bench.fails("shell_job", json!({"action": "poll", "job": "bg:00000000"}));
    assert!(
        text.contains("nothing was started in the background"),
        "{text}"
    );
    let (job, _) = start(&mut bench, "sleep 1000");
    let mut check = |input: serde_json::Value, expect: &str| {
        let text = bench.fails("shell_job", input);
        assert!(text.contains(expect), "{text}");
    };
    check(
        json!({"action": "poll", "job": "bg:1"}),
        &format!("there are {job}"),
    );
    check(json!({"action": "write", "job": job}), "needs \"input\"");
    check(
        json!({"action": "poll", "job": job, "input": "x"}),
        "goes with \"write\" only",
    );
    check(
        json!({"action": "write", "job": job, "input": "x".repeat(40_000)}),
        "has 40000 bytes",
    );
    check(json!({"action": "kill", "job": job}), "must be one of");
    let (other, _) = start(&mut bench, "sleep 1000");
    let text = bench.fails("shell_job", json!({"action": "stop"}));
    assert!(text.contains("missing \"job\": one of bg:"), "{text}");
    tell(&mut bench, json!({"action": "stop", "job": job}));
    // The one that still runs is meant.
    tell(&mut bench, json!({"action": "stop"}));
    assert!(bench.jobs[&other].ended.is_some());
}

fn lists_what_there_is() {
    let mut bench = Bench::new();
    assert!(
        bench
            .ok("shell_job", json!({"action": "list"}))
            .starts_with("Nothing")
    );
    let (job, _) = start(&mut bench, "sleep 1000");
    let text = bench.ok("shell_job", json!({"action": "list"}));
    assert_eq!(text, format!("{job}  runs  sleep 1000\n"));
    tell(&mut bench, json!({"action": "stop", "job": job}));
    let text = bench.ok("shell_job", json!({"action": "list"}));
    assert!(text.contains("stopped after"), "{text}");
}

fn keeps_the_number_of_jobs_bounded() {
    let mut bench = Bench::new();
    for number in 0..16 {
        let job = Job {
            command: "sleep 1000".into(),
            spool: format!("{number}"),
            offset: 0,
            confined: false,
            ended: None,
        };
        bench.jobs.insert(format!("bg:{number:08}"), job);
    }
    let input = json!({"command": "sleep 1000", "background": true});
    let text = bench.fails("shell", input);
    assert!(
        text.contains("16 commands run in the background already"),
        "{text}"
    );
}
