//! Rules of a scenario that its types do not express.

use serde_json::Value;

use super::{Call, CutPoint, Fault, Scenario, ScenarioError, Step, Usage, VERSION};

/// Refuses another version before its keys are looked at, which may differ there.
pub(super) fn version(document: &Value) -> Result<(), ScenarioError> {
    match document.get("version") {
        Some(version) if version.as_u64() == Some(VERSION.into()) => Ok(()),
        Some(version) => Err(ScenarioError::Version {
            found: version.to_string(),
        }),
        None if document.is_object() => Err(ScenarioError::invalid(
            "",
            format!("key \"version\" is missing: \"version\": {VERSION}"),
        )),
        None => Err(ScenarioError::invalid("", "a scenario is a JSON object")),
    }
}

pub(super) fn scenario(scenario: &Scenario) -> Result<(), ScenarioError> {
    if scenario.version != VERSION {
        return Err(ScenarioError::Version {
            found: scenario.version.to_string(),
        });
    }
    if scenario.steps.is_empty() {
        return Err(ScenarioError::invalid("steps", "needs at least one step"));
    }
    usage(&scenario.usage, "usage")?;
    scenario
        .steps
        .iter()
        .enumerate()
        .try_for_each(|(i, one)| step(one, &format!("steps[{i}]")))
}

fn step(step: &Step, at: &str) -> Result<(), ScenarioError> {
    let says_nothing = step.text.is_none() && step.reasoning.is_none() && step.calls.is_empty();
    if says_nothing && step.fault.is_none() {
        let message =
            "answers nothing; for a reply with neither text nor call write \"text\": \"\"";
        return Err(ScenarioError::invalid(at, message));
    }
    if step.repeat == Some(0) {
        return Err(ScenarioError::invalid(
            format!("{at}.repeat"),
            "must be at least 1, is 0",
        ));
    }
    if let Some(own) = &step.usage {
        usage(own, &format!("{at}.usage"))?;
    }
    for (i, one) in step.calls.iter().enumerate() {
        call(one, &format!("{at}.calls[{i}]"))?;
    }
    step.fault
        .as_ref()
        .map_or(Ok(()), |one| fault(one, step, &format!("{at}.fault")))
}

fn usage(usage: &Usage, at: &str) -> Result<(), ScenarioError> {
    if usage.cached_input_tokens <= usage.input_tokens {
        return Ok(());
    }
    let message = format!(
        "{} is more than the {} input_tokens it is part of",
        usage.cached_input_tokens, usage.input_tokens
    );
    Err(ScenarioError::invalid(
        format!("{at}.cached_input_tokens"),
        message,
    ))
}

fn call(call: &Call, at: &str) -> Result<(), ScenarioError> {
    if call.tool.is_empty() {
        return Err(ScenarioError::invalid(
            format!("{at}.tool"),
            "must name a tool, is empty",
        ));
    }
    if call.input.is_some() && call.raw_arguments.is_some() {
        return Err(ScenarioError::invalid(
            at,
            "give input or raw_arguments, not both",
        ));
    }
    Ok(())
}

fn fault(fault: &Fault, step: &Step, at: &str) -> Result<(), ScenarioError> {
    let cut = match fault {
        Fault::Status { status, .. } if !(400..=599).contains(status) => {
            let message = format!("must be 400 to 599, is {status}");
            return Err(ScenarioError::invalid(format!("{at}.status"), message));
        }
        Fault::Raw { frames } if frames.is_empty() => {
            return Err(ScenarioError::invalid(
                format!("{at}.frames"),
                "needs at least one frame",
            ));
        }
        Fault::Cut { at } => Some(*at),
        Fault::Hang { at } => *at,
        _ => None,
    };
    let missing = match cut {
        Some(CutPoint::Text) if step.text.as_ref().is_none_or(String::is_empty) => "text",
        Some(CutPoint::Arguments) if step.calls.is_empty() => "calls",
        _ => return Ok(()),
    };
    Err(ScenarioError::invalid(
        format!("{at}.at"),
        format!("the step has no {missing} to cut"),
    ))
}
