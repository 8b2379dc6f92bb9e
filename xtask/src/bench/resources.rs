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
    use std::fmt::Write as _;
    let mut text =
        String::from("{\"path\": [], \"version\": 1, \"meta\": {}, \"name\": \"/\", \"children\": {");
    let mut id = 0_usize;
    for bed in 0..nodes / 11 {
        let comma = if bed == 0 { "" } else { "," };
        id += 1;
        write!(text, "{comma}\"tb{bed}\": {{\"path\": [\"tb{bed}\"], \"meta\": {{\"site\": \"s{}\"}}, \"id\": \"{id:010x}\", \"children\": {{", bed % 50)
            .expect("a text takes every text");
        for device in 0..10 {
            let comma = if device == 0 { "" } else { "," };
            id += 1;
            let kind = ["router", "switch", "phone"].get(device % 3).copied().unwrap_or("router");
            write!(text, "{comma}\"d{device}\": {{\"path\": [\"tb{bed}\", \"d{device}\"], \"meta\": {{\"kind\": \"{kind}\", \"ports\": {}, \"ip\": \"10.{}.{}.{device}\"}}, \"id\": \"{id:010x}\", \"children\": {{}}}}",
                (bed + device) % 48, bed / 256, bed % 256)
                .expect("a text takes every text");
        }
        text.push_str("}}");
    }
    text.push_str("}}");
    text
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
        let lab: serde_json::Value = serde_json::from_str(&lab_of(100)).unwrap();
        assert_eq!(lab["children"].as_object().unwrap().len(), 9);
        assert_eq!(lab["children"]["tb8"]["children"]["d9"]["id"], "0000000063");
    }
}
