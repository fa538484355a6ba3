//! `covermix recommend`: what to buy, with its proof, and the report for each reader.

use super::actions;
use crate::answer::{Answer, Failure, Result, Verdict};
use crate::console::Console;
use crate::inputs::{self, Demand, Terms};
use clap::Args;
use covermix::planning::Rights;
use covermix::planning::agreement::{Agreements, OfferedAgreement, OtherSpend};
use covermix::report::{Report, Settings, recommendation_table};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Recommend which commitments to buy, with a proven bound
///
/// Every hour of the usage counts, the plan is priced by the provider's own billing rules, and a proven
/// lower bound says how much better any other plan could be.
///
/// With --out the report is written: recommendation.json with every number, the same as .csv,
/// recommendation.html and .md for analysts, recommendation-memo.html for who signs,
/// recommendation-orders.html and .csv for who places the orders. Ctrl-C ends the search with the best plan so far.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  covermix recommend --usage usage.csv.gz --catalog prices.json.gz --out plan/
  covermix recommend --usage usage.csv.gz --catalog prices.json.gz --portfolio portfolio.json --policy policy.toml --out plan/
  covermix recommend --usage usage.csv.gz --catalog prices.json.gz --scenarios scenarios.toml --json | jq .purchases

Exit code 1 if no plan keeps the rules of the policy; the rules that clash are named."
)]
pub(crate) struct Recommend {
    #[command(flatten)]
    demand: Demand,
    #[command(flatten)]
    terms: Terms,
    /// Also exchange, sell, return or convert what is held, where the provider's rules allow it; FILE (JSON) has the assumptions.
    #[arg(long, value_name = "FILE", num_args = 0..=1, requires = "portfolio")]
    #[allow(clippy::option_option, reason = "absent, given alone, given with a file")]
    rights: Option<Option<PathBuf>>,
    /// Plan under the one agreement of a file (TOML or JSON; see `covermix negotiate`).
    #[arg(long, value_name = "FILE", conflicts_with = "rights")]
    agreement: Option<PathBuf>,
    /// The gap between billed cost and lower bound that is good enough, as a share: 0.0005 is 0.05 %.
    #[arg(long, default_value_t = 5e-4)]
    gap: f64,
    /// Seconds after which the best plan so far is returned.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    time_limit: u64,
    /// The cost of capital for net present values, effective a year.
    #[arg(long, value_name = "RATE", default_value_t = 0.08)]
    discount_rate: f64,
    /// The folder for the report; made if it is not there. Without it nothing is written.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Recommend {
    pub(crate) fn run(&self, console: &Console) -> Result<Answer> {
        console.say("reading usage and prices");
        let (usage, catalog) = self.demand.read(console)?;
        let given = self.terms.read(&usage, &catalog)?;
        let agreements = self.agreement.as_ref().map(Agreements::read).transpose()?;
        let agreement = agreements.as_ref().map(|agreements| self.only(agreements)).transpose()?;
        let mut planner = given.planner(&usage, &catalog);
        if let Some(file) = &self.rights {
            let assumptions = actions::assumptions(file.as_ref())?;
            planner = planner.rights(Rights { assumptions, ..Rights::default() });
        }
        let mut problem = planner.build()?;
        let mut signed = None;
        if let Some((offer, other)) = agreement {
            problem = problem.under(offer, other)?;
            signed = Some(offer.name.clone());
        }
        let plan = console.search(self.gap, Duration::from_secs(self.time_limit), |options| problem.solve(options))?;
        let was_interrupted = console.was_interrupted();
        let settings = Settings { discount_rate: self.discount_rate, ..Settings::default() };
        // Their evidence takes searches of its own: it comes after the plan is safe, and who pressed Ctrl-C wants the plan alone.
        let quick = Settings { coverage_levels: Vec::new(), price_limits: false, ..settings.clone() };
        let document = self.out.as_ref().map(|folder| folder.join("recommendation.json"));
        let mut report = Report::builder(&problem, &plan).settings(quick).build()?;
        let mut written = document.as_ref().map_or_else(|| Ok(Vec::new()), |path| report.write(path))?;
        if !was_interrupted {
            console.say("the plan is found; gathering the evidence for the report");
            report = Report::builder(&problem, &plan).settings(settings).build()?;
            written = document.as_ref().map_or_else(|| Ok(Vec::new()), |path| report.write(path))?;
        }
        let mut text = recommendation_table(&plan, &catalog);
        let mut document = report.json()?;
        actions::note_prices(&problem.repriced(&plan.solution().steps)?, catalog.currency(), &mut text);
        if let Some(name) = signed {
            let _ = writeln!(
                text,
                "\nThe month above is before the agreement {name}. After its discounts and shortfalls the plan costs {:.2} {} in all, expected; no plan costs less than {:.2}.",
                plan.objective(),
                catalog.currency(),
                plan.lower_bound(),
            );
            let signed = serde_json::json!({ "name": name, "cost": plan.objective(), "lower_bound": plan.lower_bound() });
            document["agreement"] = signed;
        }
        if self.rights.is_some() {
            let _ = writeln!(text, "\n{}", actions::table(&plan, &catalog));
            if let Some(folder) = &self.out {
                let orders = plan.orders(&problem, &actions::buyer(&given.portfolio))?;
                for name in ["orders.json", "orders.csv"] {
                    orders.write(folder.join(name))?;
                    written.push(folder.join(name));
                }
            }
        }
        if !written.is_empty() {
            let _ = write!(text, "\nThe report:");
            for path in &written {
                let _ = write!(text, "\n  {}", path.display());
            }
        }
        if was_interrupted {
            console.note("interrupted: this is the best plan so far");
        }
        let verdict = if was_interrupted { Verdict::Interrupted } else { Verdict::Done };
        Ok(Answer { text, document, verdict })
    }

    /// The one offer of the file, with spend beside the usage.
    fn only<'f>(&self, agreements: &'f Agreements) -> Result<(&'f OfferedAgreement, &'f [OtherSpend])> {
        match agreements.offers() {
            [offer] => Ok((offer, agreements.other_spend())),
            offers => {
                let file = self.agreement.as_deref().unwrap_or(Path::new("--agreement"));
                Err(Failure::wrong(
                    format!("{}: has {} offers, and a plan is made under one", file.display(), offers.len()),
                    "leave one in the file, or choose among them with covermix negotiate",
                ))
            }
        }
    }
}

/// Rebuild the pages of a report (HTML, Markdown, CSV) from its JSON document.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  covermix report plan/recommendation.json --out pages/")]
pub(crate) struct Pages {
    /// The document: recommendation.json.
    #[arg(value_name = "FILE")]
    plan: PathBuf,
    /// The folder to write to; made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

impl Pages {
    pub(crate) fn run(&self) -> Result<Answer> {
        let text = inputs::read_text(&self.plan)?;
        let report = Report::from_json(&text).map_err(|error| error.in_file(&self.plan))?;
        let name = self.plan.file_stem().unwrap_or_default();
        if name.is_empty() {
            return Err(Failure::wrong(
                format!("{} has no name", self.plan.display()),
                "give the path of a report's JSON document",
            ));
        }
        inputs::make_folder(&self.out)?;
        let written = report.write(self.out.join(name).with_extension("json"))?;
        let mut lines = String::from("The report:");
        for path in &written {
            let _ = write!(lines, "\n  {}", path.display());
        }
        let document = serde_json::json!({ "schema": "covermix-report-pages/1", "plan": self.plan, "written": written });
        Ok(Answer::done(lines, document))
    }
}
