//! A lab that is shared: what the tree of resources and the book of leases cost, with many nodes, many people and many who wait.
//!
//! What is measured is asked over HTTP, on connections that stay open ([`http`]). Leases are measured beside labgrid's coordinator, which is
//! given the same work through the clients that it ships.

mod book;
mod connections;
mod http;
mod labgrid;
mod leases;
mod run;
mod tree;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::Measure;

pub(crate) fn measure(rounds: usize) -> Result<Vec<Measure>> {
    let mut measures = tree::measure(rounds)?;
    measures.extend(leases::measure(rounds)?);
    measures.extend(book::measure()?);
    measures.extend(run::measure()?);
    measures.extend(connections::measure()?);
    Ok(measures)
}

/// A part of the way: 0.99 is what all but one of a hundred stay below.
fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = u32::try_from(values.len().saturating_sub(1)).map_or(0.0, f64::from);
    let wanted = format!("{:.0}", last * part).parse::<usize>().unwrap_or(0);
    values.get(wanted).copied().unwrap_or(f64::NAN)
}

/// A count as a figure.
fn figure(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// `resources.json` of beds with ten devices each, `nodes` in all.
fn lab_of(nodes: usize) -> String {
    root_of((0..nodes / 11).map(|bed| {
        let (name, id) = (format!("tb{bed}"), bed * 11 + 1);
        let devices = (0..10).map(|device| {
            let own = format!("d{device}");
            let kind = ["router", "switch", "phone"].get(device % 3).copied().unwrap_or("router");
            let ip = format!("10.{}.{}.{device}", bed / 256, bed % 256);
            let meta = json!({"kind": kind, "ports": (bed + device) % 48, "ip": ip});
            let node = node(&[name.as_str(), own.as_str()], id + 1 + device, meta, Map::new());
            (own, node)
        });
        let site = json!({"site": format!("s{}", bed % 50)});
        let node = node(&[name.as_str()], id, site, devices.collect());
        (name, node)
    }))
}

/// `resources.json` of devices right below the root.
fn flat(devices: usize) -> String {
    root_of((0..devices).map(|device| {
        let name = format!("p{device}");
        let node = node(&[name.as_str()], device + 1, json!({}), Map::new());
        (name, node)
    }))
}

fn root_of(children: impl Iterator<Item = (String, Value)>) -> String {
    let children: Map<_, _> = children.collect();
    json!({"path": [], "version": 1, "meta": {}, "name": "/", "children": children}).to_string()
}

fn node(path: &[&str], id: usize, meta: Value, children: Map<String, Value>) -> Value {
    json!({"path": path, "meta": meta, "id": format!("{id:010x}"), "children": children})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let values: Vec<f64> = (1..=101).map(figure).collect();
        assert_eq!((quantile(values.clone(), 0.5), quantile(values.clone(), 0.99)), (51.0, 100.0));
        assert!(quantile(Vec::new(), 0.5).is_nan());
    }

    #[test]
    fn the_lab_has_as_many_nodes_as_it_says() {
        let lab: Value = serde_json::from_str(&lab_of(100)).unwrap();
        assert_eq!(lab["children"].as_object().unwrap().len(), 9);
        assert_eq!(lab["children"]["tb8"]["children"]["d9"]["id"], "0000000063");
    }
}
