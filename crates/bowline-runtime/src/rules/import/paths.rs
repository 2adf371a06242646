//! Entries that name paths, by the rules of gitignore: `//x` is absolute, `~/x` below home, `/x` and
//! `x` below the project.

use bowline_core::Verdict;

use super::Made;

/// The rules for a path pattern; none at all is every path.
pub(super) fn rules(
    verdict: Verdict,
    kind: &str,
    pattern: Option<&str>,
    folder: Option<&str>,
) -> Made {
    let globs = if verdict == Verdict::Allow {
        vec![allowed(pattern.unwrap_or("./**"), folder)?]
    } else {
        forbidden(pattern.unwrap_or("//**"))?
    };
    Ok(globs
        .into_iter()
        .map(|glob| (format!("{kind}({glob})"), None))
        .collect())
}

/// The glob that allows no more than the entry does.
fn allowed(pattern: &str, folder: Option<&str>) -> Result<String, String> {
    if pattern.contains(['[', ']', '{', '}', '\\']) || pattern.starts_with('!') {
        return Err("its pattern means something else here".to_owned());
    }
    let is_odd = |segment: &str| segment.contains("**") && segment != "**";
    if pattern.split('/').any(is_odd) {
        return Err("two stars beside other letters mean something else here".to_owned());
    }
    if let Some(absolute) = pattern.strip_prefix("//") {
        return Ok(format!("/{absolute}"));
    }
    if pattern.starts_with("~/") {
        return Ok(pattern.to_owned());
    }
    let Some(folder) = folder else {
        return Err(
            "it is relative to whatever folder one works in: write an absolute path, or one below ~/"
                .to_owned(),
        );
    };
    let below = pattern.strip_prefix("./").unwrap_or(pattern);
    let below = below.trim_start_matches('/');
    let folder = escaped(folder.trim_end_matches('/'));
    Ok(format!("{folder}/{below}"))
}

/// The globs that forbid all that the entry does: what it names, at any depth where it names no
/// folder, and everything below.
fn forbidden(pattern: &str) -> Result<Vec<String>, String> {
    if pattern.contains(['{', '}', '\\']) || pattern.starts_with('!') {
        return Err("its pattern means something else here: write the rule by hand".to_owned());
    }
    let plain = pattern.strip_prefix("./").unwrap_or(pattern);
    let base = if let Some(absolute) = plain.strip_prefix("//") {
        format!("/{absolute}")
    } else if plain.starts_with("~/") {
        plain.to_owned()
    } else if let Some(rooted) = plain.strip_prefix('/') {
        rooted.to_owned()
    } else if plain.trim_end_matches('/').contains('/') {
        plain.to_owned()
    } else {
        format!("**/{plain}")
    };
    let base = base.trim_end_matches('/');
    if base.is_empty() {
        return Ok(vec!["**".to_owned()]);
    }
    if base.ends_with("**") {
        return Ok(vec![base.to_owned()]);
    }
    Ok(vec![base.to_owned(), format!("{base}/**")])
}

/// A folder's own characters stand for themselves.
fn escaped(folder: &str) -> String {
    let mut plain = String::new();
    for letter in folder.chars() {
        if "*?[]{}\\".contains(letter) {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}
