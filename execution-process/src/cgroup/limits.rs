//! What all processes of a test together may take, and what the kernel says when they wanted more.

use std::{collections::BTreeSet, fmt, io, path::Path};

use jackfield_config::ep::Cgroup;

use super::write;

const SUBTREE: &str = "cgroup.subtree_control";
/// In this many microseconds a test may use its part of the processors; the kernel's own choice.
const PERIOD_MICROS: u64 = 100_000;
const THOUSANDTHS: u64 = 1_000;
const MEGABYTE: u64 = 1 << 20;

/// A limit of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Bytes, with what of its files is kept in memory, and nothing beside in swap.
    Memory(u64),
    /// Processes and threads.
    Processes(u64),
    /// Thousandths of a processor.
    Cpu(u32),
}

impl Limit {
    /// The setting in `[cgroup]`.
    pub(crate) fn setting(self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Processes(_) => "processes",
            Self::Cpu(_) => "cpu",
        }
    }

    /// What it allows.
    pub(crate) fn most(self) -> u64 {
        match self {
            Self::Memory(most) | Self::Processes(most) => most,
            Self::Cpu(thousandths) => thousandths.into(),
        }
    }

    fn controller(self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Processes(_) => "pids",
            Self::Cpu(_) => "cpu",
        }
    }

    /// What is written where, in this order; and whether there may be a kernel without that file.
    fn files(self) -> Vec<(&'static str, String, bool)> {
        match self {
            Self::Memory(bytes) => vec![
                ("memory.max", bytes.to_string(), false),
                // Swap would only make it slow; a kernel may have none.
                ("memory.swap.max", "0".to_owned(), true),
                // A test of which one process is missing is no test any more.
                ("memory.oom.group", "1".to_owned(), true),
            ],
            Self::Processes(most) => vec![("pids.max", most.to_string(), false)],
            Self::Cpu(thousandths) => {
                let micros = u64::from(thousandths).saturating_mul(PERIOD_MICROS).div_euclid(THOUSANDTHS);
                vec![("cpu.max", format!("{micros} {PERIOD_MICROS}"), false)]
            }
        }
    }

    /// Sets it for a group.
    pub(super) fn set(self, group: &Path) -> io::Result<()> {
        for (file, text, may_be_absent) in self.files() {
            match write(&group.join(file), &text) {
                Err(error) if may_be_absent && error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(io::Error::new(error.kind(), format!("`{file}`: {error}"))),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Whether more was wanted than it allows. Processors are only waited for.
    pub(super) fn was_reached(self, group: &Path) -> bool {
        let (file, counts) = match self {
            // What the machine's own want of memory ended has not come to this limit.
            Self::Memory(_) => ("memory.events", ["oom", "oom_kill"].as_slice()),
            Self::Processes(_) => ("pids.events", ["max"].as_slice()),
            Self::Cpu(_) => return false,
        };
        let text = std::fs::read_to_string(group.join(file)).unwrap_or_default();
        counts.iter().all(|name| counted(&text, name) > 0)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(bytes) if bytes.is_multiple_of(MEGABYTE) => {
                write!(f, "more than {} MB of memory", bytes >> 20)
            }
            Self::Memory(bytes) => write!(f, "more than {bytes} bytes of memory"),
            Self::Processes(most) => write!(f, "more than {most} processes and threads"),
            Self::Cpu(thousandths) => write!(f, "more than {thousandths} thousandths of a processor"),
        }
    }
}

fn counted(events: &str, name: &str) -> u64 {
    let count = events.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

/// The limits that are wanted and can be had with these controllers; of the others, a sentence.
pub(super) fn of(wanted: &Cgroup, controllers: &BTreeSet<String>) -> (Vec<Limit>, Vec<String>) {
    let Cgroup { wanted: _, parent: _, memory_bytes, processes, cpu_thousandths } = wanted;
    let all =
        [memory_bytes.map(Limit::Memory), processes.map(Limit::Processes), cpu_thousandths.map(Limit::Cpu)];
    let (kept, missing): (Vec<Limit>, Vec<Limit>) =
        all.into_iter().flatten().partition(|limit| controllers.contains(limit.controller()));
    let told = (!missing.is_empty()).then(|| no_controllers(&missing));
    (kept, told.into_iter().collect())
}

fn no_controllers(limits: &[Limit]) -> String {
    let named = |name: fn(Limit) -> &'static str| {
        limits.iter().map(|limit| format!("`{}`", name(*limit))).collect::<Vec<_>>().join(", ")
    };
    format!(
        "{} of [cgroup] in ep.toml cannot be kept: the kernel offers no controller {} there; with systemd, write Delegate=yes into the unit of the EP; where the machine uses control groups of version 1, start its kernel with systemd.unified_cgroup_hierarchy=1",
        named(Limit::setting),
        named(Limit::controller)
    )
}

/// Lets the groups below have the controllers of these limits; gives back those that they have.
pub(super) fn let_down(folder: &Path, limits: Vec<Limit>, missing: &mut Vec<String>) -> Vec<Limit> {
    let mut kept = Vec::new();
    for limit in limits {
        match write(&folder.join(SUBTREE), &format!("+{}", limit.controller())) {
            Ok(()) => kept.push(limit),
            Err(error) => missing.push(format!(
                "`{}` of [cgroup] in ep.toml cannot be kept: `{}` does not let groups below it have `{}`: {error}; {}",
                limit.setting(),
                folder.display(),
                limit.controller(),
                super::place::REMEDY
            )),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Cgroup {
        Cgroup {
            memory_bytes: Some(512 << 20),
            processes: Some(100),
            cpu_thousandths: Some(1_500),
            ..Cgroup::default()
        }
    }

    #[test]
    fn a_limit_whose_controller_is_not_there_is_named_with_its_remedy() {
        let controllers = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let (kept, missing) = of(&wanted(), &controllers(&["cpu", "io", "memory", "pids"]));
        assert_eq!(kept, [Limit::Memory(512 << 20), Limit::Processes(100), Limit::Cpu(1_500)]);
        assert_eq!(missing, Vec::<String>::new());
        let (kept, missing) = of(&wanted(), &controllers(&["memory"]));
        assert_eq!(kept, [Limit::Memory(512 << 20)]);
        let [told] = missing.as_slice() else { panic!("{missing:?}") };
        assert!(told.starts_with("`processes`, `cpu` of [cgroup]"), "{told}");
        assert!(told.contains("controller `pids`, `cpu`") && told.contains("Delegate=yes"), "{told}");
        assert_eq!(of(&Cgroup::default(), &controllers(&[])), (Vec::new(), Vec::new()));
    }

    #[test]
    fn limits_are_written_as_the_kernel_reads_them() {
        let group = tempfile::tempdir().unwrap();
        let shown = |file: &str| std::fs::read_to_string(group.path().join(file)).unwrap();
        for file in ["memory.max", "memory.oom.group", "pids.max", "cpu.max"] {
            std::fs::write(group.path().join(file), "").unwrap();
        }
        // Without `memory.swap.max`, as on a kernel without swap.
        for limit in [Limit::Memory(1 << 20), Limit::Processes(7), Limit::Cpu(1_500)] {
            limit.set(group.path()).unwrap();
        }
        let written = ["memory.max", "memory.oom.group", "pids.max", "cpu.max"].map(shown);
        assert_eq!(written, ["1048576", "1", "7", "150000 100000"]);
        std::fs::remove_file(group.path().join("memory.max")).unwrap();
        let error = Limit::Memory(1).set(group.path()).unwrap_err();
        assert!(error.to_string().starts_with("`memory.max`"), "{error}");
    }

    #[test]
    fn a_limit_was_reached_where_the_kernel_counted_it() {
        let group = tempfile::tempdir().unwrap();
        let put = |file: &str, text: &str| std::fs::write(group.path().join(file), text).unwrap();
        let reached = |limit: Limit| limit.was_reached(group.path());
        assert!(!reached(Limit::Memory(1)) && !reached(Limit::Processes(1)));
        put("memory.events", "low 0\nhigh 0\nmax 3\noom 0\noom_kill 1\noom_group_kill 0\n");
        assert!(!reached(Limit::Memory(1)), "the machine's own want of memory");
        put("memory.events", "low 0\nhigh 0\nmax 31\noom 1\noom_kill 2\noom_group_kill 1\n");
        put("pids.events", "max 4\n");
        assert!(reached(Limit::Memory(1)) && reached(Limit::Processes(1)) && !reached(Limit::Cpu(1)));
    }
}
