//! Instructions and allocations, counted by valgrind: the same on a busy machine as on an idle one.

use std::process::{Command, Stdio};

use crate::{
    Options, Result,
    table::number,
    workload::{Behind, Work, Workload},
};

pub(crate) fn run(_: &Options) -> Result {
    println!("\ncounted by valgrind, for each call or chunk");
    let version = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !version.is_ok_and(|status| status.success()) {
        println!("  NOT RUN: there is no `valgrind` here");
        return Ok(());
    }
    println!(
        "  {:<20} {:>10} {:>10} {:>10}   allocations",
        "", "nothing", "layers", "limited"
    );
    for work in Work::ALL {
        let mut row = format!("  {:<20}", work.name());
        let mut allocated = Vec::new();
        for behind in Behind::ALL {
            let workload = Workload { work, behind };
            row.push_str(&format!(" {:>10}", number(each(workload, instructions)?)));
            allocated.push(format!("{:.2}", each(workload, allocations)?));
        }
        println!("{row}   {}", allocated.join(", "));
    }
    Ok(())
}

/// What one more costs: the start of the process is in both runs, and so in neither figure.
fn each(workload: Workload, count: fn(&str, usize) -> Result<u64>) -> Result<f64> {
    let (few, many) = (100, 1100);
    let name = workload.name();
    let (few_count, many_count) = (count(&name, few)?, count(&name, many)?);
    Ok((many_count as f64 - few_count as f64) / (many - few) as f64)
}

fn instructions(workload: &str, times: usize) -> Result<u64> {
    let tool = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    counted(&tool, workload, times, "Collected : ")
}

fn allocations(workload: &str, times: usize) -> Result<u64> {
    counted(
        &["--tool=memcheck", "--undef-value-errors=no"],
        workload,
        times,
        "total heap usage: ",
    )
}

fn counted(tool: &[&str], workload: &str, times: usize, label: &str) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(tool)
        .arg(std::env::current_exe()?)
        .args(["--workload", workload, &times.to_string()])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let after = said.split_once(label).map(|(_, after)| after);
    let word = after.and_then(|after| after.split_whitespace().next());
    let word = word.ok_or_else(|| format!("valgrind did not count:\n{said}"))?;
    Ok(word.replace(',', "").parse()?)
}
