//! Which collections this dialect has, and where they stand. Only data.
//!
//! A kind that the catalogue does not know is not served: its paths answer 404, which clients
//! take for "not there in this release".

/// A collection at the top.
pub(super) struct Flat {
    pub(super) kind: &'static str,
    pub(super) access: Access,
}

/// What can be done with the entities of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everything.
    Full,
    /// Lists and single entities.
    Read,
    /// Lists alone.
    List,
}

/// A collection inside an entity.
pub(super) struct Nested {
    pub(super) parent: &'static str,
    /// Segments below the parent, separated by slashes.
    pub(super) path: &'static str,
    pub(super) kind: &'static str,
    /// The member of the child that refers to the parent.
    pub(super) field: &'static str,
}

/// Entities that belong to others without lying in them: both sides are addressed by a row
/// between them.
#[derive(Debug)]
pub(super) struct Membership {
    /// The kind whose entities have members.
    pub(super) owner: &'static str,
    /// The segment below an owner.
    pub(super) path: &'static str,
    /// The kind of the members.
    pub(super) member: &'static str,
    /// The rows between.
    pub(super) between: &'static str,
    /// The member of such a row that refers to the owner.
    pub(super) owner_field: &'static str,
    /// The member of such a row that refers to the member.
    pub(super) member_field: &'static str,
    /// The member of a body that names who is to be added.
    pub(super) body: &'static str,
}

const fn full(kind: &'static str) -> Flat {
    flat(kind, Access::Full)
}

const fn flat(kind: &'static str, access: Access) -> Flat {
    Flat { kind, access }
}

const fn nested(
    parent: &'static str,
    path: &'static str,
    kind: &'static str,
    field: &'static str,
) -> Nested {
    Nested {
        parent,
        path,
        kind,
        field,
    }
}

/// Compat: credentials and targets are written below their parents and only read here.
pub(super) const FLAT: &[Flat] = &[
    full("services"),
    full("routes"),
    full("plugins"),
    full("consumers"),
    full("consumer_groups"),
    full("upstreams"),
    flat("targets", Access::Read),
    full("certificates"),
    full("ca_certificates"),
    full("snis"),
    full("vaults"),
    full("key_sets"),
    full("keys"),
    full("partials"),
    full("filter_chains"),
    full("custom_plugins"),
    flat("acls", Access::Read),
    flat("basicauth_credentials", Access::Read),
    flat("hmacauth_credentials", Access::Read),
    flat("jwt_secrets", Access::Read),
    flat("keyauth_credentials", Access::Read),
    flat("mtls_auth_credentials", Access::Read),
    flat("degraphql_routes", Access::Read),
    flat("graphql_ratelimiting_cost_decorations", Access::Read),
];

pub(super) const NESTED: &[Nested] = &[
    nested("services", "routes", "routes", "service"),
    nested("services", "plugins", "plugins", "service"),
    nested(
        "services",
        "degraphql/routes",
        "degraphql_routes",
        "service",
    ),
    nested(
        "services",
        "graphql-rate-limiting-advanced/costs",
        "graphql_ratelimiting_cost_decorations",
        "service",
    ),
    nested("services", "filter-chains", "filter_chains", "service"),
    nested("routes", "plugins", "plugins", "route"),
    nested("routes", "filter-chains", "filter_chains", "route"),
    nested("consumers", "plugins", "plugins", "consumer"),
    nested("consumers", "acls", "acls", "consumer"),
    nested(
        "consumers",
        "basic-auth",
        "basicauth_credentials",
        "consumer",
    ),
    nested("consumers", "hmac-auth", "hmacauth_credentials", "consumer"),
    nested("consumers", "jwt", "jwt_secrets", "consumer"),
    nested("consumers", "key-auth", "keyauth_credentials", "consumer"),
    nested(
        "consumers",
        "mtls-auth",
        "mtls_auth_credentials",
        "consumer",
    ),
    nested("consumer_groups", "plugins", "plugins", "consumer_group"),
    nested("upstreams", "targets", "targets", "upstream"),
    nested("certificates", "snis", "snis", "certificate"),
    nested("key_sets", "keys", "keys", "set"),
];

pub(super) const MEMBERSHIPS: &[Membership] = &[
    Membership {
        owner: "consumer_groups",
        path: "consumers",
        member: "consumers",
        between: "consumer_group_consumers",
        owner_field: "consumer_group",
        member_field: "consumer",
        body: "consumer",
    },
    Membership {
        owner: "consumers",
        path: "consumer_groups",
        member: "consumer_groups",
        between: "consumer_group_consumers",
        owner_field: "consumer",
        member_field: "consumer_group",
        body: "group",
    },
];
