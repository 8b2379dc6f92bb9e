//! What `jackfield call` and `jackfield bridge` do, as small as it can be: a test of any language can reach its EP with it.

use std::{io::Write, path::PathBuf};

use jackfield_execution_process::local_client::{LocalClient, LocalError};

fn main() -> Result<(), LocalError> {
    let text = |name: &str| std::env::var_os(name).unwrap_or_default().into_string().unwrap_or_default();
    let socket = PathBuf::from(text("JACKFIELD_SOCKET"));
    let mut client = LocalClient::connect(&socket, &text("JACKFIELD_TOKEN"))?;
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    if command == "bridge" {
        client.bridge(std::io::stdin(), std::io::stdout())?;
        return Ok(());
    }
    let words: Vec<String> = arguments.filter(|word| word != "--raw").collect();
    let method = words.first().map(String::as_str).unwrap_or_default();
    let params = words.get(1).map_or(Ok(serde_json::Value::Null), |text| serde_json::from_str(text))?;
    let result = client.call(method, params)?;
    let shown = result.as_str().map_or_else(|| result.to_string(), str::to_owned);
    std::io::stdout().write_all(format!("{shown}\n").as_bytes())?;
    Ok(())
}
