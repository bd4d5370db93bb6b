//! The ladder of rooms: layer numbers in manifests against the real dependency graph.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Names each dependency from a room to one that is not below it, and each manifest without a
/// layer. Rooms of the layer `"dev"` (tests, tools) may use everything and are used by nobody
/// outside tests.
///
/// # Errors
///
/// Gives cargo's own message when the workspace cannot be read.
pub fn layer_violations() -> Result<Vec<String>, cargo_metadata::Error> {
    let metadata = workspace()?;
    let mut violations = Vec::new();
    for package in members(&metadata) {
        let Some(layer) = Layer::of(package) else {
            violations.push(format!("`{}` names no layer in its manifest", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let is_runtime = dependency.kind == DependencyKind::Normal;
            let other = members(&metadata).find(|other| *other.name == dependency.name);
            let Some(other) = other.filter(|_| is_runtime) else {
                continue;
            };
            if !layer.may_use(Layer::of(other)) {
                violations.push(format!(
                    "`{}` uses `{}`, which is not on a lower layer",
                    package.name, other.name
                ));
            }
        }
    }
    Ok(violations)
}

/// Names each crate of the workspace that does not inherit the workspace's lints.
///
/// # Errors
///
/// Gives cargo's own message when the workspace cannot be read.
pub fn rooms_without_lints() -> Result<Vec<String>, cargo_metadata::Error> {
    let metadata = workspace()?;
    let inherits = |package: &&Package| {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap_or_default();
        !manifest.contains("[lints]\nworkspace = true")
    };
    Ok(members(&metadata)
        .filter(inherits)
        .map(|package| package.name.to_string())
        .collect())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    Dev,
    Room(u64),
}

impl Layer {
    fn of(package: &Package) -> Option<Self> {
        let layer = package.metadata.get("layer")?;
        if layer == "dev" {
            Some(Self::Dev)
        } else {
            layer.as_u64().map(Self::Room)
        }
    }

    fn may_use(self, other: Option<Self>) -> bool {
        match (self, other) {
            (Self::Dev, _) => true,
            (Self::Room(own), Some(Self::Room(other))) => other < own,
            (Self::Room(_), _) => false,
        }
    }
}

fn workspace() -> Result<Metadata, cargo_metadata::Error> {
    MetadataCommand::new()
        .manifest_path(crate::root().join("Cargo.toml"))
        .no_deps()
        .exec()
}

fn members(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    metadata.packages.iter()
}
