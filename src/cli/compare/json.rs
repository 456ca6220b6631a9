//! A comparison as JSON. What is not known is null; numbers as in `summary_json`.

use serde_json::{Map, Value, json};

use super::Report;
use crate::cli::summary_json::number;
use traintop_analysis::compare::configs::side_by_side;
use traintop_analysis::compare::settings::{Relation, limits, relevance};
use traintop_analysis::compare::{Aggregate, Metric, Row, Verdict};
use traintop_analysis::scale::Scale;

pub fn of(report: &Report) -> Value {
    let compared = report.compared;
    let rows = compared.rows.iter().enumerate();
    let rows: Vec<Value> = rows
        .map(|(at, row)| row_json(report, row, at == compared.baseline))
        .collect();
    let known = report.best.iter().flatten().count();
    let relations = relevance(report.runs, report.best);
    json!({
        "metric": metric(&compared.metric),
        "at_epoch": optional(compared.at_epoch),
        "threshold": optional(compared.threshold),
        "rows": rows,
        "noise": compared.noise.map(|noise| json!({
            "sigma": number(noise.sigma),
            "degrees_of_freedom": noise.degrees,
            "recipes": noise.recipes,
            "runs": noise.runs,
        })),
        "best": compared.best_of.map(|best| json!({
            "row": best.row,
            "of": best.n,
            "flattery": optional(best.flattery),
        })),
        "config": config(report),
        "settings": relations.iter().map(setting).collect::<Vec<_>>(),
        "settings_limits": limits(known, relations.len()),
    })
}

pub fn metric(metric: &Metric) -> Value {
    let is_percent = metric.scale == Scale::Percent;
    json!({
        "name": metric.name,
        "better": metric.better.word(),
        "better_is_guess": metric.guessed,
        "unit": is_percent.then_some("percent"),
    })
}

fn row_json(report: &Report, row: &Row, is_baseline: bool) -> Value {
    let runs: Vec<Value> = row
        .members
        .iter()
        .map(|run| {
            let summary = &report.runs[*run].summary;
            json!({
                "path": summary.dir.path().to_string_lossy(),
                "id": summary.id,
                "name": summary.name,
                "state": summary.observed.state,
                "best": optional(report.best[*run]),
            })
        })
        .collect();
    let reached = row.reached.map(|reached| {
        json!({
            "runs": reached.n,
            "epoch": optional(reached.epoch),
            "elapsed_s": optional(reached.elapsed_s),
        })
    });
    json!({
        "runs": runs,
        "counted": row.counted,
        "is_baseline": is_baseline,
        "best": aggregate(row.best),
        "best_epoch": optional(row.best_epoch),
        "last": aggregate(row.last),
        "at_epoch": aggregate(row.at),
        "reached": reached,
        "epochs": optional(row.epochs),
        "seconds_per_epoch": optional(row.seconds_per_epoch),
        "elapsed_s": optional(row.elapsed_s),
        "difference": row.difference.map(verdict),
        "difference_at_epoch": row.difference_at.map(verdict),
    })
}

fn verdict(verdict: Verdict) -> Value {
    json!({
        "value": number(verdict.difference),
        "sigmas": optional(verdict.sigmas),
        "p": optional(verdict.chance),
        "distinguishable": verdict.is_distinguishable(),
        "n": verdict.n.0,
        "n_baseline": verdict.n.1,
    })
}

fn aggregate(aggregate: Option<Aggregate>) -> Value {
    aggregate.map_or(Value::Null, |aggregate| {
        json!({
            "n": aggregate.n,
            "mean": number(aggregate.mean),
            "deviation": optional(aggregate.deviation),
            "min": number(aggregate.min),
            "max": number(aggregate.max),
        })
    })
}

/// The settings that differ, each with the value of every row's first run.
fn config(report: &Report) -> Value {
    let rows = report.compared.rows.iter();
    let firsts: Vec<_> = rows.map(|row| report.runs[row.members[0]]).collect();
    let differing = side_by_side(&firsts);
    let differing = differing.into_iter().filter(|setting| setting.differs);
    let map: Map<String, Value> = differing
        .map(|setting| (setting.key, json!(setting.values)))
        .collect();
    Value::Object(map)
}

fn setting(relevance: &traintop_analysis::compare::settings::Relevance) -> Value {
    let relation = match relevance.relation {
        Relation::Rank(rank) => json!({
            "kind": "rank correlation",
            "rho": number(rank.rho),
            "p": number(rank.chance),
        }),
        Relation::Spread { between, within } => json!({
            "kind": "spread",
            "between": number(between),
            "within": optional(within),
        }),
    };
    let by_value: Map<String, Value> = relevance
        .by_value
        .iter()
        .map(|(value, of)| (value.clone(), aggregate(Some(*of))))
        .collect();
    json!({
        "key": relevance.key,
        "n": relevance.n,
        "relation": relation,
        "by_value": by_value,
        "changes_together_with": relevance.together_with,
    })
}

fn optional(value: Option<f64>) -> Value {
    value.map_or(Value::Null, number)
}
