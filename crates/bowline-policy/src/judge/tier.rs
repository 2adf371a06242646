//! What tools that are not built in may do unasked: never more than a built-in one, and nothing at
//! all before a person's rule names the tool.

use bowline_core::decision::{Judged, Layer, RuleSource};
use bowline_core::{Mode, OnAsk, Tier, Verdict};

use super::{ToolFacts, settle};
use crate::policy::Policy;
use crate::rule::{Pattern, name_fits};

/// What becomes of a judgement that was made as if the tool were built in. One of a lower tier asks
/// whatever risk it claims, unless an allow rule names it; in mode `full` only rules ask.
pub(super) fn hold(policy: &Policy, tool: ToolFacts<'_>, judged: Judged, on_ask: OnAsk) -> Judged {
    let is_held = tool.tier != Tier::BuiltIn
        && judged.verdict == Verdict::Allow
        && policy.mode != Mode::Full
        && !is_named(policy, tool.name);
    if !is_held {
        return judged;
    }
    let whose = match tool.tier {
        Tier::UserSkill => "a skill",
        _ => "a plug-in",
    };
    let reason = format!(
        "`{0}` is {whose}'s tool, which asks whatever it claims to do; an allow rule `tool({0})` of \
         your own runs it.",
        tool.name
    );
    let (verdict, reason) = settle(policy.mode, on_ask, &judged.action, Verdict::Ask, reason);
    let source = RuleSource {
        layer: Layer::BuiltIn,
        tier: Tier::BuiltIn,
        rule: "tier".to_owned(),
        file: None,
        line: None,
    };
    let mut runner_up = judged.runner_up;
    runner_up.push(judged.rule);
    Judged {
        verdict,
        reason,
        rule: source,
        runner_up,
        ..judged
    }
}

/// Whether a rule that a person wrote names this tool; `tool(*)` names none.
fn is_named(policy: &Policy, tool: &str) -> bool {
    policy.rules.iter().any(|rule| {
        let names = match &rule.pattern {
            Pattern::Tool(name) => name != "*" && name_fits(name, tool),
            _ => false,
        };
        let is_own = rule.source.layer != Layer::Project && rule.source.tier == Tier::BuiltIn;
        rule.verdict == Verdict::Allow && is_own && names
    })
}
