//! A page as Markdown (CommonMark with tables), for a pull request or a mail. Charts are in the HTML.

use super::document::{Block, Cell, Document, Span, Table, plain};

/// The page.
pub(super) fn markdown(document: &Document) -> String {
    let mut out = format!("# {}\n\n{}\n", escaped(&document.title), escaped(&document.subtitle));
    for block in &document.blocks {
        match block {
            Block::Heading(words) => out.push_str(&format!("\n## {}\n", escaped(words))),
            Block::Paragraph(spans) => out.push_str(&format!("\n{}\n", inline(spans))),
            Block::List(items) => {
                out.push('\n');
                for item in items {
                    out.push_str(&format!("- {}\n", inline(item)));
                }
            }
            Block::Tiles(tiles) => {
                out.push_str("\n| Figure | Value | Note |\n|---|---:|---|\n");
                for tile in tiles {
                    out.push_str(&format!("| {} | {} | {} |\n", escaped(&tile.label), cell(&tile.value), inline(&tile.note)));
                }
            }
            Block::Table(table) => write_table(&mut out, table),
            Block::Picture(_) => {}
            Block::Approval => {
                out.push_str("\n| Approved by | Date | Signature |\n|---|---|---|\n| Finance | | |\n| Engineering | | |\n");
            }
        }
    }
    out
}

fn write_table(out: &mut String, table: &Table) {
    out.push_str(&format!("\n{}\n\n", escaped(&table.caption)));
    let heads: Vec<String> = table.columns.iter().map(|column| escaped(&column.name)).collect();
    let rules: Vec<&str> = table.columns.iter().map(|column| if column.is_number { "---:" } else { "---" }).collect();
    out.push_str(&format!("| {} |\n|{}|\n", heads.join(" | "), rules.join("|")));
    for row in &table.rows {
        out.push_str(&format!("| {} |\n", row.iter().map(cell).collect::<Vec<_>>().join(" | ")));
    }
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => escaped(text),
        Cell::Number(number) => escaped(&number.text()),
    }
}

fn inline(spans: &[Span]) -> String {
    let part = |span: &Span| match span {
        Span::Strong(text) => format!("**{}**", escaped(text.trim_end())) + if text.ends_with(' ') { " " } else { "" },
        Span::Text(_) | Span::Number(_) => escaped(&plain(std::slice::from_ref(span))),
    };
    spans.iter().map(part).collect()
}

/// Text that Markdown shows as it is.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_cannot_break_a_table() {
        assert_eq!(escaped("a|b_c\n<d>"), "a\\|b\\_c \\<d\\>");
    }
}
