//! One scan of all files, from which reconciliation, money, months, currency and curves are made: rows are put into numbered groups by what they say
//! and by hour ([`crate::keys`]), and the engine adds each group up, on disk where memory does not do. A session of another make (a cluster's) groups by
//! the columns themselves; the result is the same.

mod question;

use crate::classes::{ChargeKind, Class};
use crate::curves::{Piece, Pieces};
use crate::format::month_of;
use crate::keys::{Keys, Time, is_usage};
use crate::mapping::{Mapping, Words};
use crate::reconciliation::{Entry, Reconciliation};
use crate::session::{Session, Source};
use chrono::DateTime;
use chrono_tz::Tz;
use covermix::time::Month;
use covermix::units::Money;
use covermix::usage::{PricingCategory, UsageLine};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field, Int64Type, Schema};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::prelude::SessionContext;
use question::{Question, aggregated};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The seconds of an hour.
const HOUR: i64 = 3600;

/// Sums of rows, in units of 10^-15.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) rows: u64,
    pub(crate) cost: i128,
    pub(crate) effective: i128,
    pub(crate) list: i128,
    pub(crate) contracted: i128,
    /// Rows of use whose on-demand price the bill does not show.
    pub(crate) unpriced_rows: u64,
    /// The amortised cost of those rows.
    pub(crate) unpriced_effective: i128,
}

/// What one scan tells of all files.
pub(crate) struct Summary {
    mapping: &'static Mapping,
    zone: Tz,
    tag_keys: Vec<String>,
    keys: Arc<Keys>,
    /// Rows, cost and rows with something wrong, of each file.
    files: Vec<(u64, i128, u64)>,
    /// By class and the month of usage; `None` of rows that are no usage.
    sums: BTreeMap<(usize, Option<Month>), Sums>,
    usage: HashMap<usize, Pieces>,
    /// Rows that are not within an hour, by first and last second.
    spans: BTreeMap<(i64, i64), u64>,
    months: HashMap<i64, Option<Month>>,
    words: Vec<StringArray>,
    /// The classes that a reservation covers.
    reserved: HashSet<usize>,
    /// Class and file of each number.
    known: (Vec<u16>, Vec<i64>),
}

impl Summary {
    /// Adds up all files; `selects` are the queries of their columns.
    pub(crate) async fn read(
        session: &Session,
        mapping: &'static Mapping,
        sources: &[Source],
        selects: &[String],
    ) -> Result<Self, DataFusionError> {
        let zone = mapping.format.zone(&session.options);
        let context = session.context();
        let question = Question::new(mapping, context, session.options.tag_keys.len(), zone)?;
        let flags: Vec<Field> = question.layout.flags.iter().map(|name| Field::new(name, DataType::Boolean, true)).collect();
        let texts = question.layout.texts.iter().map(|name| Field::new(name, DataType::Utf8View, true));
        let numbers = question.layout.numbers.iter().map(|name| Field::new(name, DataType::Int64, true));
        let schema = DFSchema::try_from(Schema::new(texts.chain(numbers).chain(flags).collect::<Vec<_>>()))?;
        let class = context.create_physical_expr(question.class.clone(), &schema)?;
        let keys = Arc::new(Keys::new(question.layout.clone(), mapping.classes, class, question.step)?);
        let mut summary = Self {
            mapping,
            zone,
            tag_keys: session.options.tag_keys.clone(),
            keys,
            files: vec![(0, 0, 0); sources.len()],
            sums: BTreeMap::new(),
            usage: HashMap::new(),
            spans: BTreeMap::new(),
            months: HashMap::new(),
            words: Vec::new(),
            reserved: reserved(mapping, context)?,
            known: (Vec::new(), Vec::new()),
        };
        let is_own = session.options.context.is_none();
        let mut frames = Vec::with_capacity(sources.len());
        for (source, select) in sources.iter().zip(selects) {
            let frame = context.sql(select).await?;
            let meter = (!source.is_text()).then(|| session.meter.clone());
            frames.push(if is_own {
                question.numbered(frame, &summary.keys, meter, mapping)?
            } else {
                question.plain(frame, mapping)?
            });
        }
        let mut frames = frames.into_iter();
        let first = frames.next().ok_or_else(|| DataFusionError::Internal("no file".into()))?;
        let united = frames.try_fold(first, DataFrame::union)?;
        let mut stream = aggregated(united, &question, is_own)?.execute_stream().await?;
        summary.fold(&mut stream, is_own).await?;
        summary.name(context, &schema)?;
        Ok(summary)
    }

    async fn fold(&mut self, stream: &mut SendableRecordBatchStream, is_own: bool) -> Result<(), DataFusionError> {
        while let Some(batch) = next(stream).await {
            let batch = batch?;
            let slots = if is_own { integers(&batch, "slot")? } else { self.slots(&batch)? };
            self.add(&batch, &slots)?;
        }
        Ok(())
    }

    /// The slots of groups that came with their columns.
    fn slots(&self, batch: &RecordBatch) -> Result<Int64Array, DataFusionError> {
        let schema = self.keys.batch()?.schema();
        let named = |name: &str| -> Result<ArrayRef, DataFusionError> {
            batch.column_by_name(name).cloned().ok_or_else(|| DataFusionError::Internal(format!("no column {name}")))
        };
        let columns = schema.fields().iter().map(|field| Ok(ColumnarValue::Array(named(field.name())?)));
        let columns = columns.collect::<Result<Vec<_>, DataFusionError>>()?;
        let keys: ArrayRef = Arc::new(self.keys.intern(&columns, batch.num_rows())?);
        let rest = ["since", "until", "listed", "positive"].map(named);
        let [since, until, listed, positive] = rest;
        self.keys.slots(&[keys, since?, until?, listed?, positive?], batch.num_rows())
    }

    fn add(&mut self, batch: &RecordBatch, slots: &Int64Array) -> Result<(), DataFusionError> {
        if self.known.0.len() < self.keys.len() {
            let file = integers(&self.keys.batch()?, "file")?;
            self.known = (self.keys.classes(), file.values().to_vec());
        }
        let (lines, faults) = (integers(batch, "lines")?, integers(batch, "faults")?);
        let number = |name: &str| numbers(batch, name);
        let (quantity, cost, effective) = (number("quantity")?, number("cost")?, number("effective")?);
        let (list, contracted) = (number("list")?, number("contracted")?);
        let (price, lowest) = (number("price")?, number("lowest_price")?);
        for row in 0..batch.num_rows() {
            let slot = self.keys.slot(slots.value(row));
            let class = self.known.0.get(slot.key).map(|class| usize::from(*class)).unwrap_or_default();
            let rows = u64::try_from(lines.value(row)).unwrap_or_default();
            let file = self.known.1.get(slot.key).and_then(|file| usize::try_from(*file).ok()).unwrap_or_default();
            if let Some(file) = self.files.get_mut(file) {
                file.0 += rows;
                file.1 = file.1.saturating_add(amount(&cost, row));
                file.2 += u64::try_from(faults.value(row)).unwrap_or_default();
            }
            let month = slot.time.and_then(|time| self.month(time.start()));
            let sums = self.sums.entry((class, month)).or_default();
            sums.rows += rows;
            for (sum, column) in [
                (&mut sums.cost, &cost),
                (&mut sums.effective, &effective),
                (&mut sums.list, &list),
                (&mut sums.contracted, &contracted),
            ] {
                *sum = sum.saturating_add(amount(column, row));
            }
            if slot.is_unlisted && slot.is_positive {
                sums.unpriced_rows += rows;
                sums.unpriced_effective = sums.unpriced_effective.saturating_add(amount(&effective, row));
            }
            let Some(time) = slot.time else { continue };
            if let Time::Span(since, until) = time {
                *self.spans.entry((since, until)).or_default() += rows;
            }
            let rates = [&lowest, &price].map(|column| (!column.is_null(row)).then(|| column.value(row)));
            let piece = Piece { time, quantity: amount(&quantity, row), is_unlisted: slot.is_unlisted };
            self.usage.entry(slot.key).or_default().add(month, piece, rates);
        }
        Ok(())
    }

    /// The words of all numbers.
    fn name(&mut self, context: &SessionContext, schema: &DFSchema) -> Result<(), DataFusionError> {
        let batch = self.keys.batch()?;
        for word in self.mapping.words {
            let expression = context.parse_sql_expr(self.mapping.word(word), schema)?;
            let column = context.create_physical_expr(expression, schema)?.evaluate(&batch)?.into_array(batch.num_rows())?;
            self.words.push(cast(&column, &DataType::Utf8)?.as_string().clone());
        }
        Ok(())
    }

    /// The month of a second; one of each hour is looked up.
    fn month(&mut self, second: i64) -> Option<Month> {
        let zone = self.zone;
        *self.months.entry(second).or_insert_with(|| DateTime::from_timestamp(second, 0).map(|instant| month_of(instant, zone)))
    }

    /// Rows, cost and rows with something wrong, of each file.
    pub(crate) fn files(&self) -> impl Iterator<Item = (u64, Money, u64)> {
        self.files.iter().map(|(rows, cost, faults)| (*rows, money(*cost), *faults))
    }

    /// The months that the rows say they are billed in.
    pub(crate) fn billed_months(&self) -> Result<Vec<Month>, DataFusionError> {
        let batch = self.keys.batch()?;
        let starts = integers(&batch, "billing_month")?;
        let starts: BTreeSet<i64> = starts.iter().flatten().collect();
        let months = starts.into_iter().filter_map(|start| DateTime::from_timestamp(start, 0));
        Ok(months.map(|start| month_of(start, self.zone)).collect::<BTreeSet<_>>().into_iter().collect())
    }

    /// The months of usage.
    pub(crate) fn usage_months(&self) -> Vec<Month> {
        self.sums.keys().filter_map(|(_, month)| *month).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The currencies that rows name.
    pub(crate) fn currencies(&self) -> Result<Vec<String>, DataFusionError> {
        let batch = self.keys.batch()?;
        let column = batch.column_by_name("currency").map(|column| cast(column, &DataType::Utf8)).transpose()?;
        let names = column.iter().flat_map(|column| column.as_string::<i32>().iter().flatten());
        Ok(names.filter(|name| !name.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect())
    }

    /// The sums of each class. Usage outside the months billed is late.
    pub(crate) fn classes(&self, billed: &[Month]) -> Vec<(Class, Sums)> {
        let mut classes: BTreeMap<usize, Sums> = BTreeMap::new();
        let late = self.mapping.classes.iter().position(|class| class.name == "late");
        for ((class, month), sums) in &self.sums {
            let is_late = self.mapping.classes.get(*class).is_some_and(is_usage) && is_late(*month, billed);
            let class = if is_late { late.unwrap_or(*class) } else { *class };
            let of_class = classes.entry(class).or_default();
            of_class.rows += sums.rows;
            of_class.cost = of_class.cost.saturating_add(sums.cost);
            of_class.effective = of_class.effective.saturating_add(sums.effective);
            of_class.list = of_class.list.saturating_add(sums.list);
            of_class.contracted = of_class.contracted.saturating_add(sums.contracted);
            of_class.unpriced_rows += sums.unpriced_rows;
            of_class.unpriced_effective = of_class.unpriced_effective.saturating_add(sums.unpriced_effective);
        }
        classes.into_iter().filter_map(|(class, sums)| Some((*self.mapping.classes.get(class)?, sums))).collect()
    }

    /// Whether rows of a class are on the bill.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.sums.keys().any(|(class, _)| self.mapping.classes.get(*class).is_some_and(|class| class.name == name))
    }

    /// Rows and money by class.
    pub(crate) fn reconciliation(&self, billed: &[Month]) -> Reconciliation {
        let entry = |(class, sums): (Class, Sums)| Entry {
            reason: class.reason,
            treatment: class.treatment,
            rows: sums.rows,
            cost: money(sums.cost),
        };
        let entries = self.classes(billed).into_iter().map(entry).collect();
        let (rows, cost) = self.files.iter().fold((0, 0i128), |(rows, cost), file| (rows + file.0, cost.saturating_add(file.1)));
        Reconciliation::new(entries, rows, money(cost))
    }

    /// Rows of usage that are not within an hour: of more than an hour, of less that lie in two, that end before they begin.
    pub(crate) fn spans(&self, billed: &[Month]) -> [u64; 3] {
        let (mut long, mut across, mut backward) = (0, 0, 0);
        for ((since, until), rows) in &self.spans {
            let month = self.months.get(since).copied().flatten();
            let counter = match until - since {
                _ if is_late(month, billed) => continue,
                seconds if seconds < 0 => &mut backward,
                seconds if seconds > HOUR => &mut long,
                _ => &mut across,
            };
            *counter += rows;
        }
        [long, across, backward]
    }

    /// The usage of each line within the months billed, with whether a reservation covers it.
    pub(crate) fn usage(&self, billed: &[Month]) -> Vec<(UsageLine, bool, &Pieces)> {
        let classes = self.keys.classes();
        let batch = self.keys.batch().ok();
        let tags: Vec<StringArray> = (0..self.tag_keys.len())
            .filter_map(|index| batch.as_ref()?.column_by_name(&format!("tag_{index}")).cloned())
            .filter_map(|column| Some(cast(&column, &DataType::Utf8).ok()?.as_string().clone()))
            .collect();
        let mut usage = Vec::with_capacity(self.usage.len());
        let mut keys: Vec<&usize> = self.usage.keys().collect();
        keys.sort_unstable();
        for key in keys {
            let (Some(pieces), Some(place)) = (self.usage.get(key), classes.get(*key).map(|class| usize::from(*class))) else {
                continue;
            };
            if pieces.months().all(|month| is_late(month, billed)) {
                continue;
            }
            let values = self.words.iter().map(|words| if words.is_null(*key) { "" } else { words.value(*key) }).collect();
            let mut line = (self.mapping.line)(&Words { names: self.mapping.words, values });
            for (name, values) in self.tag_keys.iter().zip(&tags) {
                if !values.is_null(*key) && !values.value(*key).is_empty() {
                    line.tags.insert(name.clone(), values.value(*key).to_owned());
                }
            }
            line.pricing = match self.mapping.classes.get(place).map(|class| class.kind) {
                Some(ChargeKind::Spot) => PricingCategory::Spot,
                Some(ChargeKind::FreeTier) => PricingCategory::FreeTier,
                _ => PricingCategory::Standard,
            };
            usage.push((line, self.reserved.contains(&place), pieces));
        }
        usage
    }

    /// The month of a second of usage.
    pub(crate) fn is_late(&self, time: Time, billed: &[Month]) -> bool {
        is_late(self.months.get(&time.start()).copied().flatten(), billed)
    }
}

/// Whether usage of a month is late in a bill of some months.
pub(crate) fn is_late(month: Option<Month>, billed: &[Month]) -> bool {
    let (Some(first), Some(last)) = (billed.first(), billed.last()) else { return false };
    month.is_none_or(|month| month < *first || month > *last)
}

impl Time {
    /// The first second.
    pub(crate) fn start(self) -> i64 {
        match self {
            Self::Hour(since) | Self::Span(since, _) => since,
        }
    }
}

/// The classes whose usage a reservation covers.
fn reserved(mapping: &Mapping, context: &SessionContext) -> Result<HashSet<usize>, DataFusionError> {
    let names: StringArray = mapping.classes.iter().map(|class| Some(class.name)).collect();
    let schema = Schema::new(vec![Field::new("class", DataType::Utf8, true)]);
    let batch = RecordBatch::try_new(Arc::new(schema.clone()), vec![Arc::new(names)])?;
    let schema = DFSchema::try_from(schema)?;
    let condition = context.create_physical_expr(context.parse_sql_expr(mapping.reserved, &schema)?, &schema)?;
    let holds = cast(&condition.evaluate(&batch)?.into_array(batch.num_rows())?, &DataType::Boolean)?;
    let holds = holds.as_boolean();
    Ok((0..holds.len()).filter(|class| !holds.is_null(*class) && holds.value(*class)).collect())
}

async fn next(stream: &mut SendableRecordBatchStream) -> Option<Result<RecordBatch, DataFusionError>> {
    std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await
}

fn integers(batch: &RecordBatch, name: &str) -> Result<Int64Array, DataFusionError> {
    let column = batch.column_by_name(name).ok_or_else(|| DataFusionError::Internal(format!("no column {name}")))?;
    Ok(cast(column, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
fn numbers(batch: &RecordBatch, name: &str) -> Result<Decimal128Array, DataFusionError> {
    let column = batch.column_by_name(name).ok_or_else(|| DataFusionError::Internal(format!("no column {name}")))?;
    let decimal = DataType::Decimal128(38, crate::functions::SCALE as i8);
    Ok(cast(column, &decimal)?.as_primitive::<Decimal128Type>().clone())
}

fn amount(column: &Decimal128Array, row: usize) -> i128 {
    if column.is_null(row) { 0 } else { column.value(row) }
}

/// Money in units of 10^-15.
pub(crate) fn money(value: i128) -> Money {
    Money::new(crate::session::exact(value))
}
