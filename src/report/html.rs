//! A page as one HTML file: no network, no script, styles and charts within. It follows the reader's light or dark setting, turns tables into
//! cards on narrow screens, and prints. Each number carries its exact value and its place in the JSON (`data` elements).

mod style;

use super::document::{Block, Cell, Document, Number, Reader, Span, Table, Tile};
use super::pictures::{self, Drawing};
use crate::error::Result;
use std::fmt::Write as _;

/// The page.
///
/// # Errors
/// If a chart cannot be drawn.
pub(super) fn html(document: &Document, reader: &Reader<'_>) -> Result<String> {
    let mut body = String::new();
    for block in &document.blocks {
        write_block(&mut body, block, reader)?;
    }
    let title = escaped(&document.title);
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, \
         initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"covermix {}\">\n\
         <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n<header>\n<h1>{title}</h1>\n<p class=\"subtitle\">{}</p>\n\
         </header>\n{body}</main>\n</body>\n</html>\n",
        escaped(&reader.report.version),
        style::CSS,
        escaped(&document.subtitle),
    ))
}

fn write_block(out: &mut String, block: &Block, reader: &Reader<'_>) -> Result<()> {
    // Writing to a String cannot fail.
    let _ = match block {
        Block::Heading(words) => writeln!(out, "<h2>{}</h2>", escaped(words)),
        Block::Paragraph(spans) => writeln!(out, "<p>{}</p>", inline(spans)),
        Block::List(items) => {
            out.push_str("<ul>\n");
            for item in items {
                let _ = writeln!(out, "<li>{}</li>", inline(item));
            }
            writeln!(out, "</ul>")
        }
        Block::Tiles(tiles) => {
            out.push_str("<dl class=\"tiles\">\n");
            for tile in tiles {
                write_tile(out, tile);
            }
            writeln!(out, "</dl>")
        }
        Block::Table(table) => {
            write_table(out, table);
            Ok(())
        }
        Block::Picture(picture) => {
            if let Some(drawing) = pictures::draw(reader.report, *picture)? {
                write_figure(out, &drawing);
            }
            Ok(())
        }
        Block::Approval => writeln!(
            out,
            "<table class=\"approval\" id=\"approval\"><thead><tr><th>Approved by</th><th>Date</th><th>Signature</th></tr></thead>\
             <tbody><tr><th scope=\"row\">Finance</th><td></td><td></td></tr><tr><th scope=\"row\">Engineering</th><td></td><td></td></tr></tbody></table>"
        ),
    };
    Ok(())
}

fn write_tile(out: &mut String, tile: &Tile) {
    let _ = writeln!(
        out,
        "<div><dt>{}</dt><dd class=\"large\">{}</dd><dd class=\"note\">{}</dd></div>",
        escaped(&tile.label),
        cell(&tile.value),
        inline(&tile.note)
    );
}

fn write_table(out: &mut String, table: &Table) {
    // Tables of a few columns fit a narrow screen; wider ones become cards there.
    let class = if table.columns.len() > 4 { " class=\"wide\"" } else { "" };
    let _ = writeln!(out, "<table id=\"{}\"{class}>\n<caption>{}</caption>", escaped(&table.id), escaped(&table.caption));
    out.push_str("<thead><tr>");
    for column in &table.columns {
        let class = if column.is_number { " class=\"number\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escaped(&column.name));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (index, (column, value)) in table.columns.iter().zip(row).enumerate() {
            let class = if column.is_number { " class=\"number\"" } else { "" };
            let tag = if index == 0 { "th scope=\"row\"" } else { "td" };
            let end = if index == 0 { "th" } else { "td" };
            let _ = write!(out, "<{tag}{class} data-label=\"{}\"><span>{}</span></{end}>", escaped(&column.name), cell(value));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
}

fn write_figure(out: &mut String, drawing: &Drawing) {
    let _ = writeln!(out, "<figure>\n<figcaption>{}</figcaption>", escaped(&drawing.caption));
    if !drawing.legend.is_empty() {
        out.push_str("<ul class=\"legend\">");
        for (class, name) in &drawing.legend {
            let _ = write!(out, "<li><i class=\"{class}\"></i>{}</li>", escaped(name));
        }
        out.push_str("</ul>\n");
    }
    let _ = writeln!(
        out,
        "<div class=\"chart wide\">{}</div>\n<div class=\"chart narrow\">{}</div>\n</figure>",
        drawing.wide, drawing.narrow
    );
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => escaped(text),
        Cell::Number(number) => data(number),
    }
}

fn inline(spans: &[Span]) -> String {
    let part = |span: &Span| match span {
        Span::Text(text) => escaped(text),
        Span::Strong(text) => format!("<strong>{}</strong>", escaped(text)),
        Span::Number(number) => data(number),
    };
    spans.iter().map(part).collect()
}

fn data(number: &Number) -> String {
    format!(
        "<data value=\"{}\" data-path=\"{}\">{}</data>",
        number.figure.value(),
        escaped(&number.path),
        escaped(&number.text())
    )
}

/// Text that HTML shows as it is, in elements and in attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(escaped("<script>\"a\" & 'b'"), "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;");
    }
}
