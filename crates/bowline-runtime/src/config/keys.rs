//! The list of configuration keys: the one place that knows them.

/// What values a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number within bounds, both included.
    Whole {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A span of time such as `12h` or `7d`, or `never`.
    Span,
    /// An amount of money in US dollars, to the millionth.
    Usd,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of permission rules.
    Rules,
    /// A list of ports of this machine.
    Ports,
    /// A list of names of environment variables.
    Names,
    /// Tables that each name an endpoint: `[[providers]]`.
    Endpoints,
    /// Tables that each say something of a model: `[[models]]`.
    Models,
}

impl Kind {
    /// Whether it is a list of tables, which is read as a whole.
    pub(super) const fn is_tables(self) -> bool {
        matches!(self, Self::Endpoints | Self::Models)
    }
}

/// What a project's own file may do with a key. Trusted or not, it never takes the place of what a
/// stronger layer sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectUse {
    /// Its value counts where it is stricter; once the project is trusted, also where nobody else
    /// sets one.
    Tightens,
    /// Its value counts where it is stricter, trusted or not: it holds over all folders.
    OnlyTightens,
    /// Its value counts once the project is trusted, where nobody else sets one.
    Ignored,
    /// Its value is shown and not used, trusted or not.
    Never,
}

/// One configuration key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpec {
    /// Its dotted name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Its value when nobody sets it.
    pub default: Option<&'static str>,
    /// What a project may do with it.
    pub project: ProjectUse,
    /// What it is for.
    pub help: &'static str,
}

const fn key(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    project: ProjectUse,
    help: &'static str,
) -> KeySpec {
    KeySpec {
        name,
        kind,
        default,
        project,
        help,
    }
}

use super::{alarms, budget};
use Kind::{Choice, Endpoints, Models, Names, Ports, Rules, Span, Text, Whole};
use ProjectUse::{Ignored, Never, Tightens};

/// Every key, in the order of listings.
pub const KEYS: &[KeySpec] = &[
    key(
        "model",
        Text,
        None,
        Ignored,
        "The model, as provider/model, such as openai-chat/gpt-5.",
    ),
    key(
        "base_url",
        Text,
        None,
        Ignored,
        "The endpoint of the model's API; for openai-chat it carries /v1.",
    ),
    key(
        "providers",
        Endpoints,
        None,
        Ignored,
        "Named endpoints: name, api, base_url, model, one of key_env, key_command and key_file, headers.",
    ),
    key(
        "models",
        Models,
        None,
        Never,
        "What models take and cost: id, context_tokens, output_tokens_max, input_usd_per_mtok, output_usd_per_mtok, cache_read_usd_per_mtok, cache_write_usd_per_mtok.",
    ),
    key(
        "local_ports",
        Ports,
        Some("11434, 8080, 1234, 8000"),
        Ignored,
        "Where a model server of this machine is looked for when no model is set and no key is there.",
    ),
    key(
        "reasoning",
        Choice(&["off", "low", "medium", "high"]),
        None,
        Ignored,
        "How much the model should think; the provider's default if not set.",
    ),
    key(
        "mode",
        Choice(&["read-only", "ask", "edit", "auto", "full"]),
        Some("ask"),
        Tightens,
        "How much runs unasked.",
    ),
    key(
        "on_ask",
        Choice(&["park", "refuse"]),
        Some("park"),
        Ignored,
        "What headless runs do with a question: park the turn (exit 3) or refuse the call.",
    ),
    key(
        "ask_expires",
        Span,
        Some("30d"),
        Ignored,
        "How long a question stays open: a span such as 12h or 7d, or never. Then it counts as not answered.",
    ),
    key(
        "max_steps",
        Whole {
            min: 1,
            max: 1_000_000,
        },
        Some("1000"),
        Tightens,
        "Model calls in one turn, at most.",
    ),
    key(
        "max_tokens",
        Whole {
            min: 1,
            max: 1_000_000_000_000,
        },
        Some("200000000"),
        Tightens,
        "Tokens over the whole session, at most; set aside before each call.",
    ),
    budget::money(
        "max_usd",
        Some("20"),
        "Dollars over the whole session, at most; set aside before each call. The default holds where the model's price is known.",
    ),
    key(
        "context.window",
        Whole {
            min: 1_000,
            max: 100_000_000,
        },
        None,
        Tightens,
        "The most tokens that a request and its reply may have together; what is known of the model if none.",
    ),
    key(
        "context.compact_at",
        Whole { min: 10, max: 95 },
        Some("80"),
        Tightens,
        "The part of the window in percent over which the conversation is made shorter.",
    ),
    key(
        "context.cache_ttl",
        Choice(&["auto", "5m", "1h"]),
        Some("auto"),
        Ignored,
        "How long a provider is asked to keep what it caches, where it can be told.",
    ),
    key(
        "context.summary",
        Choice(&["model", "outline"]),
        Some("model"),
        Ignored,
        "Who writes the summary of a conversation that is made shorter: the model, or Bowline itself.",
    ),
    key(
        "loops",
        Choice(&["stop", "nudge", "off"]),
        Some("stop"),
        Ignored,
        "What is done when the agent goes round in circles: tell the model and, if it goes on, end the turn; tell it only; nothing.",
    ),
    key(
        "max_output_tokens",
        Whole {
            min: 1,
            max: 10_000_000,
        },
        None,
        Tightens,
        "The longest reply to ask the model for.",
    ),
    budget::count(
        "budget.turn.input_tokens",
        "Tokens read in one turn, at most.",
    ),
    budget::count(
        "budget.turn.output_tokens",
        "Tokens written in one turn, at most.",
    ),
    budget::count(
        "budget.turn.tokens",
        "Tokens read and written in one turn, at most.",
    ),
    budget::money("budget.turn.usd", None, "Dollars in one turn, at most."),
    budget::count("budget.turn.tool_calls", "Tool calls in one turn, at most."),
    budget::time(
        "budget.turn.time",
        "Time at work in one turn, at most; without the time that people are waited for.",
    ),
    budget::count(
        "budget.session.input_tokens",
        "Tokens read in the whole session, at most.",
    ),
    budget::count(
        "budget.session.output_tokens",
        "Tokens written in the whole session, at most.",
    ),
    budget::count(
        "budget.session.steps",
        "Model calls in the whole session, at most.",
    ),
    budget::count(
        "budget.session.tool_calls",
        "Tool calls in the whole session, at most.",
    ),
    budget::time(
        "budget.session.time",
        "Time at work in the whole session, at most.",
    ),
    budget::count(
        "budget.project.input_tokens",
        "Tokens read in all sessions of a folder, at most.",
    ),
    budget::count(
        "budget.project.output_tokens",
        "Tokens written in all sessions of a folder, at most.",
    ),
    budget::count(
        "budget.project.tokens",
        "Tokens in all sessions of a folder, at most.",
    ),
    budget::money(
        "budget.project.usd",
        None,
        "Dollars in all sessions of a folder, at most.",
    ),
    budget::count(
        "budget.project.steps",
        "Model calls in all sessions of a folder, at most.",
    ),
    budget::count(
        "budget.project.tool_calls",
        "Tool calls in all sessions of a folder, at most.",
    ),
    budget::time(
        "budget.project.time",
        "Time at work in all sessions of a folder, at most.",
    ),
    budget::of_all(budget::count(
        "budget.day.input_tokens",
        "Tokens read in all sessions of a day, at most; days are those of UTC.",
    )),
    budget::of_all(budget::count(
        "budget.day.output_tokens",
        "Tokens written in all sessions of a day, at most.",
    )),
    budget::of_all(budget::count(
        "budget.day.tokens",
        "Tokens in all sessions of a day, at most.",
    )),
    budget::of_all(budget::money(
        "budget.day.usd",
        Some("100"),
        "Dollars in all sessions of a day, at most. The default holds where the model's price is known.",
    )),
    budget::of_all(budget::count(
        "budget.day.steps",
        "Model calls in all sessions of a day, at most.",
    )),
    budget::of_all(budget::count(
        "budget.day.tool_calls",
        "Tool calls in all sessions of a day, at most.",
    )),
    budget::of_all(budget::time(
        "budget.day.time",
        "Time at work in all sessions of a day, at most.",
    )),
    budget::of_all(budget::count(
        "rate.tokens_per_minute",
        "Tokens that all sessions together use in any minute, at most; calls wait.",
    )),
    budget::of_all(budget::count(
        "rate.tokens_per_hour",
        "Tokens that all sessions together use in any hour, at most; calls wait.",
    )),
    key(
        "system_append",
        Text,
        None,
        Ignored,
        "Words added to the end of the system text.",
    ),
    key(
        "shell.timeout_ms",
        Whole {
            min: 100,
            max: 600_000,
        },
        Some("120000"),
        Tightens,
        "How long a shell command may run when the model names no limit.",
    ),
    key(
        "shell.env_pass",
        Names,
        None,
        Never,
        "Environment variables with credentials that shell commands get all the same; their values stay masked. Those with keys of models are never passed.",
    ),
    key(
        "secrets.env",
        Names,
        None,
        Never,
        "Environment variables whose values are masked wherever they occur, whatever they look like.",
    ),
    key(
        "secrets.file",
        Text,
        None,
        Never,
        "A file with a value a line that is masked wherever it occurs, whatever it looks like.",
    ),
    alarms::switch(
        "alarms.enabled",
        "Whether figures far from what is usual for a model and project raise alarms.",
    ),
    alarms::action(
        "alarms.tokens_per_step",
        "What an alarm about tokens that a step reads anew and writes does: note it, add a line to a file, ask whether the session goes on, pause it.",
    ),
    alarms::action(
        "alarms.usd_per_hour",
        "What an alarm about money within an hour does.",
    ),
    alarms::action(
        "alarms.cache_hits",
        "What an alarm about too little input from the provider's cache does.",
    ),
    alarms::action(
        "alarms.calls_per_turn",
        "What an alarm about tool calls in one turn does.",
    ),
    alarms::action(
        "alarms.errors",
        "What an alarm about model and tool calls that fail does.",
    ),
    alarms::action(
        "alarms.tools",
        "What an alarm about a tool that is not what the model was told does.",
    ),
    alarms::action(
        "alarms.prefix",
        "What an alarm about a prompt's prefix that broke without a recorded cause does.",
    ),
    key(
        "alarms.webhook_file",
        Text,
        None,
        Never,
        "An absolute file that alarms with the action webhook_file add a line of JSON to.",
    ),
    alarms::window(
        "alarms.window_steps",
        (50, 10_000),
        "200",
        "Of how many of the last steps, turns or failures a baseline is made, at most.",
    ),
    alarms::window(
        "alarms.window_days",
        (1, 365),
        "14",
        "How many days back a baseline reaches, at most.",
    ),
    alarms::window(
        "alarms.warm_up",
        (10, 10_000),
        "30",
        "How many steps there must be before there are alarms; of turns and of hours with spending, two fifths of that.",
    ),
    key(
        "retention.sessions_max_days",
        Whole {
            min: 1,
            max: 36_500,
        },
        None,
        Never,
        "Sessions: what is unchanged for more days is taken away by `sessions prune --yes`.",
    ),
    key(
        "retention.sessions_max_mb",
        Whole {
            min: 1,
            max: 1_000_000_000,
        },
        None,
        Never,
        "Sessions: over so many megabytes in all, the oldest are taken away by `sessions prune --yes`.",
    ),
    key(
        "retention.blobs_max_days",
        Whole {
            min: 1,
            max: 36_500,
        },
        None,
        Never,
        "Large bodies of sessions: what is unchanged for more days is taken away by `sessions prune --yes`.",
    ),
    key(
        "retention.blobs_max_mb",
        Whole {
            min: 1,
            max: 1_000_000_000,
        },
        None,
        Never,
        "Large bodies of sessions: over so many megabytes in all, the oldest are taken away by `sessions prune --yes`.",
    ),
    key(
        "retention.spool_max_days",
        Whole {
            min: 1,
            max: 36_500,
        },
        None,
        Never,
        "The output of commands: what is unchanged for more days is taken away by `sessions prune --yes`.",
    ),
    key(
        "retention.spool_max_mb",
        Whole {
            min: 1,
            max: 1_000_000_000,
        },
        None,
        Never,
        "The output of commands: over so many megabytes in all, the oldest are taken away by `sessions prune --yes`.",
    ),
    key(
        "permissions.allow",
        Rules,
        None,
        Ignored,
        "What runs unasked beyond the mode.",
    ),
    key(
        "permissions.ask",
        Rules,
        None,
        Tightens,
        "What always asks.",
    ),
    key(
        "permissions.deny",
        Rules,
        None,
        Tightens,
        "What never runs.",
    ),
];

/// The key of that name.
pub(super) fn find(name: &str) -> Option<&'static KeySpec> {
    KEYS.iter().find(|key| key.name == name)
}

/// The known key nearest to a mistyped one.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    KEYS.iter()
        .map(|key| (strsim::damerau_levenshtein(key.name, name), key.name))
        .filter(|(distance, _)| *distance <= 4)
        .min()
        .map(|(_, name)| name)
}
