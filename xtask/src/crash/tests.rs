//! What the arguments ask for.

use super::*;

#[test]
fn reads_what_is_asked_for() {
    let check = |words: &str, expect: &str| {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let told = match parse(&words) {
            Ok(asked) => format!(
                "sweep {} power {} random {:?} seed {} sample {}",
                asked.sweep, asked.power, asked.random, asked.seed, asked.sample
            ),
            Err(error) => error.to_string(),
        };
        assert_eq!(told, expect, "{words:?}");
    };
    check(
        "",
        "sweep true power true random Some(200) seed 1 sample false",
    );
    check(
        "--sample",
        "sweep true power true random Some(12) seed 1 sample true",
    );
    check(
        "--sweep",
        "sweep true power false random None seed 1 sample false",
    );
    check(
        "--random 2000 --seed 7",
        "sweep false power false random Some(2000) seed 7 sample false",
    );
    check(
        "--power --sample",
        "sweep false power true random None seed 1 sample true",
    );
    check("--random", "--random wants a number");
    check("--seed x", "--seed wants a number, not `x`");
    check(
        "--all",
        "`crash` takes --sweep, --power, --random N, --seed N and --sample, not `--all`",
    );
}
