//! The registry of commands: what a person can type, as data. A test holds it against the parser.

use bowline_core::spec::CommandEffect::{self, Reads, RunsSession, WritesState};
use bowline_core::{CommandSpec, Registry, Risk, Tier};

struct Row {
    name: &'static str,
    usage: &'static str,
    effect: CommandEffect,
    outputs: &'static [&'static str],
    exits: &'static [u8],
    title: &'static str,
    description: &'static str,
}

const RUN_EXITS: &[u8] = &[0, 1, 2, 3, 4, 5, 130];
const LIST_EXITS: &[u8] = &[0, 1, 2];

/// As a turn would end: it would run, ask, be refused.
const CHECK_EXITS: &[u8] = &[0, 1, 2, 3, 5];

const ROWS: &[Row] = &[
    Row {
        name: "exec",
        usage: "bowline exec [PROMPT|-] [--model PROVIDER/MODEL] [--mode MODE] [--continue | --resume ID] ...",
        effect: RunsSession,
        outputs: &["text", "json", "stream-json"],
        exits: RUN_EXITS,
        title: "Give the agent a task and watch it done",
        description: "Runs one turn of a session: model calls and tools, each recorded before it \
            happens. What needs a person parks the turn (exit 3) or is refused (--on-ask refuse). \
            With --continue or --resume outstanding work settles first, then the prompt follows.",
    },
    Row {
        name: "resume",
        usage: "bowline resume ID | --all-ready [--wait] [--output text|json|stream-json]",
        effect: RunsSession,
        outputs: &["text", "json", "stream-json"],
        exits: RUN_EXITS,
        title: "Let sessions go on: one, or all that can",
        description: "Takes what was answered or signalled meanwhile, re-attaches to commands that \
            ran on, finds out what became of the rest, and drives the session until it rests \
            again. A session on hold goes on. With --all-ready each session that can go on, one \
            after the other.",
    },
    Row {
        name: "demo",
        usage: "bowline demo [--dir DIR]",
        effect: RunsSession,
        outputs: &["text", "json", "stream-json"],
        exits: RUN_EXITS,
        title: "See a whole task done with no model and no key",
        description: "Unpacks a small project with a failing test and has an embedded scripted \
            model find and mend the fault, with real tools, decisions and journal.",
    },
    Row {
        name: "sessions list",
        usage: "bowline sessions list [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Sessions of every folder, newest first",
        description: "Reads the index and the journals; writes nothing and does not create the \
            state folder.",
    },
    Row {
        name: "sessions show",
        usage: "bowline sessions show ID [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "One session as a conversation",
        description: "Shows prompts, replies, calls with their decisions and results, and what is \
            outstanding. ID is any unique part at either end of the session's id.",
    },
    Row {
        name: "sessions export",
        usage: "bowline sessions export ID [--json]",
        effect: Reads,
        outputs: &["json"],
        exits: LIST_EXITS,
        title: "One session, whole, as one JSON object",
        description: "Prints every event with its place in the chain, and the stored bodies, after \
            verifying all; `docs/session.schema.json` says how. `bowline sessions import` takes it in \
            again. Of a session that runs, what is durable.",
    },
    Row {
        name: "sessions import",
        usage: "bowline sessions import FILE|-",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Take in a session that was exported",
        description: "Verifies the whole chain and every stored body before anything is made; refuses \
            an id that is there already. What the session says of model, mode, folders, grants and \
            running commands does not count here: `bowline exec --resume` puts this machine's own \
            configuration in force, in the folder it is run in, and says so. Refused inside a shell \
            command that an agent runs.",
    },
    Row {
        name: "sessions delete",
        usage: "bowline sessions delete ID [--yes]",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Remove a session for good",
        description: "Removes its journal, blobs and spool. Refused while a process owns it.",
    },
    Row {
        name: "sessions repair",
        usage: "bowline sessions repair ID [--dry-run] [--yes]",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Keep what is intact of a damaged session",
        description: "Shows which records are kept, dropped and lost, and repairs after a yes. The \
            damaged file stays beside the journal; the model is told with the next prompt; no call \
            that may have run unrecorded is run again by itself.",
    },
    Row {
        name: "sessions prune",
        usage: "bowline sessions prune [--older-than AGE] [--over SIZE] [--yes] [--json]",
        effect: WritesState,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Take away what is over the limits of age and size",
        description: "Without --yes only shows what would go and why. Limits come from the flags \
            or the retention.* keys. Never takes a session that waits, is unfinished, has an \
            owner, a call in doubt or a command in the background.",
    },
    Row {
        name: "sessions reindex",
        usage: "bowline sessions reindex",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Build the index anew from the journals",
        description: "The index is derived: deleting it loses nothing, and this makes it again.",
    },
    Row {
        name: "events",
        usage: "bowline events ID [--json] [--follow]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "The events of a session, as recorded",
        description: "One line an event; with --json one object a line. --follow goes on until the \
            turn ends.",
    },
    Row {
        name: "log",
        usage: "bowline log [--since WHEN] [--level LEVEL] [--kind KIND]... [--session ID] [--json] [--follow]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "What happened to the installation",
        description: "System events, oldest first: starts and ends of runs, crashes, recoveries, \
            changes of configuration and mode, failures of providers and storage, refusals, caps. \
            Verifies the chain and says if it is damaged (exit 1). Writes nothing.",
    },
    Row {
        name: "why",
        usage: "bowline why [ID] [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Why a session ended, waits or broke",
        description: "One page: what it was doing, the cause and where that is recorded, the last \
            durable event, what is outstanding, what to do next. Works while another process owns \
            the session and on a damaged journal. Writes nothing. ID is any unique part at either \
            end of a session's or a call's id.",
    },
    Row {
        name: "context",
        usage: "bowline context ID [--step N] [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "What the model is sent, block by block",
        description: "Shows every block of the next request, or of the request of a step: kind, \
            origin, tokens, whether the provider's cache can hold it, why it is there and what \
            holds its size; sums for each kind, how full the model's window is, and every prefix \
            break with block, field, cause and cost. Reads the journal and runs nothing.",
    },
    Row {
        name: "transcript",
        usage: "bowline transcript ID [--as-sent STEP] [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "A session as a conversation, the whole of it",
        description: "Prints prompts, replies, calls with shortened results, notices, and where the \
            conversation was compacted; what that took out of the model's sight is still printed. \
            With --as-sent, exactly what the model was sent at that step: the body of the request, \
            byte for byte.",
    },
    Row {
        name: "tools list",
        usage: "bowline tools list [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Every tool",
        description: "Lists descriptions only: nothing is started, opened or written.",
    },
    Row {
        name: "tools show",
        usage: "bowline tools show NAME [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "One tool, whole",
        description: "Its description, input and output schema, risk, tier, replay ceiling and limits.",
    },
    Row {
        name: "tools call",
        usage: "bowline tools call NAME --input JSON [--mode MODE] [--add-dir DIR] [--allow RULE] [--deny RULE]",
        effect: RunsSession,
        outputs: &["text", "json", "stream-json"],
        exits: RUN_EXITS,
        title: "Run one tool by hand, judged like any call",
        description: "Runs in the current folder as a session of one call, recorded like any other. \
            Ends as a turn would: 0 done, 1 the tool failed, 3 it waits for a person, 5 refused.",
    },
    Row {
        name: "commands list",
        usage: "bowline commands list [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Everything that can be typed",
        description: "This list.",
    },
    Row {
        name: "commands show",
        usage: "bowline commands show NAME [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "One command, whole",
        description: "What it does, what it writes, how it ends.",
    },
    Row {
        name: "config show",
        usage: "bowline config show [--cd DIR | --session ID] [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "The configuration in force and where each value comes from",
        description: "Shows values that were set and not used, with the reason: a project's own \
            file is untrusted and can only tighten. With --session what was recorded with a \
            session, which is in force when it goes on.",
    },
    Row {
        name: "trust",
        usage: "bowline trust [FOLDER] [--show | --yes HASH | --revoke | --list] [--json]",
        effect: WritesState,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Show what a folder's own files would start, and trust them as they are now",
        description: "Lists each value of .bowline that counts only once trusted, with file and \
            line, and what other programs would act on there; then asks, and takes nothing but \
            `yes` for an answer. Without a terminal give --yes with the hash that --show prints. \
            Trust is bound to that hash. --show and --list write nothing and do not create the \
            state folder. Giving and taking back are refused inside a shell command that an agent runs.",
    },
    Row {
        name: "models list",
        usage: "bowline models list [--provider NAME] [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "What every known model takes and costs",
        description: "Models of the built-in table, of the imported one and of [[models]] in the \
            configuration, with their lengths and prices as they hold at the provider's own \
            address. Writes nothing and does not create the state folder.",
    },
    Row {
        name: "models show",
        usage: "bowline models show ID [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "One model, whole, and who says so",
        description: "What counts when this model is asked with the configuration of this folder: \
            lengths, prices, prices of long requests, and where each is from. A name with a date is \
            looked up without it. A model that nobody knows is exit 2, with what to write down.",
    },
    Row {
        name: "models import",
        usage: "bowline models import FILE|- [--provider NAME] [--dry-run]",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Take in a table of prices",
        description: "Reads models.dev's api.json or litellm's model_prices_and_context_window.json, \
            shows what is new, what changes and what is left out, and writes models.txt beside \
            config.toml. What the configuration says goes before it, the built-in table after it. \
            Refused inside a shell command that an agent runs.",
    },
    Row {
        name: "policy check",
        usage: "bowline policy check [--mode MODE] [--allow RULE] [--deny RULE] [--json] -- COMMAND",
        effect: Reads,
        outputs: &["text", "json"],
        exits: CHECK_EXITS,
        title: "What would be decided about a shell command here",
        description: "Judges a shell command by the rules in force in this folder without running \
            it. --jsonl FILE judges described calls, one JSON object a line, and prints one answer \
            a line: id, decision, reasons. Exit 0 it would run, 3 it would ask, 5 it would be refused.",
    },
    Row {
        name: "policy explain",
        usage: "bowline policy explain [--mode MODE] [--allow RULE] [--deny RULE] [--json] -- COMMAND",
        effect: Reads,
        outputs: &["text", "json"],
        exits: CHECK_EXITS,
        title: "How a shell command is understood",
        description: "Shows the parts of a shell command with what each would do, its verdict, the \
            rule with file and line, the rules that lost, and what was looked at on the disk.",
    },
    Row {
        name: "policy safeguards",
        usage: "bowline policy safeguards [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "The safeguards of the shell analysis",
        description: "Lists what keeps an unsafe command from running unasked, each with the \
            family of cases it is about and the test that notices its removal.",
    },
    Row {
        name: "policy lint",
        usage: "bowline policy lint [FILE] [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Rules that do nothing, or more than they should",
        description: "Looks at the rules in force in this folder, or at those of FILE: expired, \
            twice there, shadowed by a stricter one, for a tool that does not exist, where they \
            cannot loosen anything, wider than anybody can mean. Exit 1 with findings.",
    },
    Row {
        name: "policy backtest",
        usage: "bowline policy backtest FILE [--add] [--since WHEN] [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "What other rules would have said of recorded calls",
        description: "Judges the recorded calls of all sessions again, each from its record alone \
            under the policy of then, with the rules of FILE in place of the user's rules.toml (or \
            added to it): newly allowed, newly asked, newly denied, with counts and the calls. What \
            cannot be judged again is counted and named. Writes nothing.",
    },
    Row {
        name: "policy adopt",
        usage: "bowline policy adopt FILE [--add] [--since WHEN] [--yes-widen N] [--json]",
        effect: WritesState,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Put a file of rules in force as your own",
        description: "Shows what `policy backtest` shows, then writes the same bytes to the user's \
            rules.toml. A file that can allow more is written only after a yes at the terminal, or \
            with --yes-widen and the number of newly allowed calls that was shown. Refused inside a \
            shell command that an agent runs.",
    },
    Row {
        name: "policy suggest",
        usage: "bowline policy suggest [--since WHEN] [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "The fewest rules that would have saved the most prompts",
        description: "From recorded calls that asked and that a person allowed; never a rule with a \
            say in a call that was denied. Each with the prompts it saves, and what else it would \
            have allowed. Writes nothing.",
    },
    Row {
        name: "policy import",
        usage: "bowline policy import FILE [--write] [--json]",
        effect: WritesState,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Take over permission rules from a .claude/settings.json",
        description: "Says what becomes of each entry of permissions.allow, ask and deny, and what \
            cannot be carried over; never allows more than the original. With --write the rules are \
            added to the project's .bowline/rules.toml, or to the user's rules.toml for a file of \
            the home folder. --write is refused inside a shell command that an agent runs.",
    },
    Row {
        name: "inbox",
        usage: "bowline inbox [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "All that waits, over all sessions",
        description: "Open decisions and questions, parties that are waited for, calls in doubt, \
            sessions on hold or left unfinished, letters that nobody has taken; each with the \
            commands that end its wait. What expires within a day comes first, then the newest. \
            Writes nothing and does not create the state folder.",
    },
    Row {
        name: "approve",
        usage: "bowline approve ID [ID ...] [--note TEXT] [--scope once|session|always]",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Allow what a session waits for",
        description: "Leaves the answer in the session's mailbox; `bowline exec --resume` goes on. \
            With --scope always an exact rule is also added to the user's configuration, where \
            there is one that names just this. Refused inside a shell command that an agent runs.",
    },
    Row {
        name: "deny",
        usage: "bowline deny ID [ID ...] [--note TEXT]",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Deny what a session waits for",
        description: "Leaves the answer in the session's mailbox, with words for the model if given. \
            Declines what is a question. Refused inside a shell command that an agent runs.",
    },
    Row {
        name: "settle",
        usage: "bowline settle CALL --happened|--did-not [--note TEXT]",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Say what became of a call whose outcome is unknown",
        description: "Leaves it in the session's mailbox; the model reads it in a new message. \
            Refused inside a shell command that an agent runs.",
    },
    Row {
        name: "signal",
        usage: "bowline signal SESSION NAME [--payload JSON]",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Tell a session that what it waits for has come",
        description: "Leaves the signal in the session's mailbox. It ends the wait of that name, \
            once however often it is sent; where none waits, it is kept for the next one. Refused \
            inside a shell command that an agent runs.",
    },
    Row {
        name: "pause",
        usage: "bowline pause SESSION",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Put a session on hold",
        description: "Leaves it in the session's mailbox: what runs comes to its end, nothing new is begun until \
            somebody lets it go on. Refused inside a shell command that an agent runs.",
    },
    Row {
        name: "compact",
        usage: "bowline compact SESSION [--focus WORDS] [--json]",
        effect: RunsSession,
        outputs: &["text", "json"],
        exits: &[0, 1, 2],
        title: "Make a session's conversation shorter",
        description: "Older exchanges are replaced by a summary that the model writes, or by a list of what was done \
            where it cannot; a person's words, the plan, decisions, what is open and hashes of files are kept \
            word for word, and looked for in the next request first. The journal keeps the whole. Exits 1 when \
            nothing can be made shorter. Refused inside a shell command that an agent runs.",
    },
    Row {
        name: "usage",
        usage: "bowline usage [--by session|day|model|tool|project] [--since WHEN] [--until WHEN] [--session ID] [--accuracy | --open] [--json | --csv]",
        effect: Reads,
        outputs: &["text", "json", "csv"],
        exits: LIST_EXITS,
        title: "Show what was used and what it cost",
        description: "Sums over model calls, every try a call: tokens in and out as charged, those \
            of them from a cache, money, and what was set aside for the same calls. By tool, what \
            a step took is split over its calls in equal parts. JSON: one object with by, \
            since_ms, until_ms, groups (key and sums), total, open and damaged. Days are by UTC. \
            Reads the index and the journals; writes nothing and does not create the state folder.",
    },
    Row {
        name: "usage reconcile",
        usage: "bowline usage reconcile FILE|- [--provider NAME] [--tolerance PERCENT] [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Hold the provider's usage export against the journals",
        description: "Compares by request id where the export has ids, else by day (or hour) and \
            model; calls at the edge of a day are looked for on both sides. Exits 1 when use was \
            found that is not ours: a key in other hands shows here. JSON: one object with \
            foreign, unlisted, untold (what only calls explain of which nothing was told), \
            cost_differences and the totals of both sides.",
    },
    Row {
        name: "usage settle",
        usage: "bowline usage settle ID (--tokens-in N --tokens-out N [--usd USD] | --nothing)",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Say what a model call used whose process is gone",
        description: "What is set aside stays counted in caps until its outcome is known; a crash \
            can leave it unknown. Refused while a process owns the session, which settles it \
            itself, and inside a shell command that an agent runs.",
    },
    Row {
        name: "usage rebuild",
        usage: "bowline usage rebuild",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Count again from the journals what the ledger has lost",
        description: "After the ledger was damaged no cap over a day, a project or a rate is \
            granted until this has counted again; of each total the larger one holds.",
    },
    Row {
        name: "memory list",
        usage: "bowline memory list [--cd FOLDER] [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "The instruction files that a session here is given",
        description: "With whose each is, its size and its cap, what imports it, and what is left \
            out and why. Reads AGENTS.md and CLAUDE.md of the configuration folder and of every \
            folder from the root of the repository inwards; runs nothing.",
    },
    Row {
        name: "memory show",
        usage: "bowline memory show [--cd FOLDER]",
        effect: Reads,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "The text of the instruction files, as the model reads it",
        description: "Secrets are shown as they stand in the files; the model is given masks.",
    },
    Row {
        name: "memory add",
        usage: "bowline memory add TEXT [--user|--project|--local FOLDER] [--yes]",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Add a line to an instruction file",
        description: "Shows what comes where and asks; without a terminal it needs --yes. Exit 1 \
            when the answer is no. Refuses inside an agent's own shell.",
    },
    Row {
        name: "memory edit",
        usage: "bowline memory edit [--user|--project|--local FOLDER] [--yes]",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Edit an instruction file",
        description: "Opens a copy in $VISUAL or $EDITOR, shows what changed and asks; without a \
            terminal it needs --yes. Exit 1 when nothing changed or the answer is no. Refuses \
            inside an agent's own shell.",
    },
    Row {
        name: "jobs list",
        usage: "bowline jobs list [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Commands that run in the background, of every session",
        description: "Reads the journals and the records of keepers; writes nothing.",
    },
    Row {
        name: "jobs stop",
        usage: "bowline jobs stop JOB",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Stop a command that runs in the background",
        description: "Asks its keeper to end it: asked to end first, then by force. The session \
            learns of it when the model looks at the job.",
    },
    Row {
        name: "answer",
        usage: "bowline answer ID TEXT | bowline answer ID --choice N",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Answer a question that the agent asks",
        description: "Leaves the answer in the session's mailbox; the model reads it as the result of \
            its call. Refused inside a shell command that an agent runs.",
    },
    Row {
        name: "send",
        usage: "bowline send SESSION TEXT|- [--key KEY]",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Give words to a session, also while it runs",
        description: "Leaves them in the session's mailbox. While a turn runs, the model reads them \
            after the results of the running calls; else `bowline exec --resume` goes on with them. \
            Refused inside a shell command that an agent runs.",
    },
    Row {
        name: "watch",
        usage: "bowline watch SESSION [--output text|json|stream-json]",
        effect: Reads,
        outputs: &["text", "json", "stream-json"],
        exits: LIST_EXITS,
        title: "Watch a session that another process drives",
        description: "Shows its durable events as its own run does, from the beginning of the turn, \
            until the turn ends or its owner is gone (exit 1 when that left it unfinished). Takes no \
            lock and writes nothing.",
    },
    Row {
        name: "take-over",
        usage: "bowline take-over SESSION",
        effect: WritesState,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "End the process that owns a session, and take the session over",
        description: "For an owner that is stuck. Proves that the process holds the session's lock, \
            tells it to hang up, after 5 s ends it by force, then begins a new epoch. Nothing is \
            cancelled: shell commands go on under their keepers, and `bowline exec --resume` takes \
            their outcome. Refused inside a shell command that an agent runs.",
    },
    Row {
        name: "audit query",
        usage: "bowline audit query [--since WHEN] [--until WHEN] [--session ID] [--tool NAME] [--verdict VERDICT] [--rule TEXT] [--tier TIER] [--path PATH] [--host HOST] [--person WHO] [--limit N] [--json | --csv | --sarif]",
        effect: Reads,
        outputs: &["text", "json", "csv", "sarif"],
        exits: LIST_EXITS,
        title: "Decisions and answers over all sessions",
        description: "One row a decision or answer, the newest last: who decided, what about, by \
            which rule. Every part given must fit. Reads the index, and the journals where it is \
            not current; writes nothing.",
    },
    Row {
        name: "audit show",
        usage: "bowline audit show ID [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "One decision, whole",
        description: "What would be done, part by part with verdict and rule, the rules that lost, \
            what was looked at, what confines it, who answered, and what it led to.",
    },
    Row {
        name: "audit explain",
        usage: "bowline audit explain ID [--json] | bowline audit explain --all [--session ID] [--json]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Take a decision again from its record alone",
        description: "Judges the recorded call under the recorded policy with what was looked at \
            then; neither the disk nor today's configuration has a say. Exit 0 when verdict and \
            rules are the same, 1 when something differs, with what. Records of versions that did \
            not keep what is needed are said to be such.",
    },
    Row {
        name: "audit verify",
        usage: "bowline audit verify [--session ID] [--anchor FILE [--public-key KEY]] [--json] | bowline audit verify --export FILE",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Check that no record was changed, removed or put in",
        description: "Follows every chain: sessions, system log, ledger. Names the first bad record \
            of each by file, line and place, with the kind of damage, and exits 1. With an anchor a \
            chain that was written anew whole is seen, too.",
    },
    Row {
        name: "audit anchor",
        usage: "bowline audit anchor [--key FILE] [--out FILE]",
        effect: WritesState,
        outputs: &["json"],
        exits: LIST_EXITS,
        title: "Sign where every chain stands now",
        description: "Writes a small file with the last record of each chain and an Ed25519 \
            signature; the key is made on first use, in the configuration folder. Keep the file \
            elsewhere: `bowline audit verify --anchor` holds the chains against it. Refused inside \
            a shell command that an agent runs.",
    },
    Row {
        name: "audit export",
        usage: "bowline audit export [--since WHEN] [--until WHEN] [--session ID] [--out FILE|DIR|-]",
        effect: Reads,
        outputs: &["json"],
        exits: LIST_EXITS,
        title: "Write out decisions with what verifies them elsewhere",
        description: "JSON Lines: decisions, answers and policies whole, masked as stored; of every \
            other record only what its chain needs. `bowline audit verify --export` checks the file \
            standing alone; `docs/guide/audit.md` and `docs/audit-export.schema.json` say how it is \
            made.",
    },
    Row {
        name: "scrub",
        usage: "bowline scrub [--jsonl] [--summary] [FILE..]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Mask the secrets in a text",
        description: "Copies files or standard input to standard output with a token such as \
            [secret:github-token] for each secret, as everything that enters a session is masked. \
            Works on what comes as it comes and on any bytes. --jsonl reads one object a line with \
            id and text and answers with id, text and spans in characters of the original; exit 2 \
            if a line is none.",
    },
    Row {
        name: "doctor",
        usage: "bowline doctor [--online] [--json] [--cd DIR]",
        effect: Reads,
        outputs: &["text", "json"],
        exits: LIST_EXITS,
        title: "Look at everything a run needs",
        description: "Checks program, state folder, configuration, sessions, keeper, sandbox, \
            shell, git, terminal and model, each with its fix. Starts local probes only and opens \
            no socket but to ports of this machine; with --online it asks the model for one word. \
            Exit 0 when there is no problem, else 1.",
    },
    Row {
        name: "completions",
        usage: "bowline completions bash|elvish|fish|powershell|zsh",
        effect: Reads,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Print the completions of a shell",
        description: "Prints a script; --help says where each shell wants it.",
    },
    Row {
        name: "man",
        usage: "bowline man [COMMAND ...] [--out DIR]",
        effect: Reads,
        outputs: &["text"],
        exits: LIST_EXITS,
        title: "Print a manual page, or write all of them",
        description: "Prints roff, as in `bowline man exec | man -l -`; with --out DIR every page \
            is written there.",
    },
];

/// Every command, in the order of listings.
pub fn commands() -> Registry<CommandSpec> {
    let specs = ROWS
        .iter()
        .map(|row| CommandSpec {
            name: row.name.to_owned(),
            title: row.title.to_owned(),
            description: row.description.to_owned(),
            usage: row.usage.to_owned(),
            effect: row.effect,
            risk: match row.effect {
                Reads => Risk::None,
                WritesState => Risk::Medium,
                RunsSession => Risk::High,
            },
            tier: Tier::BuiltIn,
            outputs: row
                .outputs
                .iter()
                .map(|&output| output.to_owned())
                .collect(),
            exit_codes: row.exits.to_vec(),
            origin: "bowline".to_owned(),
        })
        .collect();
    #[expect(
        clippy::expect_used,
        reason = "a fixed table; a test holds its names unique"
    )]
    Registry::new(specs).expect("names of the fixed table are unique")
}

/// One command as a page of text.
pub fn page(spec: &CommandSpec) -> String {
    let exits: Vec<String> = spec.exit_codes.iter().map(ToString::to_string).collect();
    format!(
        "{}\n\n  {}\n\n{}\n\noutputs: {}\nexit codes: {}",
        spec.title,
        spec.usage,
        spec.description,
        spec.outputs.join(", "),
        exits.join(", ")
    )
}

#[cfg(test)]
mod tests;
