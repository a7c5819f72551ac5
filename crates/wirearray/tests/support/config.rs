//! How many random cases run.

use proptest::prelude::ProptestConfig;

/// So many, a second or two of them, unless `PROPTEST_CASES` asks for more.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { cases };
    ProptestConfig { cases, ..default }
}
