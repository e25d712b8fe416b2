//! Every version and kind of server comes to the same verdicts.

use ::redis::{
    cluster::ClusterClient,
    sentinel::{SentinelClient, SentinelServerType},
};

use super::{
    agreement::agree,
    server::{ALL, NEWEST, Server},
};

#[tokio::test]
#[ignore = "needs servers of Redis"]
async fn every_server_comes_to_the_same_verdicts() {
    for name in ALL {
        let server = Server::start(name, &[]).await;
        for seed in 100..103 {
            agree(server.connection().await, seed).await;
        }
    }
}

#[tokio::test]
#[ignore = "needs servers of Redis"]
async fn a_cluster_keeps_a_namespace_together() {
    let mut nodes = Vec::new();
    for slots in ["0 5000", "5001 10000", "10001 16383"] {
        let node = Server::start(NEWEST, &["--cluster-enabled", "yes"]).await;
        let (first, last) = slots.split_once(' ').unwrap();
        let () = node.ask(&["CLUSTER", "ADDSLOTSRANGE", first, last]).await;
        nodes.push(node);
    }
    for node in &nodes {
        let port = nodes[0].port.to_string();
        let () = node.ask(&["CLUSTER", "MEET", "127.0.0.1", &port]).await;
    }
    for node in &nodes {
        while !node
            .ask::<String>(&["CLUSTER", "INFO"])
            .await
            .contains("cluster_state:ok")
        {
            tokio::task::yield_now().await;
        }
    }
    let urls = nodes.iter().map(Server::url);
    let client = ClusterClient::new(urls).unwrap();
    // A namespace for each seed, each on a node of its own choice.
    for seed in 200..204 {
        agree(client.get_async_connection().await.unwrap(), seed).await;
    }
}

#[tokio::test]
#[ignore = "needs servers of Redis"]
async fn a_sentinel_tells_where_the_server_is() {
    let server = Server::start(NEWEST, &[]).await;
    let config = std::env::temp_dir().join(format!("aigw-sentinel-{}.conf", server.port));
    let text = format!("sentinel monitor main 127.0.0.1 {} 1\n", server.port);
    std::fs::write(&config, text).unwrap();
    let path = config.to_str().unwrap();
    let sentinel = Server::start(NEWEST, &[path, "--sentinel"]).await;
    let mut client = SentinelClient::build(
        vec![sentinel.url()],
        "main",
        None,
        SentinelServerType::Master,
    )
    .unwrap();
    agree(client.get_async_connection().await.unwrap(), 300).await;
    std::fs::remove_file(config).unwrap();
}

#[tokio::test]
#[ignore = "needs servers of Redis"]
async fn tls_and_a_user_who_may_do_no_more_than_is_needed() {
    // Fails only where another has been installed before, which will do as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = made.signing_key.serialize_pem();
    let server = Server::with_tls(&made.cert.pem(), &key).await;
    let mut user = vec!["ACL", "SETUSER", "limits", "on", ">hush", "resetkeys"];
    // Every namespace of these tests.
    user.extend(["~{test-*", "-@all"]);
    // As the module's documentation names them.
    user.extend([
        "+evalsha",
        "+script|load",
        "+time",
        "+get",
        "+mget",
        "+set",
        "+setrange",
        "+del",
    ]);
    user.extend(["+zadd", "+zcard", "+zrem", "+zremrangebyscore", "+pexpire"]);
    let () = server.ask(&user).await;
    let url = server.url().replace("//", "//limits:hush@");
    let client = server.client_at(&url);
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    agree(connection.clone(), 400).await;
    let other = ::redis::cmd("GET")
        .arg("other")
        .exec_async(&mut connection)
        .await;
    assert!(other.is_err());
}
