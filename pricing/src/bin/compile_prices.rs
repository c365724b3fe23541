//! Compiles `sources/` into `data/prices.bin`, or with `--check` proves that the committed file is what they give.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use pricing::compile::{Sources, compile};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(root.join("sources").join(name)).map_err(|why| format!("{name}: {why}"));
    let (table, history, overlay) = (
        read("litellm_model_prices.json")?,
        read("price_history.json")?,
        read("overlay.json")?,
    );
    let compiled = compile(Sources {
        table: &table,
        history: Some(&history),
        overlay: &overlay,
    })?;
    let target = root.join("data/prices.bin");
    let options: Vec<String> = std::env::args().skip(1).collect();
    match options.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            for note in &compiled.notes {
                println!("{note}");
            }
            fs::write(&target, &compiled.bytes)?;
            println!("data/prices.bin: {} bytes", compiled.bytes.len());
        }
        ["--check"] if fs::read(&target)? == compiled.bytes => {
            println!("data/prices.bin is what the sources give")
        }
        ["--check"] => {
            eprintln!("data/prices.bin is not what the sources give: cargo run -p pricing --bin compile-prices");
            return Ok(ExitCode::FAILURE);
        }
        _ => {
            eprintln!("usage: compile-prices [--check]");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}
