//! What build tools, package managers and Python honour.

use std::path::Path;

use serde_json::json;

use super::{By, Ground, write};

pub(super) fn plant(ground: &Ground, folder: &Path) {
    write(
        folder,
        "Cargo.toml",
        "[package]\nname = \"evil\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
    );
    write(folder, "src/main.rs", "fn main() {}\n");
    let fire = ground.fire("build.rs");
    write(
        folder,
        "build.rs",
        &format!("fn main() {{ std::process::Command::new(\"{fire}\").status().unwrap(); }}\n"),
    );
    let wrapper = ground.fire_through("cargo-rustc-wrapper", "exec \"$@\"");
    let runner = ground.fire("cargo-runner");
    let target = ground.scratch.path("tools/target");
    write(
        folder,
        ".cargo/config.toml",
        &format!(
            "[build]\nrustc-wrapper = \"{wrapper}\"\ntarget-dir = \"{}\"\n[target.'cfg(all())']\n\
             runner = \"{runner}\"\n",
            target.display()
        ),
    );
    write(
        folder,
        "Makefile",
        &format!("all:\n\t{}\n", ground.fire("makefile")),
    );
    let scripts = json!({ "name": "evil", "version": "1.0.0", "scripts": {
        "pretest": ground.fire("package.json"), "test": "true" } });
    write(folder, "package.json", &scripts.to_string());
    let shell = ground.fire_through("npmrc-script-shell", "exec /bin/sh \"$@\"");
    write(folder, ".npmrc", &format!("script-shell={shell}\n"));
    write(
        folder,
        ".yarnrc.yml",
        &format!("yarnPath: {}\n", ground.fire("yarnrc")),
    );
    let python = |name: &str| format!("import os\nos.system({:?})\n", ground.fire(name));
    write(folder, "sitecustomize.py", &python("sitecustomize.py"));
    write(folder, "conftest.py", &python("conftest.py"));
    write(folder, "setup.py", &python("setup.py"));
    let line = format!("import os; os.system({:?})\n", ground.fire("evil.pth"));
    write(folder, "evil.pth", &line);
    write(
        folder,
        "pyproject.toml",
        "[build-system]\nrequires = []\nbuild-backend = \"conftest\"\nbackend-path = [\".\"]\n",
    );
}

pub(super) fn controls(ground: &Ground, folder: &Path) -> Vec<(&'static str, By)> {
    let cargo = env!("CARGO");
    for line in [
        format!("{cargo} run -q --offline"),
        "/usr/bin/make".to_owned(),
        "npm test --offline".to_owned(),
        "PYTHONPATH=. python3 -c pass".to_owned(),
        "python3 setup.py".to_owned(),
        "python3 -c 'import site; site.addsitedir(\".\")'".to_owned(),
        // What the tool documents that is not at hand everywhere: pytest imports it, yarn runs it.
        "python3 -c 'import conftest'".to_owned(),
        "$(sed -n 's/^yarnPath: //p' .yarnrc.yml)".to_owned(),
    ] {
        ground.sh(folder, &line);
    }
    vec![
        ("cargo-rustc-wrapper", By::Tool),
        ("cargo-runner", By::Tool),
        ("build.rs", By::Tool),
        ("makefile", By::Tool),
        ("package.json", By::Tool),
        ("npmrc-script-shell", By::Tool),
        ("sitecustomize.py", By::Tool),
        ("setup.py", By::Tool),
        ("evil.pth", By::Tool),
        ("conftest.py", By::Reader),
        ("yarnrc", By::Reader),
    ]
}
