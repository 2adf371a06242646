//! Texts made to be slow: every one is judged within bounds, and what is denied in them is found.

use bowline_core::Verdict;

use super::{Described, Rules, judged, policy};

fn texts() -> Vec<(&'static str, String)> {
    let many = |part: &str, bytes: usize| part.repeat(bytes / part.len());
    let full = 3_000;
    vec![
        ("lists", many(":;", full)),
        ("commands", many("ls a;", full)),
        ("paths", format!("cat {}", many("a/b/c ", full))),
        ("pipes", format!("{}ls", many("ls|", full))),
        ("groups", format!("{}ls;{}", many("{ ", 190), many("} ;", 285))),
        ("subshells", format!("{}ls{}", many("(", 90), many(")", 90))),
        ("substitutions", format!("{}ls{}", many("echo $(", 600), many(")", 85))),
        ("braces", "echo {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}".to_owned()),
        ("nested braces", format!("echo {}", many("{a,{b,{c,d}}}", 600))),
        ("sequence", "echo {1..999999999}{1..9}".to_owned()),
        ("many braces", format!("echo {}", many("{a,b} ", full))),
        ("open braces", format!("echo {}", many("{", full))),
        ("variables", format!("{}ls", many("a1=b;", full))),
        (
            "variables apart",
            format!(
                "{}{}ls",
                (0..300).map(|n| format!("a{n}=1;")).collect::<String>(),
                many("b=1|", 2_000)
            ),
        ),
        ("growing", format!("a=xxxxxxxx;{}ls", many("a=$a$a;", full))),
        ("growing loops", "for a in 1 2;do for b in 1 2;do for c in 1 2;do for d in 1 2;do x=$x$a;y=$x;z=$y;done;done;done;done;ls $z".to_owned()),
        (
            "loops",
            format!("{}x=$x$y;{}", many("while a;do ", 99 * 11), many("done;", 99 * 5)),
        ),
        ("loops side by side", many("for i in a b;do x=$i;done;", full)),
        (
            "calls",
            format!(
                "f0(){{ :; }};{}f60",
                (1..=60)
                    .map(|n| format!("f{n}(){{ f{0};f{0};f{0};f{0}; }};", n - 1))
                    .collect::<String>()
            ),
        ),
        ("functions", (0..300).map(|n| format!("f{n}(){{ ls; }};")).collect()),
        ("globs", format!("cat {}", many("*/a*/b?.c ", full))),
        ("stars", format!("cat {}", many("*", full))),
        ("evals", format!("{}ls", many("eval ", 6_000))),
        ("quoted evals", "eval \"eval 'eval \\\"eval ls\\\"'\"".to_owned()),
        ("wrappers", format!("{}ls", many("nice ", 2_000))),
        ("texts", format!("let {}", many("'a[$(ls)]' ", 2_000))),
        ("cases", format!("case x in {}esac", many("a) ls;; ", full))),
        ("alternatives", format!("ls{}", many("||cd a", 2_000))),
        ("arithmetic", format!("(( {}1 ))", many("a+", full))),
        ("expansions", format!("echo {}", many("${a:-${b:-c}} ", full))),
        ("documents", format!("cat <<E\n{}\nE", many("$(ls)", full))),
        ("redirections", format!("ls {}", many(">a ", full))),
        ("assignments", format!("{}ls", many("A=1 ", full))),
    ]
}

#[test]
fn hostile_texts_are_judged_within_bounds() {
    let rules = Rules {
        deny: &["rm *", "git push *"],
        ask: &["read(x/**)"],
        allow: &["cargo *"],
    };
    let policy = policy("read-only", rules, "/w/proj", "/home/dev");
    let look = Described::new("/w/proj", &[("l", "symlink -> /etc"), ("a/b", "dir")]);
    for (name, text) in texts() {
        let judgement = judged(&policy, &text, "/w/proj", &look);
        assert!(judgement.judged.len() <= 400, "{name}");
        // What is denied is found however much stands before it.
        let denied = judged(&policy, &format!("rm x;{text}"), "/w/proj", &look);
        let is_understood = denied.judged[0].verdict == Verdict::Deny;
        let is_refused = denied.reason.contains("not understood");
        assert!(is_understood || is_refused, "{name}: {}", denied.reason);
    }
}
