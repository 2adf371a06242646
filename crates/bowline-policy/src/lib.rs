//! Judges what a tool call would do and says why.
//!
//! **Purpose.** A [`Policy`] is a mode, a stack of rules and a few places; [`decide`] holds the
//! actions of one call against it. The strictest action decides: deny over ask over allow. Every
//! verdict names the rule that gave it and what would allow the call.
//!
//! **Deliberately absent:** disk, clock, environment, people, tool names. What lies at a path comes
//! in as a fact or through [`Look`], a question goes out as a verdict.
//!
//! **Start at** [`Policy`] and [`decide`].
//!
//! ```
//! use bowline_core::action::{Action, PathFact, PathKind};
//! use bowline_core::{Mode, OnAsk, Risk, Tier, Verdict};
//! use bowline_policy::{NoLook, Policy, Rule, Surroundings, ToolFacts, decide};
//!
//! let policy = Policy {
//!     rules: vec![Rule::on_command_line(Verdict::Deny, "write(docs/**)")?],
//!     ..Policy::new(Mode::Edit, vec!["/home/ann/app".to_owned()])
//! };
//! let path = "/home/ann/app/docs/guide.md".to_owned();
//! let (resolved, by_name) = (path.clone(), path);
//! let asked = "docs/guide.md".to_owned();
//! let path = PathFact { asked, resolved, by_name, kind: PathKind::File, links: 1 };
//! let tool = ToolFacts { name: "write", risk: Risk::Medium, tier: Tier::BuiltIn };
//! let cx = Surroundings::new("/home/ann/app", &NoLook);
//! let judgement = decide(&policy, tool, &[Action::WritePath { path }], OnAsk::Park, &cx);
//! assert_eq!(judgement.verdict, Verdict::Deny);
//! assert!(judgement.reason.contains("write(docs/**)"));
//! # Ok::<(), bowline_policy::RuleError>(())
//! ```
#![forbid(unsafe_code)]

mod carry;
mod example;
mod glob;
mod hosts;
mod judge;
mod keep;
mod look;
mod place;
mod policy;
mod protected;
mod rule;
mod safeguard;
pub mod shell;
mod widen;

pub use bowline_core::Sandbox;
pub use carry::{brings_in, carries_out};
pub use example::{EXAMPLE_HOME, EXAMPLE_ROOT, Example, Expected, check_example};
pub use glob::PathGlob;
pub use hosts::{HostStanding, host_standing, open_hosts};
pub use judge::{Judgement, ToolFacts, decide, may_search, settle};
pub use keep::{brings, hides, keeps, keeps_by};
pub use look::{
    CONTENT_BYTES_MAX, Described, Look, NAMES_MAX, NoLook, Recipient, Recorded, Surroundings,
    UNREADABLE_GIT_CONFIG, located,
};
pub use policy::{ANALYSER_VERSION, Catalogue, Policy, policy_hash};
pub use protected::{protected_names, secret_places, settings_names};
pub use rule::{Pattern, RULE_BYTES_MAX, Rule, RuleError, name_fits};
pub use safeguard::{SAFEGUARDS, SafeguardFacts};
pub use widen::{Extent, Widening, extent, widening};
