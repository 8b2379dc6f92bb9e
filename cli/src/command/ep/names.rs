//! The EPs of an `epname.ini`: those that this machine starts, each in a process of its own.

use std::{net::ToSocketAddrs, process::Command};

use anyhow::{Context as _, Result, bail};
use jackfield_config::epname::EpNames;

use super::Found;
use crate::{exit::Exit, output, signal};

/// The EPs that this machine starts, or the one of this name.
pub(super) fn choose(names: &EpNames, wanted: Option<&str>) -> Result<Found> {
    let machine = machine();
    let known: Vec<&str> = machine.iter().map(String::as_str).collect();
    let mut here = names.settings(&known);
    if let Some(wanted) = wanted {
        let there =
            here.iter().filter_map(|ep| ep.name.as_ref()).map(ToString::to_string).collect::<Vec<_>>();
        here.retain(|ep| ep.name.as_ref().is_none_or(|name| name.as_str() == wanted));
        if here.is_empty() {
            bail!("epname.ini has no EP `{wanted}` that this machine starts; there are: {}", shown(&there));
        }
    }
    let all: Vec<String> = here.iter().filter_map(|ep| ep.name.as_ref()).map(ToString::to_string).collect();
    match (here.pop(), all.len()) {
        (None, _) => bail!(
            "epname.ini has no EP that this machine starts, which is known as {}; EP_HOST of a section names one of these",
            shown(&machine)
        ),
        (Some(one), 0 | 1) => Ok(Found::One(Box::new(one))),
        (Some(_), _) => Ok(Found::Several(all)),
    }
}

fn shown(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// What an `EP_HOST` may call this machine: its name, and its addresses as far as the name leads to them.
fn machine() -> Vec<String> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let addresses = (name.as_str(), 0).to_socket_addrs().into_iter().flatten();
    let mut all: Vec<String> = addresses.map(|address| address.ip().to_string()).collect();
    all.extend(["localhost".to_owned(), "127.0.0.1".to_owned()]);
    all.insert(0, name);
    all.dedup();
    all
}

/// Runs this very command once for each name, until all have ended; what ends this one ends them.
pub(super) fn run_each(names: &[String]) -> Result<Exit> {
    let program = std::env::current_exe().context("finding this program's own path")?;
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut children = Vec::new();
        for name in names {
            let mut command = Command::new(&program);
            command.args(&arguments).arg("--name").arg(name);
            let child = tokio::process::Command::from(command).kill_on_drop(true).spawn();
            children.push((name, child.with_context(|| format!("starting EP `{name}`"))?));
        }
        output::talk(&format!("started {}", names.join(", ")));
        let pids: Vec<u32> = children.iter().filter_map(|(_, child)| child.id()).collect();
        let stop = async {
            if signal::next_signal().await.is_ok() {
                for pid in pids {
                    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
                    // One that has ended needs no signal.
                    let _ = pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::TERM));
                }
            }
            std::future::pending::<()>().await;
        };
        let all = async {
            let mut worst = Exit::Done;
            for (name, child) in &mut children {
                let status = child.wait().await.with_context(|| format!("waiting for EP `{name}`"))?;
                if !status.success() {
                    output::complain(&format!("EP `{name}` ended: {status}"));
                    worst = Exit::BadInput;
                }
            }
            Ok(worst)
        };
        tokio::select! {
            ended = all => ended,
            () = stop => Ok(Exit::Done),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jackfield_config::Source;

    use super::*;

    fn names(text: &str) -> EpNames {
        EpNames::read(&Arc::new(Source::new("epname.ini", text))).value.unwrap()
    }

    #[test]
    fn the_sections_of_this_machine_are_its_eps() {
        let text = "[EP-1]\nCE_IP = 10.0.0.1\nCE_PORT = 8000\n[EP-2]\nCE_IP = 10.0.0.1\nEP_HOST = localhost\n[EP-3]\nCE_IP = 10.0.0.1\nEP_HOST = elsewhere\n";
        let Found::Several(all) = choose(&names(text), None).unwrap() else { panic!("several") };
        assert_eq!(all, ["EP-1", "EP-2"]);
        let Found::One(one) = choose(&names(text), Some("EP-2")).unwrap() else { panic!("one") };
        assert_eq!((one.name.unwrap().as_str(), one.engine.as_str()), ("EP-2", "http://10.0.0.1:8000"));
        let error = choose(&names(text), Some("EP-3")).err().unwrap();
        assert_eq!(
            error.to_string(),
            "epname.ini has no EP `EP-3` that this machine starts; there are: EP-1, EP-2"
        );
        let error = choose(&names("[EP-3]\nCE_IP = 1.2.3.4\nEP_HOST = elsewhere\n"), None).err().unwrap();
        assert!(error.to_string().contains("EP_HOST of a section names one of these"), "{error}");
        let auto = "[AUTO]\nAUTO_CE_IP = 10.0.0.9\n";
        let Found::One(one) = choose(&names(auto), None).unwrap() else { panic!("one") };
        assert_eq!((one.name, one.engine.as_str()), (None, "http://10.0.0.9:8000"));
    }
}
