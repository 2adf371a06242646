//! What a step expects of its request, and how a request looks to it.

use super::Expect;

/// What a player saw of one request, whatever its dialect.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RequestView {
    /// Texts of the tool results that came after the last assistant message, in order.
    pub last_results: Vec<String>,
    /// Every text of the request, in order: system, user and assistant texts, and results.
    pub prompt_texts: Vec<String>,
    /// Names of the tools offered.
    pub tools: Vec<String>,
}

/// Names the first expectation that `view` does not meet, with what came instead.
pub(super) fn unmet(expect: &Expect, view: &RequestView) -> Option<String> {
    let anywhere = |texts: &[String], part: &str| texts.iter().any(|text| text.contains(part));
    let checks: [(&str, &[String], &[String], bool); 4] = [
        (
            "last_result_contains",
            &expect.last_result_contains,
            &view.last_results,
            true,
        ),
        (
            "last_result_lacks",
            &expect.last_result_lacks,
            &view.last_results,
            false,
        ),
        (
            "prompt_contains",
            &expect.prompt_contains,
            &view.prompt_texts,
            true,
        ),
        (
            "prompt_lacks",
            &expect.prompt_lacks,
            &view.prompt_texts,
            false,
        ),
    ];
    for (key, parts, texts, wanted) in checks {
        if let Some(part) = parts.iter().find(|part| anywhere(texts, part) != wanted) {
            return Some(format!(
                "{key} {part:?} does not hold; got {}",
                excerpt(texts)
            ));
        }
    }
    let offered = |name: &&String| view.tools.contains(name);
    let missing = expect.tools_contain.iter().find(|name| !offered(name));
    let missing = missing.map(|name| ("tools_contain", name));
    let extra = expect
        .tools_lack
        .iter()
        .find(offered)
        .map(|name| ("tools_lack", name));
    let (key, name) = missing.or(extra)?;
    Some(format!(
        "{key} {name:?} does not hold; offered are {:?}",
        view.tools
    ))
}

/// Shows the ends of the last few texts, where news stands.
fn excerpt(texts: &[String]) -> String {
    const TEXTS: usize = 4;
    const CHARS: usize = 400;
    if texts.is_empty() {
        return "none".to_owned();
    }
    let shown = texts
        .iter()
        .skip(texts.len().saturating_sub(TEXTS))
        .map(|text| {
            let skip = text.chars().count().saturating_sub(CHARS);
            let tail: String = text.chars().skip(skip).collect();
            format!("{}{tail:?}", if skip > 0 { "..." } else { "" })
        });
    shown.collect::<Vec<_>>().join(", ")
}
