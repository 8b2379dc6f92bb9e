//! `jackfield simulate`: devices that are not there.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use jackfield_config::simulated::DeviceModel;
use jackfield_device::simulate::{self, Listen, Running, WITHOUT_KEYS};
use serde_json::json;

use crate::{Context, exit::Exit, output, signal};

/// Models of devices, as the demo has them.
pub(crate) static DEVICES: include_dir::Dir<'_> =
    include_dir::include_dir!("$CARGO_MANIFEST_DIR/../examples/lab-model");

/// Serve simulated devices over telnet and SSH until Ctrl-C.
#[derive(clap::Args)]
pub(crate) struct Simulate {
    /// Models of devices (TOML), or recordings of dialogues (.cast, .json), one each; or the name of a model that is shipped: router, switch, pbx.
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// First port: telnet there, SSH on the next, the next device after that. Free ones without it.
    #[arg(long)]
    port: Option<u16>,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    address: std::net::IpAddr,
}

impl Simulate {
    pub(crate) fn run(&self, context: &Context) -> Result<Exit> {
        super::engine::start_logging("warn");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build()?;
        runtime.block_on(async {
            let mut devices = Vec::new();
            for (number, path) in (0_u16..).zip(&self.models) {
                let text = text_of(path)?;
                let port =
                    |offset: u16| self.port.map_or(0, |first| first.saturating_add(number * 2 + offset));
                let listen = Listen {
                    telnet: Some(SocketAddr::new(self.address, port(0))),
                    ssh: Some(SocketAddr::new(self.address, port(1))),
                };
                let name = path.display().to_string();
                devices.push(if super::session::is_file(path) {
                    let cast = super::session::read(&name, &text)?;
                    if !cast.has_keys() {
                        output::talk(&format!("{name}: {WITHOUT_KEYS}"));
                    }
                    simulate::serve_recording(&name, &cast, listen).await?
                } else {
                    simulate::serve(read_model(&name, &text)?, listen).await?
                });
            }
            let list: Vec<_> = devices.iter().map(describe).collect();
            context.output.list(&list, |_| devices.iter().map(say).collect::<Vec<_>>().join("\n"))?;
            signal::next_signal().await?;
            for device in devices {
                device.stop().await;
            }
            Ok(Exit::Done)
        })
    }
}

/// The text of a file, or of a shipped model that is named where no such file is.
fn text_of(path: &Path) -> Result<String> {
    let error = match std::fs::read_to_string(path) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let shipped = |file: &include_dir::File<'_>| {
        file.path().file_stem().map(|stem| stem.to_string_lossy().into_owned())
    };
    if error.kind() == std::io::ErrorKind::NotFound {
        let wanted = path.to_str().unwrap_or_default();
        let found = DEVICES.files().find(|file| shipped(file).is_some_and(|name| name == wanted));
        if let Some(text) = found.and_then(include_dir::File::contents_utf8) {
            return Ok(text.to_owned());
        }
        let names: Vec<String> = DEVICES.files().filter_map(shipped).collect();
        bail!("there is no file {}; models that are shipped: {}", path.display(), names.join(", "));
    }
    Err(error).with_context(|| format!("reading {}", path.display()))
}

/// A model from its text; what is wrong with it is said, and ends it.
pub(crate) fn read_model(name: &str, text: &str) -> Result<DeviceModel> {
    DeviceModel::parse(name, text).or_else(|problems| {
        problems.iter().for_each(|problem| output::talk(&problem.to_string()));
        bail!("model {name} has errors")
    })
}

fn describe(device: &Running) -> serde_json::Value {
    json!({"name": device.name, "telnet": device.properties("telnet"), "ssh": device.properties("ssh")})
}

fn say(device: &Running) -> String {
    let at = |address: Option<SocketAddr>| address.map_or("-".to_owned(), |address| address.to_string());
    format!("{}: telnet {}, ssh {}", device.name, at(device.telnet), at(device.ssh))
}
