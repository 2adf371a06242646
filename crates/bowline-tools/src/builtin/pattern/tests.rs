//! What patterns fit.

use super::*;

#[test]
fn fits_paths() {
    let check = |pattern: &str, path: &str, expect: bool| {
        let pattern_found = FilePattern::new("pattern", pattern).unwrap();
        assert_eq!(
            pattern_found.matches(Path::new(path)),
            expect,
            "{pattern} {path}"
        );
    };
    check("*.rs", "src/deep/a.rs", true);
    check("*.rs", "src/a.rs.bak", false);
    check("src/*.rs", "src/a.rs", true);
    check("src/*.rs", "src/deep/a.rs", false);
    check("src/**/*.rs", "src/a.rs", true);
    check("src/**/*.rs", "src/deep/er/a.rs", true);
    check("./src/*.rs", "src/a.rs", true);
    check("**/test_*.py", "test_a.py", true);
    check("*.{ts,tsx}", "a/b.tsx", true);
    check("[ab].txt", "c.txt", false);
    check("A.txt", "a.txt", false);
}

#[test]
fn says_what_is_wrong() {
    let check = |pattern: &str, expect: &str| {
        let error = FilePattern::new("glob", pattern).unwrap_err().message;
        assert!(
            error.contains(expect) && error.contains("\"glob\""),
            "{pattern}: {error}"
        );
    };
    check("", "is empty");
    check("/etc/*", "below the folder");
    check("../*", "below the folder");
    check("a[", "no valid pattern");
    check("{a", "no valid pattern");
}

#[test]
fn knows_when_hidden_names_are_meant() {
    let check = |pattern: &str, expect: bool| {
        assert_eq!(
            FilePattern::new("p", pattern).unwrap().names_hidden,
            expect,
            "{pattern}"
        );
    };
    check("**/*.rs", false);
    check(".github/**", true);
    check("**/.env*", true);
    check("{.a,b}", true);
}
