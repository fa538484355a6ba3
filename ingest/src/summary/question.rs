//! What the engine is asked for: which columns tell rows apart, which conditions a class is made of beside them, and what is added up.

use crate::keys::{Keys, Layout, class_of, key_of, slot_of};
use crate::mapping::Mapping;
use crate::options::Meter;
use chrono::{Datelike, Offset, TimeZone};
use chrono_tz::Tz;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn::{count, max, min, sum};
use datafusion::logical_expr::{Expr, ExprSchemable, Operator, lit};
use datafusion::prelude::{SessionContext, ident};
use std::collections::HashSet;
use std::sync::Arc;

/// The seconds of an hour.
const HOUR: i64 = 3600;

/// What to ask the engine for.
pub(super) struct Question {
    pub(super) layout: Layout,
    /// The columns of the layout.
    columns: Vec<Expr>,
    /// The class, of the columns of the layout.
    pub(super) class: Expr,
    /// The seconds to add up by.
    pub(super) step: i64,
}

impl Question {
    pub(super) fn new(mapping: &Mapping, context: &SessionContext, tags: usize, zone: Tz) -> Result<Self, DataFusionError> {
        let fields: Vec<Field> =
            mapping.columns.iter().map(|column| Field::new(column.name, column.kind.data_type(), true)).collect();
        let schema = DFSchema::try_from(Schema::new(fields))?;
        let parse = |sql: &str| context.parse_sql_expr(sql, &schema);
        let mut words: HashSet<String> = HashSet::new();
        for word in mapping.words {
            words.extend(parse(mapping.word(word))?.column_refs().into_iter().map(|column| column.name.clone()));
        }
        let mut conditions = Vec::new();
        let class = lift(parse(&(mapping.class)())?, &words, &schema, &mut conditions)?;
        let words = mapping.columns.iter().map(|column| column.name).filter(|name| words.contains(*name));
        let mut texts: Vec<String> = words.map(str::to_owned).collect();
        let mut columns: Vec<Expr> = texts.iter().map(ident).collect();
        texts.push("currency".into());
        columns.push(parse(mapping.field("currency"))?);
        for index in 0..tags {
            texts.push(format!("tag_{index}"));
            columns.push(ident(format!("tag_{index}")));
        }
        columns.extend([parse(mapping.field("billing_month"))?, ident("file")]);
        let numbers = vec!["billing_month".into(), "file".into()];
        let flags = (0..conditions.len()).map(flag_name).collect();
        columns.extend(conditions);
        Ok(Self { layout: Layout { texts, numbers, flags }, columns, class, step: step(zone) })
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.layout.texts.iter().chain(&self.layout.numbers).chain(&self.layout.flags)
    }

    /// The slots of a file's rows and what is added up.
    pub(super) fn numbered(
        &self,
        frame: DataFrame,
        keys: &Arc<Keys>,
        meter: Option<Meter>,
        mapping: &Mapping,
    ) -> Result<DataFrame, DataFusionError> {
        let frame = frame.with_column("row_key", key_of(keys, meter, self.columns.clone()))?;
        let frame = frame.with_column("class", class_of(keys, ident("row_key")))?;
        let frame = fields(frame, mapping, vec![ident("row_key")])?;
        let slot = slot_of(keys, ["row_key", "start", "finish", "list", "quantity"].map(ident).to_vec());
        frame.select(summands(vec![slot.alias("slot")]))
    }

    /// The columns themselves of a file's rows and what is added up.
    pub(super) fn plain(&self, frame: DataFrame, mapping: &Mapping) -> Result<DataFrame, DataFusionError> {
        let class = frame.parse_sql_expr(&(mapping.class)())?;
        let frame = frame.with_column("class", class)?;
        let columns = self.names().zip(&self.columns).map(|(name, column)| column.clone().alias(format!("key_{name}")));
        let is_usage = frame.parse_sql_expr(&mapping.is_usage())?.alias("is_usage");
        let frame = fields(frame, mapping, columns.chain([is_usage]).collect())?;
        let is_span = format!("finish > start - start % {HOUR} + {HOUR} OR finish < start");
        let step = self.step;
        let times = [
            (format!("CASE WHEN NOT is_usage THEN NULL WHEN {is_span} THEN start ELSE start - start % {step} END"), "since"),
            (format!("CASE WHEN is_usage AND ({is_span}) THEN finish END"), "until"),
            ("CAST(CASE WHEN COALESCE(list, 0) = 0 THEN 0 ELSE 1 END AS DECIMAL(38, 0))".into(), "listed"),
            ("CAST(CASE WHEN quantity > 0 THEN 1 ELSE 0 END AS DECIMAL(38, 0))".into(), "positive"),
        ];
        let times = times.iter().map(|(sql, name)| Ok(frame.parse_sql_expr(sql)?.alias(*name)));
        let times = times.collect::<Result<Vec<_>, DataFusionError>>()?;
        let keys = self.names().map(|name| ident(format!("key_{name}")).alias(name));
        frame.select(summands(keys.chain(times).collect()))
    }
}

/// The common fields that are added up, beside some columns.
fn fields(frame: DataFrame, mapping: &Mapping, mut columns: Vec<Expr>) -> Result<DataFrame, DataFusionError> {
    for name in ["start", "finish", "quantity", "cost", "effective", "list", "contracted", "price"] {
        columns.push(frame.parse_sql_expr(mapping.field(name))?.alias(name));
    }
    columns.push(ident("bad"));
    frame.select(columns)
}

fn summands(mut columns: Vec<Expr>) -> Vec<Expr> {
    columns.extend(["quantity", "cost", "effective", "list", "contracted", "price"].map(ident));
    let is_faulty = ident("bad").eq(lit(1i64)).or(ident("cost").is_null());
    columns.push(is_faulty.alias("is_faulty"));
    columns
}

/// Sums of each group.
pub(super) fn aggregated(frame: DataFrame, question: &Question, is_own: bool) -> Result<DataFrame, DataFusionError> {
    let groups = if is_own {
        vec![ident("slot")]
    } else {
        question.names().map(ident).chain(["since", "until", "listed", "positive"].map(ident)).collect()
    };
    let faults = datafusion::logical_expr::when(ident("is_faulty"), lit(1i64)).otherwise(lit(0i64))?;
    let mut sums = vec![count(lit(1i64)).alias("lines"), sum(faults).alias("faults")];
    sums.extend(["quantity", "cost", "effective", "list", "contracted"].map(|name| sum(ident(name)).alias(name)));
    sums.extend([max(ident("price")).alias("price"), min(ident("price")).alias("lowest_price")]);
    frame.aggregate(groups, sums)
}

/// A class's expression whose conditions on other columns than words are names of flags; the conditions are added to a list.
fn lift(
    expression: Expr,
    words: &HashSet<String>,
    schema: &DFSchema,
    conditions: &mut Vec<Expr>,
) -> Result<Expr, DataFusionError> {
    let lifted = expression.transform_down(|part| {
        let columns = part.column_refs();
        let is_condition = !columns.is_empty() && part.get_type(schema).is_ok_and(|data_type| data_type == DataType::Boolean);
        let others = columns.iter().filter(|column| !words.contains(&column.name)).count();
        let is_joined = match &part {
            Expr::BinaryExpr(binary) => matches!(binary.op, Operator::And | Operator::Or),
            Expr::Not(_) | Expr::Case(_) => true,
            _ => false,
        };
        // As much as knows nothing of words, else the least that does not.
        if !is_condition || others == 0 || (others < columns.len() && is_joined) {
            return Ok(Transformed::no(part));
        }
        let place = conditions.iter().position(|known| *known == part).unwrap_or(conditions.len());
        if place == conditions.len() {
            conditions.push(part);
        }
        Ok(Transformed::new(ident(flag_name(place)), true, TreeNodeRecursion::Jump))
    })?;
    Ok(lifted.data)
}

fn flag_name(index: usize) -> String {
    format!("flag_{index}")
}

/// The seconds to add up by, so that no month of a zone begins within them.
fn step(zone: Tz) -> i64 {
    let begins = (1970..2100).flat_map(|year| (1..=12).map(move |month| (year, month)));
    let offsets = begins.filter_map(|(year, month)| zone.with_ymd_and_hms(year, month, 1, 0, 0, 0).earliest());
    // Offsets of before the time zones of today are in seconds.
    let are_whole = |step: i64| {
        offsets
            .clone()
            .filter(|start| start.year() > 1985)
            .all(|start| i64::from(start.offset().fix().local_minus_utc()) % step == 0)
    };
    [HOUR, 1800, 900].into_iter().find(|step| are_whole(*step)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;

    #[test]
    fn no_month_begins_within_a_step() {
        for (zone, seconds) in [
            (Tz::UTC, 3600),
            (chrono_tz::Europe::Berlin, 3600),
            (chrono_tz::America::Los_Angeles, 3600),
            (chrono_tz::Asia::Kolkata, 1800),
            (chrono_tz::Asia::Kathmandu, 900),
        ] {
            assert_eq!(step(zone), seconds, "{zone}");
        }
    }

    #[test]
    fn a_class_is_told_by_words_and_flags_alone() {
        for format in [Format::AwsCostAndUsage, Format::Focus, Format::AzureCost, Format::GoogleBilling] {
            let mapping = format.mapping();
            let context = SessionContext::new();
            crate::functions::register(&context);
            let question = Question::new(mapping, &context, 2, Tz::UTC).unwrap();
            let layout = &question.layout;
            let is_known = |name: &String| layout.texts.contains(name) || layout.flags.contains(name);
            for column in question.class.column_refs() {
                assert!(is_known(&column.name), "{format}: {}", column.name);
            }
            assert_eq!(question.columns.len(), question.names().count(), "{format}");
            assert!(layout.flags.len() < 64, "{format}");
            // Words are texts: numbers would make every row a line of its own.
            let numbers = mapping.columns.iter().filter(|column| column.kind != crate::columns::Kind::Text);
            for column in numbers {
                assert!(!layout.texts.iter().any(|name| name == column.name), "{format}: {}", column.name);
            }
        }
    }

    #[test]
    fn fields_do_not_depend_on_what_makes_usage_late() {
        // Months are known after the scan: a field sees the class that a late row would have in its own month.
        for format in [Format::AwsCostAndUsage, Format::Focus, Format::AzureCost, Format::GoogleBilling] {
            for (field, sql) in format.mapping().fields {
                assert!(!sql.contains("'late'"), "{format}: {field}");
            }
        }
    }
}
