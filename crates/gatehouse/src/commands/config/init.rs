//! `gatehouse config init`: a small example to start from.

use std::path::Path;

use crate::failure::Failure;
use crate::{files, output};

const EXAMPLE: &str = "\
# A declarative configuration. Check it with `gatehouse config parse kong.yml`; serve it with
#   KONG_DATABASE=off KONG_DECLARATIVE_CONFIG=kong.yml gatehouse node
# or give it to a control plane with `gatehouse config db_import kong.yml`.
_format_version: \"3.0\"

services:
- name: example
  url: http://127.0.0.1:9000
  routes:
  - name: example
    paths:
    - /example

# plugins:
# - name: key-auth

# consumers:
# - username: alice
#   keyauth_credentials:
#   - key: change-me
";

pub(super) fn run(file: &Path) -> Result<(), Failure> {
    files::write_new(file, files::PUBLIC, EXAMPLE)?;
    let name = file.display();
    output::print(&format!(
        "made `{name}`; check it with `gatehouse config parse {name}`"
    ));
    Ok(())
}
