//! Structure: bash prints a function as it understood it; that must be the tree of the text that
//! defined it. And what the parser takes, bash takes.

use bowline_policy::shell::parse::parse;
use bowline_policy::shell::print::printed;
use bowline_policy::shell::tree::{CommandKind, Script};

use crate::bash;
use crate::bash_grammar::{script, soup};
use crate::chance::{Chance, cases_and_seed};

/// The body of the only function in a text.
fn body(text: &str) -> Option<Script> {
    let mut script = parse(text).ok()?;
    let mut list = script.lists.pop()?;
    match list.pipelines.pop()?.commands.pop()?.kind {
        CommandKind::Function { body, .. } => match body.kind {
            CommandKind::Group(script) => Some(script),
            _ => None,
        },
        _ => None,
    }
}

#[test]
fn bash_understands_a_function_as_the_tree_does() {
    let (count, seed) = cases_and_seed();
    let mut chance = Chance::new(seed.wrapping_add(2));
    let mut cases = Vec::new();
    let mut trees = Vec::new();
    let mut made = 0;
    while cases.len() < count {
        made += 1;
        let text = script(&mut chance, 2);
        if let Some(tree) = parse(&text).ok().filter(|tree| !tree.lists.is_empty()) {
            cases.push(text);
            trees.push(tree);
        }
    }
    let folder = bash::scratch("structure");
    let each = "( eval \"f() {\n$text\n}\" && declare -f f )";
    let found = bash::for_each(&cases, &folder.0, each);
    let mut wrong = Vec::new();
    for ((case, tree), found) in cases.iter().zip(&trees).zip(&found) {
        let found = String::from_utf8_lossy(found);
        let by_bash = body(&found).map(|script| printed(&script));
        let by_us = printed(tree);
        if by_bash.as_ref() != Some(&by_us) {
            wrong.push(format!(
                "{case:?}\n  bash: {found:?}\n     -> {by_bash:?}\n  tree:    {by_us:?}"
            ));
        }
    }
    println!(
        "structure: {count} texts of {made} made, {} understood otherwise",
        wrong.len()
    );
    let is_right = wrong.is_empty();
    bash::tell(wrong);
    assert!(is_right);
}

#[test]
fn what_is_printed_is_read_alike() {
    let (count, seed) = cases_and_seed();
    let mut chance = Chance::new(seed.wrapping_add(3));
    let mut again = 0;
    for _ in 0..count {
        let text = script(&mut chance, 2);
        let Ok(tree) = parse(&text) else { continue };
        let once = printed(&tree);
        match parse(&once) {
            Ok(tree) => {
                again += 1;
                assert_eq!(printed(&tree), once, "{text:?}");
            }
            Err(error) => assert!(text.contains("<<"), "{text:?}\n{once:?}\n{error}"),
        }
    }
    assert!(again * 2 > count, "{again} of {count}");
}

#[test]
fn bash_takes_what_the_parser_takes() {
    let (count, seed) = cases_and_seed();
    let mut chance = Chance::new(seed.wrapping_add(4));
    let (mut taken, mut only_bash, mut only_we) = (0, Vec::new(), Vec::new());
    for _ in 0..count {
        let text = soup(&mut chance);
        let is_taken = parse(&text).is_ok();
        let by_bash = bash::takes(&text);
        match (is_taken, by_bash) {
            (true, true) => taken += 1,
            (false, true) => {
                only_bash.push(format!("only bash: {text:?}: {:?}", parse(&text).err()))
            }
            (true, false) => only_we.push(format!("only we: {text:?}")),
            (false, false) => {}
        }
    }
    let (by_bash, by_us) = (only_bash.len(), only_we.len());
    println!("grammar: {count} texts, both take {taken}, only bash {by_bash}, only we {by_us}");
    bash::tell(only_bash);
    bash::tell(only_we);
    assert_eq!(by_us, 0);
    assert!(taken * 20 > count, "{taken} of {count} were taken");
}
