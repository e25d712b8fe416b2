//! Which backend a call comes to, and what it is told where it comes to none.
#![cfg(feature = "routing")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::convert::Infallible;

use aigw_backends::routing::{ConfigError, Reply, Route, Routed, Router, RouterLayer, Table};
use aigw_core::{
    call::{CallBody, CallLayer, HasCall},
    dialect::Operation,
    reject::{Reason, Refused},
};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt, service_fn, util::BoxCloneService};

type Backend = BoxCloneService<Request<CallBody<Full<Bytes>>>, Response<Full<Bytes>>, Infallible>;

/// Answers with its name, the model it is sent, and the route in the record.
fn backend(name: &'static str) -> Backend {
    BoxCloneService::new(service_fn(
        move |request: Request<CallBody<Full<Bytes>>>| async move {
            let routed = request.body().call().record().latest::<Routed>().unwrap();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let body = String::from_utf8_lossy(&body);
            let told = format!("{name} {} {} {body}", routed.route, routed.backend);
            Ok(Response::new(Full::from(told)))
        },
    ))
}

fn table() -> Table<&'static str> {
    let reply = Reply::new(
        StatusCode::BAD_REQUEST,
        "OperationNotSupported",
        "images are not offered here",
    );
    Table::try_new([
        Route::to("east")
            .model("gpt-4o")
            .model("gpt-4o-mini")
            .operation(Operation::Chat),
        Route::to("west").model("gpt-4-turbo").alias("gpt-4o"),
        Route::to("west").model("text-embedding-3-*"),
        Route::to("west")
            .model("whisper-*")
            .operation(Operation::Transcription),
        Route::reply(reply).operation(Operation::Images),
    ])
    .unwrap()
}

async fn ask(request: Request<&'static str>) -> Response<String> {
    let backends = ["east", "west"].map(|name| (name, backend(name)));
    let router = Router::try_new(table(), backends).unwrap();
    let request = request.map(Full::<Bytes>::from);
    let stack = CallLayer::new().layer(router);
    let (head, body) = stack.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(head, String::from_utf8(body.into()).unwrap())
}

async fn post(path: &str, body: &'static str) -> Response<String> {
    ask(Request::post(path).body(body).unwrap()).await
}

fn reason<B>(answer: &Response<B>) -> Option<Reason> {
    Refused::of(answer.extensions()).map(|refused| refused.reason)
}

#[tokio::test]
async fn a_call_comes_to_the_backend_of_its_model() {
    let answer = post("/v1/chat/completions", r#"{"model":"gpt-4o-mini"}"#).await;
    assert_eq!(answer.body(), r#"east 0 east {"model":"gpt-4o-mini"}"#);
    let answer = post("/v1/embeddings", r#"{"model":"text-embedding-3-small"}"#).await;
    assert!(answer.body().starts_with("west 2 west"));
}

#[tokio::test]
async fn a_deployment_in_the_path_is_a_model_too() {
    let path = "/openai/deployments/gpt-4o/chat/completions?api-version=1";
    let answer = post(path, r#"{"messages":[]}"#).await;
    assert!(answer.body().starts_with("east 0"), "{}", answer.body());
}

#[tokio::test]
async fn an_alias_changes_what_the_backend_sees() {
    let answer = post("/v1/chat/completions", r#"{"model":"gpt-4-turbo"}"#).await;
    assert_eq!(answer.body(), r#"west 1 west {"model":"gpt-4o"}"#);
}

/// A transport that believed it would send a part of the body, or wait for more.
#[tokio::test]
async fn an_alias_takes_out_the_length_that_the_caller_announced() {
    let table = Table::try_new([Route::to("only").alias("gpt-4o")]).unwrap();
    let provider = service_fn(async |request: Request<CallBody<Full<Bytes>>>| {
        assert!(!request.headers().contains_key("content-length"));
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let stack = CallLayer::new().layer(RouterLayer::new(table).layer(provider));
    let request = Request::post("/v1/chat/completions").header("content-length", 13);
    let body = Full::<Bytes>::from(r#"{"model":"m"}"#);
    stack.oneshot(request.body(body).unwrap()).await.unwrap();
}

#[tokio::test]
async fn an_alias_puts_nothing_into_a_call_without_a_body() {
    let table = Table::try_new([Route::to("east").alias("gpt-4o")]).unwrap();
    let stack = CallLayer::new().layer(RouterLayer::new(table).layer(backend("only")));
    let request = Request::get("/v1/models").body(Full::<Bytes>::default());
    let answer = stack.oneshot(request.unwrap()).await.unwrap();
    let told = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(told, "only 0 east ");
}

#[tokio::test]
async fn an_unknown_model_is_a_404() {
    let answer = post("/v1/chat/completions", r#"{"model":"o3"}"#).await;
    assert_eq!(answer.status(), 404);
    assert_eq!(reason(&answer), Some(Reason::UnknownModel));
    assert!(answer.body().contains("model_not_found") && answer.body().contains("`o3`"));
}

#[tokio::test]
async fn an_operation_without_a_route_is_a_400_in_the_caller_s_spelling() {
    let answer = ask(Request::get("/v1/files").body("").unwrap()).await;
    assert_eq!(answer.status(), 400);
    assert!(answer.body().contains(r#""operation_not_supported""#));
    let answer = ask(Request::get("/openai/files?api-version=1")
        .body("")
        .unwrap())
    .await;
    assert_eq!(answer.status(), 400);
    assert!(answer.body().contains(r#""OperationNotSupported""#));
}

#[tokio::test]
async fn an_upload_that_names_its_model_behind_the_file_is_told_where_it_belongs() {
    let upload = |path, form| {
        let request = Request::post(path);
        let request = request.header("content-type", "multipart/form-data; boundary=X");
        ask(request.body(form).unwrap())
    };
    let path = "/v1/audio/transcriptions";
    let answer = upload(path, MODEL_FIRST).await;
    assert!(answer.body().starts_with("west 3 west"), "{answer:?}");

    let answer = upload(path, FILE_FIRST).await;
    assert_eq!(answer.status(), 400);
    assert_eq!(reason(&answer), Some(Reason::MissingModel));
    let told = answer.body();
    assert!(
        told.contains("put the field `model` into its form, before the first file"),
        "{told}"
    );
    assert!(told.contains(r#""missing_required_parameter""#), "{told}");

    let path = "/openai/deployments/whisper-1/audio/transcriptions?api-version=1";
    let answer = upload(path, FILE_FIRST).await;
    assert!(answer.body().starts_with("west 3 west"), "{answer:?}");
}

const MODEL_FIRST: &str = "--X\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
    --X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nRIFF\r\n--X--\r\n";
const FILE_FIRST: &str = "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nRIFF\r\n\
    --X\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--X--\r\n";

#[tokio::test]
async fn a_known_path_with_the_wrong_method_is_a_405_that_names_the_right_one() {
    let request = Request::put("/v1/chat/completions").body("").unwrap();
    let answer = ask(request).await;
    assert_eq!(answer.status(), 405);
    assert_eq!(answer.headers()["allow"], "POST");
}

#[tokio::test]
async fn a_made_up_deployment_opens_nothing_behind_a_route_for_its_model() {
    for path in ["files", "files/f/content", "deployments/e", "responses/r"] {
        let path = format!("/openai/deployments/gpt-4-turbo/{path}");
        let answer = ask(Request::get(&path).body("").unwrap()).await;
        assert_eq!(answer.status(), 400, "{path}");
    }
}

#[tokio::test]
async fn a_reply_is_given_without_a_backend() {
    let answer = post("/v1/images/generations", r#"{"prompt":"a cat"}"#).await;
    assert_eq!(answer.status(), 400);
    assert!(answer.body().contains("images are not offered here"));
    assert!(answer.body().contains("OperationNotSupported"));
}

#[tokio::test]
async fn a_reply_that_a_later_try_may_change_does_not_forbid_one() {
    let closed = Reply::new(StatusCode::SERVICE_UNAVAILABLE, "closed", "back at nine");
    let table = Table::try_new([Route::reply(closed)]).unwrap();
    let router = Router::try_new(table, [("east", backend("east"))]).unwrap();
    let body = Full::<Bytes>::from(r#"{"model":"m"}"#);
    let request = Request::post("/v1/chat/completions").body(body).unwrap();
    let answer = CallLayer::new()
        .layer(router)
        .oneshot(request)
        .await
        .unwrap();
    let refused = Refused::of(answer.extensions()).unwrap();
    assert_eq!(refused.reason, Reason::Configured(answer.status()));
    assert_eq!(answer.status(), 503);
    assert!(!answer.headers().contains_key("x-should-retry"));
}

#[tokio::test]
async fn a_layer_routes_to_the_one_service_beneath() {
    let stack = CallLayer::new().layer(RouterLayer::new(table()).layer(backend("only")));
    let body = Full::<Bytes>::from(r#"{"model":"gpt-4-turbo"}"#);
    let request = Request::post("/v1/chat/completions").body(body).unwrap();
    let answer = stack.oneshot(request).await.unwrap();
    let told = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(told, r#"only 1 west {"model":"gpt-4o"}"#);
}

#[test]
fn a_route_without_its_backend_is_an_error_at_once() {
    let refused = Router::try_new(table(), [("east", backend("east"))]);
    assert!(matches!(
        refused.unwrap_err(),
        ConfigError::UnknownBackend { route: 1, .. }
    ));
}

#[test]
fn two_backends_of_one_name_are_an_error() {
    let twice = [("east", backend("east")), ("east", backend("west"))];
    let refused = Router::try_new(Table::try_new([Route::to("east")]).unwrap(), twice);
    let error = refused.unwrap_err();
    assert!(matches!(error, ConfigError::DuplicateBackend { .. }));
    assert_eq!(error.to_string(), "duplicate backend `east`");
}

#[test]
fn an_alias_that_nobody_can_be_asked_for_is_an_error() {
    let reply = Reply::new(StatusCode::FORBIDDEN, "closed", "no");
    for route in [Route::reply(reply).alias("m"), Route::to("east").alias("")] {
        let error = Table::try_new([Route::to("east"), route]).unwrap_err();
        assert!(matches!(error, ConfigError::Alias { .. }));
        assert_eq!(error.route(), Some(1));
    }
}

#[tokio::test]
async fn a_backend_that_is_not_ready_is_waited_for() {
    let limited = tower::limit::ConcurrencyLimit::new(backend("east"), 1);
    let table = Table::try_new([Route::to("east")]).unwrap();
    let mut router = CallLayer::new().layer(Router::try_new(table, [("east", limited)]).unwrap());
    let chat = || {
        let body = Full::<Bytes>::from(r#"{"model":"m"}"#);
        Request::post("/v1/chat/completions").body(body).unwrap()
    };
    let first = router.ready().await.unwrap().call(chat());
    let second = router.ready().await.unwrap().call(chat());
    assert!(first.await.unwrap().status().is_success());
    assert!(second.await.unwrap().status().is_success());
}

#[cfg(feature = "serde")]
mod file {
    use aigw_backends::routing::{ConfigError, Decision, RouteConfig, RoutingConfig, Table};
    use aigw_core::dialect::Target;
    use http::{HeaderMap, Method, Uri};
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct File {
        routing: RoutingConfig,
        route: Vec<RouteConfig>,
    }

    fn table(file: &str) -> Result<Table<String>, ConfigError> {
        let file: File = toml::from_str(file).unwrap();
        let _ = file.routing.default;
        let all = ["ptu".to_owned(), "payg".to_owned()];
        let routes = file.route.iter().enumerate();
        let routes: Result<Vec<_>, _> = routes.map(|(at, route)| route.resolve(at, &all)).collect();
        Table::try_new(routes?)
    }

    const FILE: &str = r#"
        [routing]
        default = "deny"

        [[route]]
        model = ["gpt-4o", "gpt-4o-mini"]
        operation = ["chat", "responses"]
        backends = ["ptu"]

        [[route]]
        model = ["gpt-4-turbo"]
        alias = "gpt-4o"
        backends = ["payg"]

        [[route]]
        operation = ["images"]
        reply = { status = 400, code = "OperationNotSupported", message = "not here" }
    "#;

    #[test]
    fn routes_are_read_from_a_file() {
        let table = table(FILE).unwrap();
        let path = Uri::from_static("/v1/chat/completions");
        let chat = Target::recognize(&Method::POST, &path, &HeaderMap::new());
        let Decision::Send { to, alias, .. } = table.choose(&chat, Some("gpt-4-turbo")) else {
            panic!("no route");
        };
        assert_eq!((to.as_str(), alias), ("payg", Some("gpt-4o")));
    }

    #[test]
    fn a_route_that_cannot_take_effect_is_an_error() {
        let with = |route: &str| table(&format!("routing = {{}}\n[[route]]\n{route}"));
        assert!(matches!(
            with("backends = [\"other\"]").unwrap_err(),
            ConfigError::UnknownBackend { route: 0, .. }
        ));
        assert!(matches!(
            with("model = [\"m\"]").unwrap_err(),
            ConfigError::Ambiguous { route: 0, .. }
        ));
        let reply = "reply = { status = 400, code = \"c\", message = \"m\" }";
        assert!(matches!(
            with(&format!("backends = [\"ptu\"]\n{reply}")).unwrap_err(),
            ConfigError::Ambiguous { route: 0, .. }
        ));
    }

    #[test]
    fn unknown_keys_and_words_are_refused() {
        for route in [
            "colour = \"red\"",
            "operation = [\"chatting\"]",
            "reply = { status = 400, code = \"c\", message = \"m\", more = 1 }",
            "reply = { status = 9999, code = \"c\", message = \"m\" }",
        ] {
            assert!(toml::from_str::<RouteConfig>(route).is_err(), "{route}");
        }
    }
}
