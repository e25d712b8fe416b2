//! What operators see: `/healthz`, `/readyz` and `/status`.

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use http::{StatusCode, header};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Config, ledger::Ledger, limits::Limits};

/// What the operators' pages are made of.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The settings in force.
    pub config: Arc<Config>,
    /// What may be used.
    pub limits: Limits,
    /// What was used.
    pub ledger: Arc<Ledger>,
    /// Whether the gateway is going down.
    pub draining: CancellationToken,
}

/// The operators' pages.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/status", get(status))
        .with_state(admin)
}

async fn ready(State(admin): State<Admin>) -> (StatusCode, &'static str) {
    if admin.draining.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}

async fn status(State(admin): State<Admin>) -> ([(header::HeaderName, &'static str); 1], String) {
    let backends = admin.config.backend.iter().map(|backend| {
        json!({
            "id": backend.id,
            "dialect": backend.dialect.as_str(),
            "labels": backend.labels,
        })
    });
    let (used, refused) = admin.ledger.to_json();
    let status = json!({
        "draining": admin.draining.is_cancelled(),
        "backends": backends.collect::<Vec<_>>(),
        "limits": admin.limits.to_json(),
        "used": used,
        "refused": refused,
    });
    (
        [(header::CONTENT_TYPE, "application/json")],
        format!("{status:#}\n"),
    )
}
