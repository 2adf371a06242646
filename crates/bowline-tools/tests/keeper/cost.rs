//! What a launch costs: wall and processor time of `true` through a keeper.

use std::process::Command;
use std::time::{Duration, Instant};

use bowline_core::{Backend, Confinement, Network, Profile};
use bowline_tools::keeper::spool;

use crate::support::{Place, block_on, finished, launcher};

/// Launches `count` times and prints figures beside those of a plain `bash -c true`.
pub(crate) fn measure(count: usize) -> i32 {
    let place = Place::new();
    let order = place.order("true");
    let mut figures = Figures::new();
    for _ in 0..count {
        let began = Instant::now();
        let mut bash = Command::new("bash");
        bash.args(["-c", "true"])
            .env_clear()
            .envs(order.env.clone());
        assert!(bash.status().unwrap().success());
        figures.walls.push(began.elapsed());
    }
    figures.report("bash -c true, no keeper");
    block_on(async {
        let named = || Network::Hosts(vec!["docs.rs".to_owned()]);
        let all = [
            (None, Network::None),
            (Some(Backend::Namespaces), Network::None),
            (Some(Backend::Namespaces), named()),
            (Some(Backend::Landlock), Network::None),
        ];
        for (backend, network) in all {
            under_a_keeper(&place, backend, network, count).await;
        }
    });
    0
}

/// Launches `count` times, unconfined or confined the way mode `auto` does.
async fn under_a_keeper(place: &Place, backend: Option<Backend>, network: Network, count: usize) {
    let kind = format!(
        "{}, network {}",
        backend.map_or("no sandbox", Backend::name),
        network.name()
    );
    let mut order = place.order("true");
    let work = order.cwd.join("work");
    for name in [".git/hooks", ".bowline", "secret", "state"] {
        std::fs::create_dir_all(work.join(name)).unwrap();
    }
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let profile = Profile {
        writable: vec![work.to_str().unwrap().to_owned()],
        protected: names(&[".git/hooks", ".git/config", ".bowline"]),
        hidden: names(&["/etc/shadow", "/etc/gshadow"]),
        network,
        ..Profile::default()
    };
    order.confinement = backend.map(|backend| Box::new(Confinement { backend, profile }));
    order.cwd = work;
    let mut figures = Figures::new();
    let mut launches = Vec::new();
    for round in 0..count {
        let dir = place.path(&format!("{kind}/{round}"));
        let began = Instant::now();
        let kept = launcher().launch(&dir, &order).unwrap();
        launches.push(began.elapsed());
        let exit = finished(kept.wait(|_| {}).await);
        figures.walls.push(began.elapsed());
        let said = spool::read(&dir).head;
        let said = String::from_utf8_lossy(&said);
        assert_eq!(exit.code, Some(0), "{kind}, {round}: {said}");
    }
    figures.report(&format!("bash -c true, under a keeper, {kind}"));
    launches.sort();
    println!("  of which launch() {:.2?}", launches[count / 2]);
}

struct Figures {
    walls: Vec<Duration>,
    processor_ms: u64,
}

impl Figures {
    fn new() -> Self {
        Self {
            walls: Vec::new(),
            processor_ms: processor_ms(),
        }
    }

    fn report(mut self, name: &str) {
        let count = self.walls.len();
        let processor_ms = (processor_ms() - self.processor_ms) as f64 / count as f64;
        self.walls.sort();
        let (median, high) = (self.walls[count / 2], self.walls[count * 95 / 100]);
        println!("{name}: wall p50 {median:.2?}, p95 {high:.2?}, processor {processor_ms:.2} ms");
    }
}

/// Processor time of this process and of all it has reaped, in ms (in steps of 10).
fn processor_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    rest.split(' ')
        .skip(11)
        .take(4)
        .map(|ticks| ticks.parse::<u64>().unwrap() * 10)
        .sum()
}
