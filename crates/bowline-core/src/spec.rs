//! What a tool or a command is, as data: readable without running anything.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an act could do at worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Touches nothing outside the session.
    None,
    /// Reads the workspace.
    Low,
    /// Writes the workspace.
    Medium,
    /// Runs programs or reaches other machines.
    High,
}

/// Who wrote a rule or a tool; the first is trusted most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Part of Bowline.
    BuiltIn,
    /// A plug-in or an MCP server.
    PlugIn,
    /// A user's skill.
    UserSkill,
}

/// What a crash allows (section 3 of the design), mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayClass {
    /// Reads only: run again.
    Free,
    /// The target knows our key: run again with the same key.
    Keyed,
    /// Looking tells whether it happened.
    Checkable,
    /// Neither: never again by itself.
    Once,
}

/// A kind of action a tool may take; which ones a call takes is planned call by call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Reads a path.
    ReadPath,
    /// Writes a path.
    WritePath,
    /// Runs a program.
    Run,
    /// Reaches a host.
    Reach,
    /// Calls a tool of an MCP server.
    CallMcp,
    /// Spends money.
    Spend,
    /// Changes the session's own notes, such as its todo list.
    Note,
    /// Asks a person something.
    AskPerson,
    /// Waits for something outside.
    AwaitParty,
}

/// Bounds of one tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolLimits {
    /// Longest run in milliseconds, if it is bounded.
    pub timeout_ms: Option<u64>,
    /// Longest result that enters the model's context, in bytes; the rest goes to a blob.
    pub result_bytes: u64,
    /// Longest input in bytes.
    pub input_bytes: u64,
}

/// One tool, described. Holds no function: listing tools runs nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// The name the model calls, `[a-z_]{1,64}`.
    pub name: String,
    /// A few words for people.
    pub title: String,
    /// What the model reads: when to use it and how.
    pub description: String,
    /// JSON Schema of the input.
    pub input_schema: Value,
    /// JSON Schema of the result's fields.
    pub output_schema: Value,
    /// The worst it can do.
    pub risk: Risk,
    /// Who wrote it.
    pub tier: Tier,
    /// The strongest class any call of it can need; a call may be planned milder.
    pub replay_ceiling: ReplayClass,
    /// Kinds of action it may take.
    pub actions: Vec<ActionKind>,
    /// Its bounds.
    pub limits: ToolLimits,
    /// Where it comes from, such as `bowline`.
    pub origin: String,
}

/// What a command does to the world; listing commands never change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandEffect {
    /// Reads only; does not even create the state folder.
    Reads,
    /// Changes the state folder.
    WritesState,
    /// Runs a session: model calls and tools.
    RunsSession,
}

/// One thing a person can type, described. Holds no function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandSpec {
    /// What is typed after `bowline`, such as `sessions list`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What it does, what it writes, what it needs.
    pub description: String,
    /// How it is typed.
    pub usage: String,
    /// What it does to the world.
    pub effect: CommandEffect,
    /// The worst it can do.
    pub risk: Risk,
    /// Who wrote it.
    pub tier: Tier,
    /// Output forms it knows, such as `text` and `json`.
    pub outputs: Vec<String>,
    /// Exit codes it can end with.
    pub exit_codes: Vec<u8>,
    /// Where it comes from, such as `bowline`.
    pub origin: String,
}

/// Anything a registry can hold: it has a name.
pub trait Named {
    /// The name, unique within one registry.
    fn name(&self) -> &str;
}

impl Named for ToolSpec {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Named for CommandSpec {
    fn name(&self) -> &str {
        &self.name
    }
}
