//! Random rules, models, modes and histories, run with the program itself: every byte that a server
//! gets which is not local is searched for what the rules keep. `BOWLINE_KEPT_CASES` makes more.

use serde_json::{Value, json};

use super::serve;
use crate::support::Scratch;

/// Files with what is in them; none is a part of another.
const FILES: [(&str, &str); 5] = [
    ("src/main.rs", "content-a1f3"),
    ("src/secret/key", "content-b2e4"),
    ("src/secret/deep/more.txt", "content-c3d5"),
    ("vault/x.pem", "content-d4c6"),
    ("docs/notes.md", "content-e5b7"),
];

/// Rules that keep, with the places of the files that they mean.
const SENDS: [(&str, &[usize]); 6] = [
    ("send(src/secret/**)", &[1, 2]),
    ("send(src/secret/key)", &[1]),
    ("send(vault/)", &[3]),
    ("send(**/*.pem)", &[3]),
    ("send(docs)", &[4]),
    ("send(src/**)", &[0, 1, 2]),
];

/// Rules that must not open what those keep.
const OTHERS: [&str; 6] = [
    "allow = \"read(**)\"",
    "allow = \"read(src/secret/key)\"",
    "allow = \"cat *\"",
    "allow = \"python3 *\"",
    "allow = \"tool(*)\"",
    "deny = \"write(docs/**)\"",
];

/// Shell commands that show something, by name and otherwise.
const COMMANDS: [&str; 16] = [
    "cat src/secret/key",
    "cat src/main.rs docs/notes.md",
    "cd src/secret && cat key deep/more.txt",
    "cat */*.pem",
    "cat link/key",
    "grep -r content .",
    "grep -rh content src | sort",
    "sh -c 'cat vault/x.pem'",
    "f=src/secret/key; cat \"$f\"",
    "python3 -c \"import glob; [print(open(p).read()) for p in glob.glob('**/*', recursive=True) if '.' in p or 'key' in p]\"",
    "find . -type f -exec cat {} +",
    "cp -r src /tmp/copied-src; cat /tmp/copied-src/secret/key",
    "ls src/secret; head -5 docs/notes.md",
    "tar cf - src vault | strings",
    "git diff --no-index /dev/null src/secret/key",
    "mv src other; cat other/secret/key; mv other src",
];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.roll(all.len())]
    }

    fn call(&mut self) -> Value {
        let paths = [
            "src/secret/key",
            "./src/../src/secret/key",
            "link/key",
            "src/secret/deep/more.txt",
            "vault/x.pem",
            "docs/notes.md",
            "src/main.rs",
        ];
        let path = *self.of(&paths);
        let folder = *self.of(&[".", "src", "src/secret", "vault", "link"]);
        match self.roll(8) {
            0 | 1 => json!({ "tool": "read", "input": { "path": path } }),
            2 => {
                json!({ "tool": "grep", "input": { "pattern": "content", "path": folder } })
            }
            3 => json!({ "tool": "edit", "input": { "path": path,
                "edits": [{ "old": "nothing like it", "new": "x" }] } }),
            4 => json!({ "tool": "list", "input": { "path": folder } }),
            _ => json!({ "tool": "shell", "input": { "command": self.of(&COMMANDS) } }),
        }
    }
}

/// What one case came to: bytes of kept content that went elsewhere, and requests that went there.
#[derive(Default)]
struct Came {
    leaks: Vec<String>,
    elsewhere: usize,
    kept_locally: usize,
}

fn case(seed: u64, is_ruled: bool) -> Came {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let scratch = Scratch::new();
    for (name, content) in FILES {
        scratch.file(name, format!("{content}\n"));
    }
    std::os::unix::fs::symlink("src/secret", scratch.work().join("link")).expect("a link");
    let (mut rules, mut kept) = (String::new(), Vec::new());
    for _ in 0..=dice.roll(2) {
        let (rule, means) = dice.of(&SENDS);
        rules.push_str(&format!("[[rule]]\ndeny = \"{rule}\"\n"));
        kept.extend(means.iter().map(|at| FILES[*at].1));
    }
    if !is_ruled {
        rules.clear();
    }
    for _ in 0..dice.roll(3) {
        rules.push_str(&format!("[[rule]]\n{}\n", dice.of(&OTHERS)));
    }
    scratch.rules(&rules);
    let mut came = Came::default();
    let mut is_local = dice.roll(3) == 0;
    for run in 0..3 {
        let mut steps = Vec::new();
        for _ in 0..1 + dice.roll(3) {
            let calls: Vec<Value> = (0..=dice.roll(2)).map(|_| dice.call()).collect();
            steps.push(json!({ "calls": calls }));
        }
        steps.extend([json!({ "text": "done" }), json!({ "text": "done" })]);
        let server = serve(json!(steps));
        let host = if is_local { "127.0.0.1" } else { "0.0.0.0" };
        let url = format!("http://{host}:{}/v1", server.address().port());
        let mode = *dice.of(&["ask", "edit", "auto", "full"]);
        let mut args = vec!["exec", "--model", "openai-chat/m", "--base-url", &url];
        args.extend(["--mode", mode, "--on-ask", "refuse"]);
        if run > 0 {
            args.push("--continue");
        }
        args.push("go");
        scratch.run(&args);
        for request in server.requests().into_iter().chain(server.counts()) {
            let text = String::from_utf8_lossy(&request.raw).into_owned();
            let held = kept.iter().filter(|content| text.contains(**content));
            if is_local {
                came.kept_locally += held.count();
            } else {
                came.elsewhere += 1;
                came.leaks.extend(
                    held.map(|content| format!("seed {seed} run {run}: {content} in {text}")),
                );
            }
        }
        is_local = dice.roll(3) == 0;
    }
    came
}

#[test]
fn no_request_elsewhere_holds_what_a_rule_keeps() {
    let cases = std::env::var("BOWLINE_KEPT_CASES");
    let cases: u64 = cases.ok().and_then(|cases| cases.parse().ok()).unwrap_or(5);
    let (mut elsewhere, mut locally, mut unruled) = (0, 0, 0);
    for seed in 1..=cases {
        let came = case(seed, true);
        assert!(came.leaks.is_empty(), "{}", came.leaks.join("\n"));
        elsewhere += came.elsewhere;
        locally += came.kept_locally;
        if seed <= 2 {
            unruled += case(seed, false).leaks.len();
        }
    }
    println!(
        "{cases} cases: 0 leaks in {elsewhere} requests elsewhere; kept content {locally} times in local ones; without the rules {unruled} leaks in 2 cases"
    );
    assert!(
        elsewhere > 0 && unruled > 0,
        "a control that catches nothing"
    );
}
