//! Package caches of this user: what commands in a sandbox may write over, but not into.

use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// Caches below home: what build tools and package managers keep between runs and can fetch again.
const AT_HOME: [&str; 17] = [
    ".bun/install/cache",
    ".cache",
    ".cargo",
    ".composer/cache",
    ".conan2",
    ".deno",
    ".gem",
    ".gradle",
    ".ivy2",
    ".local/share/pnpm/store",
    ".m2",
    ".mix",
    ".npm",
    ".nuget/packages",
    ".pub-cache",
    ".yarn/berry/cache",
    "go/pkg/mod",
];

/// Variables that name such a cache elsewhere.
const NAMED: [&str; 10] = [
    "CARGO_HOME",
    "COMPOSER_CACHE_DIR",
    "GOCACHE",
    "GOMODCACHE",
    "GRADLE_USER_HOME",
    "PIP_CACHE_DIR",
    "UV_CACHE_DIR",
    "XDG_CACHE_HOME",
    "YARN_CACHE_FOLDER",
    "npm_config_cache",
];

/// The caches that are there, links resolved, none within another and none that meets a folder of
/// the workspace.
pub(super) fn of_this_user(home: Option<&str>, roots: &[String]) -> Vec<String> {
    let named = NAMED.iter().filter_map(std::env::var_os).map(PathBuf::from);
    found(home, named, roots)
}

fn found(
    home: Option<&str>,
    named: impl Iterator<Item = PathBuf>,
    roots: &[String],
) -> Vec<String> {
    let at_home = home.into_iter().flat_map(|home| {
        let home = Path::new(home);
        AT_HOME.iter().map(move |name| home.join(name))
    });
    let meets_root = |folder: &Path| {
        let mut roots = roots.iter().map(Path::new);
        roots.any(|root| root.starts_with(folder) || folder.starts_with(root))
    };
    let there = at_home.chain(named.filter(|folder| folder.is_absolute()));
    let there = there.filter_map(|folder| folder.canonicalize().ok());
    let mut there: Vec<PathBuf> = there
        .filter(|folder| folder.is_dir() && folder.parent().is_some() && !meets_root(folder))
        .collect();
    // Sorted, an outer folder comes right before what lies in it.
    there.sort();
    there.dedup_by(|inner, outer| inner.starts_with(outer.as_path()));
    let texts = there
        .into_iter()
        .map(|folder| folder.into_os_string().into_string());
    texts.filter_map(Result::ok).collect()
}
