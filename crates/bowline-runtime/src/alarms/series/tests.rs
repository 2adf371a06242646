//! Medians and spreads, by hand and against the plain definition.

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_usual_is_known_by_hand() {
    let table: [(&[f64], f64, f64, f64); 5] = [
        (&[4.0], 4.0, 0.0, 0.0),
        (&[1.0, 3.0], 2.0, 1.0, 1.0),
        (&[1.0, 2.0, 9.0], 2.0, 3.5, 0.5),
        (&[5.0, 5.0, 5.0, 5.0, 90.0], 5.0, 0.0, 0.0),
        (&[0.0, 1.0, 2.0, 3.0, 10.0], 2.0, 1.0, 1.0),
    ];
    for (figures, middle, above, below) in table {
        let of = |side| usual(figures, side).unwrap();
        assert_eq!(of(Side::Above).median, middle, "{figures:?}");
        assert_eq!(of(Side::Above).spread, MAD_SCALE * above, "{figures:?}");
        assert_eq!(of(Side::Below).spread, MAD_SCALE * below, "{figures:?}");
    }
    assert_eq!(usual(&[], Side::Above), None);
}

#[test]
fn old_samples_leave_by_number_and_by_age() {
    let mut series = Series::new(3, 100, 0);
    for (at_ms, figure) in [(0, 9.0), (10, 1.0), (20, 2.0), (30, 3.0)] {
        series.push(at_ms, figure);
    }
    assert_eq!((series.len(), series.since_ms()), (3, Some(10)));
    assert_eq!(series.usual(Side::Above).unwrap().median, 2.0);
    series.push(125, 7.0);
    assert_eq!((series.len(), series.since_ms()), (2, Some(30)));
    series.push(125, f64::NAN);
    assert_eq!(series.len(), 2);
}

#[test]
fn the_last_samples_are_no_part_of_what_is_usual_yet() {
    let mut series = Series::new(9, u64::MAX, 2);
    let table = [
        (1.0, None, None),
        (2.0, None, Some(1.5)),
        (9.0, Some(1.0), Some(5.5)),
        (9.0, Some(1.5), Some(9.0)),
    ];
    for (at_ms, (figure, usual, lately)) in (0..).zip(table) {
        series.push(at_ms, figure);
        let median = series.usual(Side::Above).map(|usual| usual.median);
        assert_eq!((median, series.lately()), (usual, lately), "after {figure}");
        assert_eq!(series.last(), Some(figure));
    }
}

proptest! {
    #[test]
    fn the_window_is_what_sorting_anew_gives(figures in prop::collection::vec(0_u8..20, 1..60)) {
        let mut series = Series::new(16, u64::MAX, 0);
        for (at, figure) in figures.iter().enumerate() {
            series.push(at as u64, f64::from(*figure));
            let from = (at + 1).saturating_sub(16);
            let mut last: Vec<f64> = figures[from..=at].iter().map(|it| f64::from(*it)).collect();
            last.sort_by(f64::total_cmp);
            prop_assert_eq!(&series.sorted, &last);
        }
    }
}
