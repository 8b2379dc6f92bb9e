//! What needs mean, and what is said of those that cannot be met.

use serde_json::{Value, json};

use super::Needs;
use crate::{
    ResourceId, Tree,
    book::Choice,
    selector::{Selector, Sight},
};

fn lab() -> Tree {
    let mut tree = Tree::new();
    let nodes = [
        ("/", "tb1", json!({})),
        ("/", "tb2", json!({"site": "iasi"})),
        ("/tb1", "r1", json!({"kind": "router", "ports": 8, "site": "cluj"})),
        ("/tb1", "r2", json!({"kind": "router", "ports": 2, "site": "iasi"})),
        ("/tb2", "r3", json!({"kind": "router", "ports": 4})),
        ("/tb2", "r4", json!({"kind": "router", "ports": 4, "out_of_service": "PSU is dead"})),
        ("/tb2", "p1", json!({"kind": "phone"})),
        ("/tb2/r3", "m1", json!({"kind": "module"})),
    ];
    for (number, (parent, name, properties)) in (1..).zip(nodes) {
        let Value::Object(properties) = properties else { panic!() };
        tree.set(name, parent, properties.into_iter().collect(), ResourceId::from_number(number)).unwrap();
    }
    tree
}

fn fits(choice: &Choice) -> String {
    let paths = |places: &Vec<usize>| {
        let paths = places.iter().map(|place| choice.candidates[*place].spot.path.as_str());
        paths.collect::<Vec<_>>().join(" ")
    };
    let needs = choice.needs.iter().map(|need| {
        let all: Vec<_> =
            need.alternatives.iter().map(|one| format!("{} of {}", one.count, paths(&one.fits))).collect();
        format!("{}: {}", need.name, all.join(" else "))
    });
    needs.collect::<Vec<_>>().join("; ")
}

#[test]
fn needs_mean_what_a_person_reads() {
    let tree = lab();
    for (text, canonical, fit) in [
        ("kind=router", "kind=router", "router: 1 of /tb1/r1 /tb1/r2 /tb2/r3"),
        ("2x kind=router, ports >= 4", "2x kind=router, ports>=4", "router: 2 of /tb1/r1 /tb2/r3"),
        ("2 x ports>=4;", "2x ports>=4", "device: 2 of /tb1/r1 /tb2/r3"),
        (
            "dut: kind=router else 2x kind=phone",
            "dut: kind=router else 2x kind=phone",
            "dut: 1 of /tb1/r1 /tb1/r2 /tb2/r3 else 2 of /tb2/p1",
        ),
        (
            "a: kind=router\n ; b : kind=phone ;same bench, site",
            "a: kind=router; b: kind=phone; same bench, site",
            "a: 1 of /tb1/r1 /tb1/r2 /tb2/r3; b: 1 of /tb2/p1",
        ),
        // Where one lies in another, the inner one is meant.
        ("kind in (router, module)", "kind in (router, module)", "device: 1 of /tb1/r1 /tb1/r2 /tb2/r3/m1"),
        ("same=1 | kind=phone", "same=1 | kind=phone", "device: 1 of /tb2/p1"),
    ] {
        let needs = Needs::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(needs.to_string(), canonical);
        assert_eq!(Needs::parse(canonical).unwrap().to_string(), canonical);
        assert_eq!(fits(&needs.fit(&tree).unwrap()), fit, "{text}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_to_write() {
    let told = [
        "",
        ";",
        "same bench",
        "kind=router; same",
        "kind=router; same =",
        "0x kind=router",
        "65x kind=router",
        "40x kind=router; dut: 40x kind=phone",
        "kind=router else",
        "kind=router else else kind=phone",
        "2x",
        "kind=router; kind=router",
        "a-b: kind=router; A_b: kind=phone",
        "1st: kind=router",
        "dut: password=x",
        "kind=router or kind=phone",
        "kind=router and kind=phone",
        "kind=router same bench",
        "kind=router ×2",
        "2xkind=router",
        "2 kind=router",
        "x: 2",
        "/tb1/r1",
    ]
    .map(|text| format!("{text:40} {}", Needs::parse(text).unwrap_err()));
    insta::assert_snapshot!(told.join("\n"));
}

/// So many phones, `/p1` and on.
fn phones(count: u64) -> Tree {
    let mut tree = Tree::new();
    for number in 1..=count {
        let properties = [("kind".to_owned(), json!("phone"))].into();
        tree.set(&format!("p{number}"), "/", properties, ResourceId::from_number(number)).unwrap();
    }
    tree
}

#[test]
fn of_many_that_are_too_few_some_are_named_and_the_rest_counted() {
    let tree = phones(7);
    let told = Needs::parse("8x kind=phone").unwrap().fit_ever(&tree).unwrap_err().to_string();
    assert!(told.ends_with("only /p1, /p2, /p3, /p4, /p5 and 2 more fit"), "{told}");
}

#[test]
fn of_hundreds_of_sets_of_alternatives_the_one_that_can_be_had_is_found() {
    let mut tree = phones(9);
    let router = [("kind".to_owned(), json!("router"))].into();
    tree.set("r1", "/", router, ResourceId::from_number(10)).unwrap();
    // All but one of ten have to be content with a phone, and which has the router is not told by looking at two of them.
    let need = |number: u32| format!("n{number}: kind=router else kind=phone");
    let ten: Vec<String> = (1..=10).map(need).collect();
    let choice = Needs::parse(&ten.join("; ")).unwrap().fit_ever(&tree).unwrap();
    assert!(choice.can_be_met());
    let eleven = format!("{}; n11: kind=router else kind=phone", ten.join("; "));
    let told = Needs::parse(&eleven).unwrap().fit_ever(&tree).unwrap_err().to_string();
    assert!(told.contains("the same resource would have to be given twice"), "{told}");
    // Six things with eight alternatives each, of which only the last is there: a quarter of a million sets.
    let six = |number: u32| {
        let missing: Vec<String> = (0..7).map(|kind| format!("kind=none{kind}")).collect();
        format!("n{number}: {} else kind=phone", missing.join(" else "))
    };
    let six: Vec<String> = (1..=6).map(six).collect();
    assert!(Needs::parse(&six.join("; ")).unwrap().fit_ever(&tree).is_ok());
}

#[test]
fn a_check_is_given_what_it_checks_and_what_it_needs_beside() {
    let own = Needs::parse("device: kind=router; load: kind=phone; same bench").unwrap();
    let device = ResourceId::from_number(0x1e3670);
    assert_eq!(
        Needs::of_check(Some(&own), &device).to_string(),
        "device: id=\"00001e3670\"; load: kind=phone; same bench"
    );
    assert_eq!(Needs::of_check(None, &device).to_string(), "device: id=\"00001e3670\"");
}

#[test]
fn what_is_the_same_is_no_secret() {
    for text in ["2x kind=router; same password", "kind=router; same bench, 'snmp community'"] {
        let told = Needs::parse(text).unwrap_err().to_string();
        assert!(told.contains("that of a secret"), "{told}");
    }
}

#[test]
fn out_of_service_is_what_the_selector_of_that_name_finds() {
    let mut tree = lab();
    for (said, is_out) in [
        (json!("off"), false),
        (json!("No "), false),
        (json!([]), false),
        (json!(1), true),
        (json!("PSU is dead"), true),
    ] {
        let properties = [("out_of_service".to_owned(), said.clone())].into();
        let id = tree.set("r1", "/tb1", properties, ResourceId::root()).unwrap().id;
        assert_eq!(tree.out_of_service(&id).is_some(), is_out, "{said}");
        let selector = Selector::parse("out_of_service, name=r1").unwrap();
        let found = tree.select(&selector, Sight::Open, &ResourceId::root(), None, 9).unwrap();
        assert_eq!(found.nodes.contains(&id), is_out, "{said}");
    }
}

#[test]
fn what_the_lab_can_never_give_is_told_with_the_clause_that_fails() {
    let tree = lab();
    let told = [
        "kind=ruter",
        "kind=router, ports>=48",
        "4x kind=router",
        "2x kind=phone else 9x kind=router",
        "kind=router, ports=4, name=r4",
        "kind=router; phone: kind=phone; same rack",
        "a: 2x kind=router; b: kind=phone; same bench",
        "a: 2x kind=router; b: 2x kind=router",
        "a: kind=router; m: kind=module; b: 2x kind=router",
    ]
    .map(|text| format!("{text}\n  {}", Needs::parse(text).unwrap().fit_ever(&tree).unwrap_err()));
    insta::assert_snapshot!(told.join("\n"));
    for text in [
        "3x kind=router",
        "kind=router; phone: kind=phone; same bench",
        "a: kind=router; b: kind=router; same site",
    ] {
        Needs::parse(text).unwrap().fit_ever(&tree).unwrap();
    }
}
