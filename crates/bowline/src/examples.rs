//! What help pages end with: examples to copy, and exit codes where they say something.

/// `bowline --help`
pub const ALL: &str = "\
First steps:
  bowline demo                          a whole task, no model and no key
  bowline doctor                        what is missing, and how to mend it
  bowline exec \"fix the failing test\"   with the model that is found
  bowline exec --help                   every option of a run, with examples

`bowline COMMAND --help` says more of each.";

/// `bowline` alone
pub const SHORT: &str = "\
bowline: give an agent a task and watch it done.

  bowline exec \"fix the failing test\"   with the model that is found
  bowline demo                          a whole task, no model and no key
  bowline doctor                        what is missing, and how to mend it
  bowline --help                        everything else";

/// `bowline exec --help`
pub const EXEC: &str = "\
Examples:
  bowline exec \"fix the failing test\"
  bowline exec --mode edit \"rename Order to Purchase everywhere\"
  bowline exec --model openai-chat/qwen3 --base-url http://host/v1 \"...\"
  git diff | bowline exec - --output json     the task from standard input
  bowline exec --continue \"now the docs\"     the newest session of this folder
  bowline exec --resume 4f1c9a2b              what is outstanding goes on
  bowline exec --output-schema s.json \"...\"  JSON that fits s.json
  bowline exec --image shot.png \"what is wrong on this page?\"

Without --model: `model` of the configuration, else the first [[providers]] that
names a model, else the key in ANTHROPIC_API_KEY or OPENAI_API_KEY, else a local
server (Ollama, llama.cpp, LM Studio, vLLM).

Exit codes:
  0 done         1 failed: length, provider, storage, step limit, answer
  2 usage or configuration       3 waits for a person       4 budget used up
  5 refused or denied            130 cancelled";

/// `bowline resume --help`
pub const RESUME: &str = "\
Examples:
  bowline resume 4f1c9a2b             what is outstanding goes on
  bowline resume 4f1c9a2b --wait      and stays until all that waits is over
  bowline resume --all-ready          whatever can go on, one after the other

A session that another process has is left to it. Exit codes of one session are
those of `bowline exec`; --all-ready ends with 1 if one of them failed, else 0.";

/// `bowline demo --help`
pub const DEMO: &str = "\
Examples:
  bowline demo
  bowline demo --dir ./sample         look at the files afterwards";

/// `bowline trust --help`
pub const TRUST: &str = "\
Examples:
  bowline trust --show                what this folder's files would start
  bowline trust                       the same, then asks; the answer is no
  bowline trust --yes 3f9a...         without asking, if the hash still fits
  bowline trust --list                every folder that is trusted
  bowline trust --revoke              from now on it can only tighten again

Trust holds for the very bytes that were shown: a file of .bowline that is
changed, added or removed asks again. Until then these files only tighten.";

/// `bowline sessions --help`
pub const SESSIONS: &str = "\
Examples:
  bowline sessions list
  bowline sessions show 4f1c9a2b      any unique part at either end of an id
  bowline sessions export 4f1c9a2b --json > session.json
  bowline sessions import session.json        here or on another machine
  bowline sessions repair 4f1c9a2b --dry-run
  bowline sessions prune --older-than 30d         shows only; --yes takes away";

/// `bowline events --help`
pub const EVENTS: &str = "\
Examples:
  bowline events 4f1c9a2b             one line an event
  bowline events 4f1c9a2b --json | jq 'select(.event.kind == \"Decided\")'
  bowline events 4f1c9a2b --follow    while it runs";

/// `bowline log --help`
pub const LOG: &str = "\
Examples:
  bowline log --since 2h              what happened lately
  bowline log --level warning         only what went wrong
  bowline log --json | jq 'select(.event.kind == \"CallRefused\")'";

/// `bowline why --help`
pub const WHY: &str = "\
Examples:
  bowline why                         the newest session of this folder
  bowline why 4f1c9a2b                a session or a call, by any part of its id
  bowline why --json | jq .next";

/// `bowline context --help`
pub const CONTEXT: &str = "\
Examples:
  bowline context 4f1c9a2b            what the next request consists of
  bowline context 4f1c9a2b --step 12  what was sent at step 12
  bowline context 4f1c9a2b --json | jq '.breaks'";

/// `bowline transcript --help`
pub const TRANSCRIPT: &str = "\
Examples:
  bowline transcript 4f1c9a2b | less
  bowline transcript 4f1c9a2b --as-sent 12 | jq .messages";

/// `bowline answer --help`
pub const ANSWER: &str = "\
Examples:
  bowline answer 9c31 \"the staging one\"
  bowline answer 9c31 --choice 2      one of the choices it offers
  bowline exec --resume 4f1c9a2b      then go on";

/// `bowline send --help`
pub const SEND: &str = "\
Examples:
  bowline send 4f1c9a2b \"leave the tests alone\"
  git diff | bowline send 4f1c9a2b -  from standard input";

/// `bowline watch --help`
pub const WATCH: &str = "\
Examples:
  bowline watch 4f1c9a2b              from the beginning of its turn to the end
  bowline watch 4f1c9a2b --output stream-json

Only what is durable is shown, a moment after the one who drives it sees it.";

/// `bowline take-over --help`
pub const TAKE_OVER: &str = "\
Examples:
  bowline take-over 4f1c9a2b          end a process that is stuck, then
  bowline exec --resume 4f1c9a2b      go on
  bowline exec --resume 4f1c9a2b --take-over      both at once

Nothing is cancelled: shell commands go on, and whoever goes on takes their outcome.";

/// `bowline jobs --help`
pub const JOBS: &str = "\
Examples:
  bowline jobs list
  bowline jobs stop bg:5e1d77f0       asked to end, then made to";

/// `bowline memory --help`
pub const MEMORY: &str = "\
Examples:
  bowline memory list                              what the model is told here, file by file
  bowline memory add 'Tests run with cargo xtask test'
  bowline memory add --user 'Answer in French'     in every session
  bowline memory edit --user                       in $VISUAL or $EDITOR

Files are AGENTS.md and CLAUDE.md, your own first, then from the root of the repository inwards.";

/// `bowline tools --help`
pub const TOOLS: &str = "\
Examples:
  bowline tools list
  bowline tools show edit
  bowline tools call read --input '{\"path\": \"README.md\"}'";

/// `bowline tools call --help`
pub const TOOLS_CALL: &str = "\
Examples:
  bowline tools call read --input '{\"path\": \"README.md\"}'
  bowline tools call shell --mode auto --input '{\"command\": \"make test\"}'
  bowline tools call write --allow 'write(notes/**)' --input '{...}'

Exit codes: 0 done, 1 the tool failed, 2 usage, 3 waits for a person, 5 refused.";

/// `bowline commands --help`
pub const COMMANDS: &str = "\
Examples:
  bowline commands list --json        for programs that drive this one
  bowline commands show sessions list";

/// `bowline models --help`
pub const MODELS: &str = "\
Examples:
  bowline models list --provider anthropic
  bowline models show openai/gpt-5
  bowline models import api.json --provider openai --dry-run
  curl -s https://models.dev/api.json | bowline models import -

What no table knows is said in config.toml, in dollars for a million tokens:
  [[models]]
  id = \"work/qwen3\"                  the name of an endpoint, or of a provider
  context_tokens = 131072
  output_tokens_max = 16384
  input_usd_per_mtok = 0.20
  output_usd_per_mtok = 0.80
  cache_read_usd_per_mtok = 0.02     as input, if left out
  cache_write_usd_per_mtok = 0.25    as input, if left out";

/// `bowline policy --help`
pub const POLICY: &str = "\
Examples:
  bowline policy check -- git push    what would be decided here, and why
  bowline policy explain 'cat a | sh' each part with its verdict and rule
  bowline policy lint                 rules that do nothing, or too much
  bowline policy backtest new.toml --since 30d
  bowline policy adopt new.toml       put it in force after that was shown
  bowline policy suggest              rules that would have saved prompts
  bowline policy import .claude/settings.json

A file of rules, rules.toml beside config.toml:
  [[rule]]
  allow = \"npm run test *\"
  reason = \"the tests of this project are safe to run\"
  expires = 2027-01-31
  allows = [\"npm run test\", \"npm run test --watch\"]
  denies = [\"npm run build\"]

  [[rule]]
  deny = [\"git push *\", \"read(vault/**)\", \"host(*.example.com)\"]";

/// `bowline scrub --help`
pub const SCRUB: &str = "\
Examples:
  make 2>&1 | bowline scrub | tee build.log
  bowline scrub --summary server.log > shareable.log
  bowline scrub --jsonl records.jsonl";

/// `bowline config --help`
pub const CONFIG: &str = "\
Examples:
  bowline config show                 every key, its value, where it stands
  bowline config show --json
  bowline config show --session 1a2b3c4d   what is in force in a session

A file, for instance:
  model = \"work/gpt-5\"
  mode = \"edit\"
  [[providers]]
  name = \"work\"
  api = \"openai\"                      or openai-chat, anthropic
  base_url = \"https://llm.example.com/v1\"
  key_command = [\"pass\", \"show\", \"work/llm\"]
  headers = { \"X-Team\" = \"env:TEAM\" }";

/// `bowline inbox --help`
pub const INBOX: &str = "\
Examples:
  bowline inbox                       what expires soon first, then the newest
  bowline inbox --json | jq '.[] | select(.kind == \"decision\") | .id'";

/// `bowline settle --help`
pub const SETTLE: &str = "\
Examples:
  bowline settle 51d2 --happened      look first at what it may have done
  bowline settle 51d2 --did-not --note \"the tag is not there\"";

/// `bowline signal --help`
pub const SIGNAL: &str = "\
Examples:
  bowline signal 4f1c9a2b review
  bowline signal 4f1c9a2b build --payload '{\"green\": true}'";

/// `bowline pause --help`
pub const PAUSE: &str = "\
Examples:
  bowline pause 4f1c9a2b
  bowline resume 4f1c9a2b             lets it go on";

/// `bowline compact --help`
pub const COMPACT: &str = "\
Examples:
  bowline compact 4f1c9a2b
  bowline compact 4f1c9a2b --focus \"the failing migration test\"
  bowline compact 4f1c9a2b --json | jq .after_tokens";

/// `bowline approve --help`
pub const APPROVE: &str = "\
Examples:
  bowline approve 9c31                the question's id, as `bowline inbox` shows it
  bowline approve 9c31 77ab --note \"mind the migrations\"
  bowline approve 9c31 --scope session
  bowline approve 9c31 --scope always      a rule in your configuration, too
  bowline exec --resume 4f1c9a2b      then go on";

/// `bowline deny --help`
pub const DENY: &str = "\
Examples:
  bowline deny 9c31 --note \"use the staging database\"
  bowline exec --resume 4f1c9a2b      then go on";

/// `bowline doctor --help`
pub const DOCTOR: &str = "\
Examples:
  bowline doctor                      nothing leaves this machine
  bowline doctor --online             one word from the model, too
  bowline doctor --json | jq .problems

Exit codes: 0 no problem, 1 something to mend.";

/// `bowline completions --help`
pub const COMPLETIONS: &str = "\
Examples:
  bowline completions bash > ~/.local/share/bash-completion/completions/bowline
  bowline completions zsh > ~/.zfunc/_bowline        with ~/.zfunc in fpath
  bowline completions fish > ~/.config/fish/completions/bowline.fish";

/// `bowline man --help`
pub const MAN: &str = "\
Examples:
  bowline man exec | man -l -
  bowline man --out ~/.local/share/man/man1";

/// `bowline usage --help`
pub const USAGE: &str = "\
Examples:
  bowline usage                       by day, with what is still set aside
  bowline usage --by model --since 30d
  bowline usage --by tool --session 4f1c9a2b
  bowline usage --csv --since 2026-11-01 --until 2026-11-30 > november.csv
  bowline usage --accuracy            how good the bounds on requests are
  bowline usage --open                what is set aside, and whose it is
  bowline usage reconcile export.csv  what the provider lists that was not ours";

/// `bowline usage reconcile --help`
pub const USAGE_RECONCILE: &str = "\
Examples:
  bowline usage reconcile usage.csv
  bowline usage reconcile usage.json --json | jq .foreign
  bowline usage reconcile calls.csv --provider my-endpoint

Exit codes: 0 all use is ours, 1 use was found that is not, 2 the file cannot be read.";

/// `bowline usage settle --help`
pub const USAGE_SETTLE: &str = "\
Examples:
  bowline usage settle 51d2 --tokens-in 1200 --tokens-out 350    as the provider lists it
  bowline usage settle 51d2 --nothing                            it lists no such call";

/// `bowline audit --help`
pub const AUDIT: &str = "\
Examples:
  bowline audit query --verdict deny --since 7d
  bowline audit show 9c31aa02         one of them, whole
  bowline audit explain 9c31aa02      would it be decided so again?
  bowline audit verify                was any record changed?
  bowline audit anchor --out /media/stick/today.anchor";

/// `bowline audit query --help`
pub const AUDIT_QUERY: &str = "\
Examples:
  bowline audit query                           the newest 50
  bowline audit query --verdict ask --since 2d  what asked, and how it was answered
  bowline audit query --path src/auth --tool edit
  bowline audit query --host example.com
  bowline audit query --person 'command line'   what people answered there
  bowline audit query --rule 'git push' --json | jq '.[].essence'
  bowline audit query --csv --since 2026-11-01 > november.csv";

/// `bowline audit show --help`
pub const AUDIT_SHOW: &str = "\
Examples:
  bowline audit show 9c31aa02
  bowline audit show 9c31aa02 --json | jq .decision.actions";

/// `bowline audit explain --help`
pub const AUDIT_EXPLAIN: &str = "\
Examples:
  bowline audit explain 9c31aa02
  bowline audit explain --all --session 4f1c9a2b
  bowline audit explain --all --json | jq .different

Exit codes: 0 the same verdicts and rules, 1 something differs.";

/// `bowline audit verify --help`
pub const AUDIT_VERIFY: &str = "\
Examples:
  bowline audit verify
  bowline audit verify --anchor /media/stick/today.anchor
  bowline audit verify --anchor today.anchor --public-key 5f2a...
  bowline audit verify --export decisions.jsonl

Exit codes: 0 nothing is wrong, 1 something is, 2 a file cannot be read.";

/// `bowline audit anchor --help`
pub const AUDIT_ANCHOR: &str = "\
Examples:
  bowline audit anchor --out /media/stick/today.anchor
  bowline audit anchor | ssh vault 'cat > bowline.anchor'
  bowline audit anchor --key ./team.key --out today.anchor

Keep it where whoever can write the state folder cannot write.";

/// `bowline audit export --help`
pub const AUDIT_EXPORT: &str = "\
Examples:
  bowline audit export --since 30d --out decisions.jsonl
  bowline audit export --session 4f1c9a2b --out ./for-the-auditor
  bowline audit verify --export decisions.jsonl";
