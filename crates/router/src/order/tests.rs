use super::{Weights, computed_priority};

fn priority(attributes: u32, has_plain_hosts: bool, headers: u32, prefix_length: u32) -> u64 {
    computed_priority(Weights {
        attributes,
        has_plain_hosts,
        headers,
        regex_priority: None,
        prefix_length,
    })
}

fn pattern(attributes: u32, regex_priority: i64) -> u64 {
    computed_priority(Weights {
        attributes,
        regex_priority: Some(regex_priority),
        ..Weights::default()
    })
}

#[test]
fn priorities_are_those_of_the_reference() {
    assert_eq!(priority(1, true, 0, 0), 0x1000_0000_2000_0000);
    assert_eq!(priority(1, false, 0, 0), 0x2000_0000);
    assert_eq!(priority(2, false, 0, 3), 0x4000_0003);
    assert_eq!(pattern(1, 0), 0x0008_0000_2000_0000);
    assert_eq!(priority(2, true, 0, 3), 0x1000_0000_4000_0003);
    assert_eq!(priority(3, true, 0, 3), 0x1000_0000_6000_0003);
    assert_eq!(priority(2, false, 1, 3), 0x4010_0003);
    assert_eq!(priority(2, false, 2, 3), 0x4020_0003);
}

#[test]
fn overflow_wins_over_everything_and_loses_the_part_that_overflowed() {
    let top = 1 << 63;
    assert_eq!(priority(4, true, 1, 3), top | 1 << 60 | 1 << 20 | 3);
    assert_eq!(priority(5, true, 1, 3), priority(4, true, 1, 3));
    assert_eq!(priority(4, false, 1, 3), top);
    assert_eq!(pattern(1, 4096), top | 1 << 51 | 1 << 29);
    assert_eq!(pattern(1, -1), pattern(1, -5));
    assert_eq!(pattern(1, 8192), pattern(1, 0));
    assert_eq!(pattern(1, 1_048_576), pattern(1, 0));
    assert!(pattern(1, 4095) < pattern(1, 4096));
}

#[test]
fn header_count_is_capped() {
    assert_eq!(priority(2, false, 255, 1), priority(2, false, 300, 1));
}
