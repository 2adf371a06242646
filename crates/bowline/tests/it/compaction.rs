//! Conversations that are made shorter again and again lose nothing that must survive, whatever the
//! model makes of its summaries; before strict servers of three dialects.
//!
//! `BOWLINE_COMPACTIONS=50` forces that many instead of a sample.

use bowline_core::Digest;
use bowline_model::scenario::{Call, Expect, Fault, History, Scenario, Step, Stop};
use bowline_testkit::{Billing, Options, ScriptedServer};
use serde_json::{Value, json};

use crate::support::{Ran, Scratch, of_kind};

fn wanted() -> usize {
    let wanted = std::env::var("BOWLINE_COMPACTIONS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(9)
}

/// A model of one dialect, and where its server is.
type Dialect = (&'static str, fn(&ScriptedServer) -> String);

const DIALECTS: [Dialect; 3] = [
    ("anthropic/claude-sonnet-4-5", ScriptedServer::root_url),
    ("openai/m-1", ScriptedServer::base_url),
    ("openai-chat/m-1", ScriptedServer::base_url),
];

fn call(tool: &str, input: Value) -> Call {
    Call {
        tool: tool.to_owned(),
        input: input.as_object().cloned(),
        ..Call::default()
    }
}

fn calls(calls: Vec<Call>) -> Step {
    Step {
        text: Some("Looking.".to_owned()),
        calls,
        ..Step::default()
    }
}

fn says(text: impl Into<String>) -> Step {
    Step {
        text: Some(text.into()),
        ..Step::default()
    }
}

/// The same step, before which the conversation may have become another.
fn compacted(step: Step) -> Step {
    Step {
        expect: Some(Expect {
            history: History::Compacted,
            ..Expect::default()
        }),
        ..step
    }
}

/// What the model makes of the n-th summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Summary {
    Good,
    Rubbish,
    Fails,
    Cut,
    Grows,
    DropsAll,
    CallsATool,
}

impl Summary {
    const ALL: [Self; 7] = [
        Self::Good,
        Self::Rubbish,
        Self::Fails,
        Self::Cut,
        Self::Grows,
        Self::DropsAll,
        Self::CallsATool,
    ];

    /// Whether what it says is put in force.
    fn does(self) -> bool {
        matches!(self, Self::Good | Self::DropsAll)
    }

    fn steps(self, number: usize) -> Vec<Step> {
        let failing = Step {
            fault: Some(Fault::Status {
                status: 503,
                retry_after_s: None,
                body: None,
            }),
            ..Step::default()
        };
        let many: Vec<String> = (0..14)
            .map(|n| format!("{n} {}", "long ".repeat(190)))
            .collect();
        vec![match self {
            Self::Good => says(
                json!({ "goal": "find the leak", "dead_ends": [format!("DEAD-END-{number} is none")],
                    "decisions": [{ "what": format!("DECISION-{number}"), "why": "it is small" }],
                    "next_step": format!("look at part {number}") })
                .to_string(),
            ),
            Self::Rubbish => says("I would rather tell you a story."),
            Self::Fails => return vec![failing.clone(), failing],
            Self::Cut => Step {
                stop: Some(Stop::Length),
                ..says("{\"goal\": \"find the")
            },
            Self::Grows => says(
                json!({ "goal": "g", "constraints": many, "next_step": "n" })
                    .to_string(),
            ),
            Self::DropsAll => says(json!({ "goal": "something else", "next_step": "stop" }).to_string()),
            Self::CallsATool => Step {
                text: None,
                ..calls(vec![call("read", json!({ "path": "f0.txt" }))])
            },
        }]
    }
}

struct Session {
    scratch: Scratch,
    server: ScriptedServer,
    dialect: Dialect,
}

impl Session {
    fn begin(dialect: Dialect, steps: Vec<Step>) -> Self {
        let scratch = Scratch::new();
        scratch.file("AGENTS.md", "RULE-OF-THE-PROJECT: no tabs, ever.\n");
        for file in 0..6 {
            let text = format!("file {file}: the harness waits until it is done\n").repeat(30);
            scratch.file(&format!("f{file}.txt"), text);
        }
        let options = Options {
            billing: Billing::Counted,
            ..Options::default()
        };
        let server = ScriptedServer::start(Scenario::new(steps), options);
        Self {
            scratch,
            server,
            dialect,
        }
    }

    fn exec(&self, more: &[&str]) -> Ran {
        let (model, url) = self.dialect;
        let url = url(&self.server);
        let mut args = vec!["exec", "--model", model, "--base-url", &url];
        args.extend(more);
        self.scratch.run(&args)
    }

    fn id(&self) -> String {
        self.scratch.sessions()[0].clone()
    }

    /// What the request of that number held, escapes undone.
    fn sent(&self, number: usize) -> String {
        let requests = self.server.requests();
        let body = String::from_utf8_lossy(&requests[number].raw).into_owned();
        body.replace("\\\"", "\"").replace("\\n", "\n")
    }
}

/// Everything of which each request after the n-th compaction must hold each one.
fn planted(session: &Session, number: usize) -> Vec<String> {
    let mut all = vec![
        "RULE-OF-THE-PROJECT: no tabs, ever.".to_owned(),
        "RULE-OF-THE-PERSON: keep the API".to_owned(),
        "PLAN-ONE".to_owned(),
        "PLAN-TWO".to_owned(),
        "ANSWER-42".to_owned(),
        "allowed from then on".to_owned(),
        "notes.txt".to_owned(),
    ];
    for part in 0..=number {
        all.push(format!("RULE-{part}: be brief"));
        let name = format!("f{}.txt", part % 6);
        let content = std::fs::read(session.scratch.work().join(&name)).expect("the file");
        all.push(format!("{name} {}", &Digest::of(&content).to_hex()[..12]));
        if part > 0 && Summary::ALL[(part - 1) % 7] == Summary::Good {
            all.push(format!("DEAD-END-{} is none", part - 1));
            all.push(format!("DECISION-{}", part - 1));
        }
    }
    all
}

/// Begins a session in which a person answers a question and allows a kind of call.
fn prepare() -> Vec<Step> {
    vec![
        calls(vec![call(
            "todo",
            json!({ "items": [{ "text": "PLAN-ONE", "status": "in_progress" },
                { "text": "PLAN-TWO", "status": "pending" }] }),
        )]),
        calls(vec![
            call("ask_user", json!({ "question": "Which port?" })),
            call("write", json!({ "path": "notes.txt", "content": "x" })),
        ]),
        says("ready"),
    ]
}

fn answer(session: &Session) {
    let shown = session.exec(&[
        "--mode",
        "ask",
        "--output",
        "json",
        "RULE-OF-THE-PERSON: keep the API. Find the leak.",
    ]);
    shown.expect(3, &[]);
    let waiting = shown.json()["waiting"].clone();
    for one in waiting.as_array().expect("what waits") {
        let id = one["decision_id"].as_str().expect("an id");
        if one["tool"] == "ask_user" {
            session
                .scratch
                .run(&["answer", id, "ANSWER-42"])
                .expect(0, &[]);
        } else {
            let args = ["approve", id, "--scope", "session"];
            session.scratch.run(&args).expect(0, &[]);
        }
    }
    session
        .scratch
        .run(&["resume", &session.id()])
        .expect(0, &["ready"]);
}

fn part(number: usize) -> Vec<Step> {
    let name = format!("f{}.txt", number % 6);
    vec![
        compacted(calls(vec![call("read", json!({ "path": name }))])),
        says(format!("part {number} is looked at")),
    ]
}

fn force(dialect: Dialect, count: usize) {
    let mut steps = prepare();
    steps.extend(part(0));
    let mut first_after = Vec::new();
    for number in 0..count {
        steps.extend(Summary::ALL[number % 7].steps(number));
        first_after.push(steps.len());
        steps.extend(part(number + 1));
    }
    let session = Session::begin(dialect, steps);
    answer(&session);
    let go_on = |number: usize| {
        let prompt = format!("RULE-{number}: be brief. Look at part {number}.");
        let ran = session.exec(&["--continue", "--mode", "full", &prompt]);
        ran.expect(0, &[&format!("part {number} is looked at")]);
    };
    go_on(0);
    for (number, first) in first_after.into_iter().enumerate() {
        let summary = Summary::ALL[number % 7];
        let ran = session.scratch.run(&["compact", &session.id(), "--json"]);
        ran.expect(0, &[]);
        let told = ran.json();
        let how = if summary.does() {
            "model_summary"
        } else {
            "outline"
        };
        assert_eq!(told["strategies"][0], how, "{summary:?} {}", ran.err);
        let failed = told["failed"].as_array().map_or(0, Vec::len);
        assert_eq!(
            failed,
            usize::from(!summary.does()),
            "{summary:?} {}",
            ran.err
        );
        go_on(number + 1);
        let sent = session.sent(first);
        for fact in planted(&session, number) {
            assert!(sent.contains(&fact), "{summary:?} {number}: {fact}\n{sent}");
        }
    }
    assert_eq!(session.server.violations(), []);
    let events = session.scratch.events();
    assert_eq!(of_kind(&events, "HistoryCompacted").len(), count);
}

#[test]
fn forced_compactions_lose_nothing_whatever_the_model_makes_of_them() {
    for dialect in DIALECTS {
        force(dialect, wanted());
        println!("{}: {} compactions, nothing lost", dialect.0, wanted());
    }
}

#[test]
fn an_open_question_survives_a_compaction_and_is_answered_after_it() {
    let summary = json!({ "goal": "write", "next_step": "wait" }).to_string();
    let steps = vec![
        calls(vec![call("read", json!({ "path": "f0.txt" }))]),
        calls(vec![call("read", json!({ "path": "f1.txt" }))]),
        calls(vec![call(
            "write",
            json!({ "path": "new.txt", "content": "x" }),
        )]),
        // What waits for an answer is no part of what is summed up.
        compacted(says(summary)),
        compacted(says("written")),
    ];
    let session = Session::begin(DIALECTS[0], steps);
    let ran = session.exec(&["--mode", "ask", "--output", "json", "write it"]);
    ran.expect(3, &[]);
    let made = session.scratch.run(&["compact", &session.id()]);
    made.expect(0, &["exchanges taken out"]);
    let waiting = ran.json()["waiting"][0]["decision_id"].clone();
    let id = waiting.as_str().expect("an id").to_owned();
    session.scratch.run(&["approve", &id]).expect(0, &[]);
    session
        .scratch
        .run(&["resume", &session.id()])
        .expect(0, &["written"]);
    assert_eq!(session.server.violations(), []);
    let last = session.sent(4);
    for fact in ["Waits for a person's answer", "new.txt", "write it"] {
        assert!(last.contains(fact), "{fact}: {last}");
    }
}

/// Results of several kinds, each of which fills much of the window.
fn filling(count: usize) -> Vec<Step> {
    (0..count)
        .map(|number| {
            let read = |file: usize| {
                let path = format!("big{}.txt", (number * 4 + file) % 16);
                call("read", json!({ "path": path }))
            };
            compacted(calls((0..4).map(read).collect()))
        })
        .chain(vec![compacted(says("all is read")); 4])
        .collect()
}

fn big_files(session: &Session, bytes: usize) {
    for file in 0..16 {
        let mut text = String::new();
        let mut line = 0;
        while text.len() < bytes {
            text.push_str(&format!(
                "line {line} of file {file} says {}\n",
                line * 7919 + file
            ));
            line += 1;
        }
        session.scratch.file(&format!("big{file}.txt"), text);
    }
}

#[test]
fn a_long_turn_goes_on_by_itself_within_a_small_window() {
    for summary in ["model", "outline"] {
        let session = Session::begin(DIALECTS[2], filling(24));
        big_files(&session, 4_000);
        let config = "[context]\nwindow = 40000\nsummary = \"outline\"\n";
        session.scratch.config(&config.replace("outline", summary));
        let ran = session.exec(&["--mode", "full", "RULE-OF-THE-PERSON: read all"]);
        if summary == "outline" {
            ran.expect(0, &["all is read", "the conversation is shorter"]);
        }
        assert_eq!(session.server.violations(), []);
        let events = session.scratch.events();
        let count = of_kind(&events, "HistoryCompacted").len();
        assert!(count >= 2, "{count} compactions\n{}", ran.err);
        for request in session.server.requests() {
            let tokens = bowline_testkit::billing::input_tokens(&request.body);
            assert!(tokens < 40_000, "a request of {tokens} tokens");
        }
    }
}

#[test]
fn a_model_that_fills_the_window_with_every_step_is_stopped_with_the_reason() {
    let session = Session::begin(DIALECTS[2], filling(40));
    big_files(&session, 17_000);
    session
        .scratch
        .config("[context]\nwindow = 40000\nsummary = \"outline\"\n");
    let ran = session.exec(&["--mode", "full", "--output", "json", "read all"]);
    ran.expect(1, &[]);
    let result = ran.json();
    assert_eq!(result["stop_reason"], "context_full", "{result}");
    let events = session.scratch.events();
    let ended = of_kind(&events, "TurnEnded")[0]["data"]["detail"].clone();
    let ended = ended.as_str().expect("a reason").to_owned();
    assert!(ended.contains("in a row and is full again"), "{ended}");
    assert!(of_kind(&events, "HistoryCompacted").len() >= 3);
}

#[test]
fn a_request_that_the_provider_refuses_as_too_long_is_made_shorter_and_made_again() {
    let too_long = Step {
        fault: Some(Fault::Status {
            status: 400,
            retry_after_s: None,
            body: Some(
                json!({ "error": { "type": "invalid_request_error",
                    "code": "context_length_exceeded",
                    "message": "This model's maximum context length is 8192 tokens." } })
                .to_string(),
            ),
        }),
        ..Step::default()
    };
    let mut steps: Vec<Step> = filling(4);
    steps.insert(4, too_long);
    let session = Session::begin(DIALECTS[2], steps);
    big_files(&session, 4_000);
    session.scratch.config("[context]\nsummary = \"outline\"\n");
    let ran = session.exec(&["--mode", "full", "read all"]);
    ran.expect(0, &["all is read"]);
    let events = session.scratch.events();
    let begun = of_kind(&events, "CompactionBegun");
    assert_eq!(begun[0]["data"]["cause"], "too_long");
}

#[test]
fn results_that_do_not_fit_by_themselves_keep_their_head_and_tail_and_can_be_read() {
    let session = Session::begin(DIALECTS[2], filling(1));
    big_files(&session, 30_000);
    session
        .scratch
        .config("[context]\nwindow = 40000\nsummary = \"outline\"\n");
    let ran = session.exec(&["--mode", "full", "read all"]);
    ran.expect(0, &["all is read", "large results trimmed"]);
    assert_eq!(session.server.violations(), []);
    let sent = session.sent(1);
    let (_, named) = sent.split_once("the whole is at ").expect("a handle");
    let handle = &named[.."blob:0123456789abcdef".len()];
    assert!(sent.contains("line 0 of file 0"), "its head is there");
    let blobs = session
        .scratch
        .home()
        .join("sessions")
        .join(session.id())
        .join("blobs");
    let whole = crate::support::snapshot(&blobs)
        .into_iter()
        .find(|(path, _)| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&handle["blob:".len()..])
        });
    let (_, whole) = whole.expect("what the handle names is stored");
    let whole = String::from_utf8_lossy(&whole).into_owned();
    assert!(whole.contains("line 700 of file"), "{} bytes", whole.len());
}
