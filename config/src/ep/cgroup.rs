//! `[cgroup]`: a control group of the kernel for each test.

use std::path::PathBuf;

use crate::{
    engine::{filled, set},
    toml_table::Table,
};

/// Control groups of tests, and what all processes of one test together may take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cgroup {
    /// Whether they are wanted.
    pub wanted: CgroupUse,
    /// The group to divide; none: the EP's own.
    pub parent: Option<PathBuf>,
    /// Bytes of memory.
    pub memory_bytes: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u64>,
    /// Thousandths of a processor.
    pub cpu_thousandths: Option<u32>,
}

/// Whether tests have control groups of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CgroupUse {
    /// They have none.
    #[default]
    Off,
    /// Where they can be had; what cannot be is told.
    Try,
    /// An EP that cannot have all that is asked for does not start.
    Require,
}

const USES: [(&str, CgroupUse); 3] =
    [("off", CgroupUse::Off), ("try", CgroupUse::Try), ("require", CgroupUse::Require)];
/// Less than the kernel takes for a share of 100 ms.
const CPU_THOUSANDTHS_MIN: u32 = 10;
const CPU_THOUSANDTHS_MAX: u32 = 4_096_000;

impl Cgroup {
    pub(super) fn read(&mut self, top: &Table<'_>) {
        let Some(table) = top.section("cgroup") else { return };
        set(&mut self.wanted, table.choice("use", &USES));
        self.parent = filled(table.text("parent")).map(PathBuf::from);
        let memory =
            |text: &str| if text.is_empty() { Ok(None) } else { crate::value::size_bytes(text).map(Some) };
        set(&mut self.memory_bytes, table.parsed("memory", memory));
        set(&mut self.processes, table.parsed("processes", processes));
        set(&mut self.cpu_thousandths, table.parsed("cpu", processors));
        let limits = [
            ("memory", self.memory_bytes.is_some()),
            ("processes", self.processes.is_some()),
            ("cpu", self.cpu_thousandths.is_some()),
            ("parent", self.parent.is_some()),
        ];
        for (key, _) in limits.iter().filter(|(_, is_set)| *is_set && self.wanted == CgroupUse::Off) {
            let help = "write use = \"require\" beside it, or use = \"try\" where an EP may start without it";
            table.error_at(key, format!("`cgroup.{key}` holds for nothing while `cgroup.use` is off"), help);
        }
        table.finish();
    }
}

fn processes(text: &str) -> Result<Option<u64>, &'static str> {
    const EXPECTED: &str = "a whole number from 1 to 4194304, or \"\" for no limit";
    if text.is_empty() {
        return Ok(None);
    }
    let number: u64 = text.parse().ok().ok_or(EXPECTED)?;
    if (1..=4_194_304).contains(&number) { Ok(Some(number)) } else { Err(EXPECTED) }
}

/// `1.5` as 1,500 thousandths.
fn processors(text: &str) -> Result<Option<u32>, &'static str> {
    const EXPECTED: &str = "processors, such as 2 or 0.5, from 0.01 to 4096, or \"\" for no limit";
    if text.is_empty() {
        return Ok(None);
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || part.len() > 3 {
        return Err(EXPECTED);
    }
    let whole: u32 = whole.parse().ok().ok_or(EXPECTED)?;
    let part: u32 = format!("{part:0<3}").parse().ok().ok_or(EXPECTED)?;
    let thousandths = whole.checked_mul(1_000).and_then(|whole| whole.checked_add(part)).ok_or(EXPECTED)?;
    let fits = (CPU_THOUSANDTHS_MIN..=CPU_THOUSANDTHS_MAX).contains(&thousandths);
    if fits { Ok(Some(thousandths)) } else { Err(EXPECTED) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{ep::EpSettings, source::Source};

    fn read(text: &str) -> (Option<Cgroup>, Vec<String>) {
        let read = EpSettings::read(&Arc::new(Source::new("ep.toml", text)));
        (read.value.map(|settings| settings.cgroup), read.problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn limits_are_read_as_people_write_them() {
        let text = "[cgroup]\nuse = \"require\"\nparent = \"/sys/fs/cgroup/lab\"\nmemory = \"512MB\"\nprocesses = 200\ncpu = 1.5\n";
        let (found, problems) = read(text);
        assert_eq!(problems, Vec::<String>::new());
        let expected = Cgroup {
            wanted: CgroupUse::Require,
            parent: Some("/sys/fs/cgroup/lab".into()),
            memory_bytes: Some(512 << 20),
            processes: Some(200),
            cpu_thousandths: Some(1_500),
        };
        assert_eq!(found, Some(expected));
        for (cpu, thousandths) in [("\"2\"", 2_000), ("0.05", 50), ("1", 1_000), ("0.125", 125)] {
            let (found, _) = read(&format!("[cgroup]\nuse = \"try\"\ncpu = {cpu}\n"));
            assert_eq!(found.and_then(|found| found.cpu_thousandths), Some(thousandths), "{cpu}");
        }
        for bad in ["0", "-1", "\"1,5\"", "\"all\"", "1e3", "0.0001", "99999999999"] {
            let (_, problems) = read(&format!("[cgroup]\nuse = \"try\"\ncpu = {bad}\n"));
            assert!(
                problems.first().is_some_and(|told| told.contains("such as 2 or 0.5")),
                "{bad}: {problems:?}"
            );
        }
    }

    #[test]
    fn a_limit_that_would_hold_for_nothing_is_refused() {
        let (_, problems) = read("[cgroup]\nmemory = \"1GB\"\n");
        insta::assert_snapshot!(problems.join("\n"));
        let (_, problems) = read("[cgroup]\nuse = \"yes\"\n");
        assert!(problems.iter().any(|told| told.contains("there is no `yes`")), "{problems:?}");
    }
}
