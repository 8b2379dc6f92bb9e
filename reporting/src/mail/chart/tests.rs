use super::*;
use crate::chart::Axis;

pub(in crate::mail) fn chart(
    kind: ChartKind,
    labels: &[&str],
    series: &[(&str, &[Option<f64>])],
) -> ReportChart {
    let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
    let series =
        series.iter().map(|(name, values)| Series { name: (*name).to_owned(), values: values.to_vec() });
    let places = (0_u32..).map(f64::from).take(labels.len()).collect();
    let drawn = Chart {
        kind,
        axis: Axis::Names,
        axis_name: "run".to_owned(),
        labels,
        places,
        series: series.collect(),
        runs: Vec::new(),
    };
    ReportChart {
        title: "Rate & <co>".to_owned(),
        link: "http://lab/reports/Rate?f.Run=1".to_owned(),
        drawn: Ok(drawn),
        notices: vec!["more than 5000 rows".to_owned()],
    }
}

fn bars(view: &ChartView) -> Vec<(String, u32, String)> {
    let each = view.rows.iter().flat_map(|row| row.bars.iter().map(|bar| (row.label.clone(), bar)));
    each.map(|(label, bar)| (label, bar.width, bar.value.clone())).collect()
}

fn row(label: &str, width: u32, value: &str) -> (String, u32, String) {
    (label.to_owned(), width, value.to_owned())
}

#[test]
fn a_pie_is_bars_with_their_shares() {
    let view =
        ChartView::of(1, &chart(ChartKind::Pie, &["PASS", "FAIL"], &[("tests", &[Some(3.0), Some(1.0)])]));
    assert_eq!(bars(&view), [row("PASS", 180, "3 (75.0 %)"), row("FAIL", 60, "1 (25.0 %)")]);
    assert_eq!(view.rows[0].bars[0].colour, "#1a7f37", "verdicts have their colours");
    let nothing = ChartView::of(1, &chart(ChartKind::Pie, &["PASS"], &[("tests", &[Some(0.0)])]));
    assert_eq!(bars(&nothing), [row("PASS", 0, "0 (0.0 %)")]);
}

#[test]
fn bars_stand_beside_each_other_and_the_last_are_kept() {
    let values = [Some(2.0), None, Some(-1.0)];
    let view =
        ChartView::of(1, &chart(ChartKind::Bar, &["a", "b", "c"], &[("x", &values), ("y", &[Some(4.0); 3])]));
    let wanted = [
        row("a", 120, "2"),
        row("a", 240, "4"),
        row("b", 0, "none"),
        row("b", 240, "4"),
        row("c", 0, "-1"),
        row("c", 240, "4"),
    ];
    assert_eq!(bars(&view), wanted);
    assert_eq!(view.legend.len(), 2);
    let labels: Vec<String> = (0..100).map(|run| format!("run {run}")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let long = ChartView::of(1, &chart(ChartKind::Bar, &labels, &[("x", &[Some(1.0); 100])]));
    assert_eq!((long.more, long.rows.len(), &*long.rows[11].label), (88, 12, "run 99"));
}

#[test]
fn a_line_is_a_picture_with_its_ends_in_words() {
    let drawn = chart(ChartKind::Line, &["1", "2", "3"], &[("rate", &[Some(50.0), None, Some(100.0)])]);
    let view = ChartView::of(2, &drawn).picture.unwrap();
    assert_eq!(
        (&*view.name, &*view.low, &*view.high, &*view.first, &*view.last),
        ("chart2", "0", "100", "1", "3")
    );
    assert_eq!(view.told, "1: 50; 2: none; 3: 100");
    let picture = picture(2, &drawn).unwrap();
    assert!(picture.png.starts_with(b"\x89PNG") && picture.png.len() < 4_000, "{}", picture.png.len());
}

#[test]
fn a_line_goes_through_its_points_and_not_through_gaps() {
    let places = |values: &[Option<f64>]| {
        let drawn = chart(ChartKind::Line, &["1", "2", "3"], &[("rate", values)]).drawn.unwrap();
        super::places(&drawn, &drawn.series[0], 101, 101)
    };
    assert_eq!(places(&[Some(0.0), Some(5.0), Some(10.0)]), [Some((4, 4)), Some((50, 50)), Some((96, 96))]);
    assert_eq!(places(&[Some(9.0), None, Some(10.0)]), [Some((4, 4)), None, Some((96, 96))]);
    assert_eq!(places(&[Some(7.0); 3])[0], Some((4, 4)), "all the same is no division by nothing");
}

#[test]
fn what_has_no_room_is_counted_in_both_parts() {
    let mut values = [Some(1.0); 20];
    values[3] = Some(5.0);
    let labels: Vec<String> = (0..20).map(|run| format!("run {run}")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let series = ["a", "b", "c", "d", "e", "f"].map(|name| (name, &values[..]));
    let many = chart(ChartKind::Bar, &labels, &series);
    assert_eq!(ChartView::of(1, &many).notices, ["more than 5000 rows", "2 more columns are not shown"]);
    let counted = "  (8 more are left out)\n  (more than 5000 rows)\n  (2 more columns are not shown)\n";
    assert!(text(&many).ends_with(counted), "{}", text(&many));
    let parts = chart(ChartKind::Pie, &labels, &[("tests", &values)]);
    assert_eq!(bars(&ChartView::of(1, &parts))[0].0, "run 3");
    assert!(text(&parts).starts_with("Rate & <co>:\n  run 3: 5\n  run 0: 1\n"), "{}", text(&parts));
}

#[test]
fn what_cannot_be_drawn_is_said_in_both_parts() {
    let gone =
        ReportChart { drawn: Err("the database\nis away".to_owned()), ..chart(ChartKind::Bar, &["a"], &[]) };
    assert_eq!(ChartView::of(1, &gone).error.as_deref(), Some("the database is away"));
    assert_eq!(text(&gone), "Rate & <co>:\n  the database is away\n  (more than 5000 rows)\n");
    assert_eq!(picture(1, &gone), None);
}
