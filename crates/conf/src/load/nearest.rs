//! Proposals for names that are probably misspelt.

use crate::properties::properties;

/// Farthest distance that is still a proposal.
const DISTANCE_MAX: usize = 3;

/// Empty, or `; did you mean …` with the nearest known property.
pub(super) fn hint(name: &str) -> String {
    let nearest = properties()
        .map(|property| (distance(name, property.name), property.name))
        .min()
        .filter(|(distance, known)| *distance <= DISTANCE_MAX && *distance * 2 < known.len());
    nearest.map_or_else(String::new, |(_, known)| {
        format!("; did you mean `{known}`?")
    })
}

/// Number of insertions, deletions and replacements between two names.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_proposed() {
        assert_eq!(hint("prox_listen"), "; did you mean `proxy_listen`?");
        assert_eq!(
            hint("cluster_controlplane"),
            "; did you mean `cluster_control_plane`?"
        );
    }

    #[test]
    fn a_name_far_from_all_gets_no_proposal() {
        assert_eq!(hint("completely_different_thing"), "");
        assert_eq!(hint("x"), "");
    }
}
