//! The style sheet of reports. Series have the colours of Okabe and Ito, "Color Universal Design" (2008), told apart by people with any colour
//! vision; on dark ground the dark blue is lightened to keep a contrast of 3 to 1.

/// The style sheet.
pub(super) const CSS: &str = r#":root {
  --ground: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --panel: #f6f8fa; --grid: #d8dee4;
  --s0: #0072b2; --s1: #e69f00; --s2: #009e73; --s3: #cc79a7; --s4: #56b4e9; --s5: #d55e00; --s6: #8c959f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1318; --ink: #e6edf3; --soft: #9aa4af; --line: #30363d; --panel: #171c22; --grid: #2b323a;
    --s0: #3d95d6; --s6: #6e7781;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 0.6rem; padding-top: 0.6rem; border-top: 1px solid var(--line); }
.subtitle { color: var(--soft); margin: 0.3rem 0 0; }
p, li { max-width: 78ch; }
ul { padding-left: 1.2rem; }
li { margin: 0.3rem 0; }
data { white-space: nowrap; font-variant-numeric: tabular-nums; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(155px, 1fr)); gap: 12px; margin: 1rem 0; }
.tiles > div { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 10px 14px; }
dt { color: var(--soft); font-size: 0.85rem; }
dd { margin: 0; }
dd.large { font-size: 1.45rem; font-weight: 600; line-height: 1.3; }
dd.note { color: var(--soft); font-size: 0.8rem; line-height: 1.35; }
table { border-collapse: collapse; width: 100%; margin: 0.8rem 0 1.2rem; font-size: 0.88rem; }
caption { text-align: left; color: var(--soft); padding-bottom: 0.4rem; }
th, td { padding: 5px 8px; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: break-word; }
#calls td, #held th, #held td { overflow-wrap: anywhere; }
thead th { font-weight: 600; color: var(--soft); vertical-align: bottom; overflow-wrap: normal; }
tbody th { font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
.approval td { height: 2.4rem; border: 1px solid var(--line); }
.approval th { border: 1px solid var(--line); width: 30%; }
figure { margin: 1.4rem 0 2rem; break-inside: avoid; }
figcaption { font-weight: 600; margin-bottom: 0.2rem; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 0 0 0.3rem; padding: 0; font-size: 0.82rem; color: var(--soft); }
.legend li { margin: 0; display: flex; align-items: center; gap: 6px; }
.legend i { display: inline-block; width: 14px; height: 10px; border-radius: 2px; flex: none; }
.legend .line { height: 3px; }
.legend .dash { height: 0; border-top: 3px dashed; background: none; }
.b0 { background: var(--s0); color: var(--s0); } .b1 { background: var(--s1); color: var(--s1); } .b2 { background: var(--s2); color: var(--s2); }
.b3 { background: var(--s3); color: var(--s3); } .b4 { background: var(--s4); color: var(--s4); } .b5 { background: var(--s5); color: var(--s5); }
.b6 { background: var(--s6); color: var(--s6); } .b7 { background: var(--ink); color: var(--ink); }
.chart svg { display: block; width: 100%; height: auto; color: var(--ink); }
.chart text { font-family: inherit; }
.chart.narrow { display: none; }
@media (min-width: 1100px) { #purchases td { white-space: nowrap; } }
@media (max-width: 700px) {
  main { padding: 16px 14px 48px; }
  h1 { font-size: 1.4rem; }
  th, td { overflow-wrap: anywhere; }
  .chart.wide { display: none; }
  .chart.narrow { display: block; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px; }
  .tiles > div { padding: 8px 10px; }
  dd.large { font-size: 1.2rem; }
  table.wide, table.wide caption, table.wide tbody, table.wide tr, table.wide th, table.wide td { display: block; width: 100%; }
  table.wide thead { display: none; }
  table.wide tr { border: 1px solid var(--line); border-radius: 6px; margin-bottom: 10px; padding: 4px 0; }
  table.wide th, table.wide td { display: flex; justify-content: space-between; gap: 12px; text-align: right; border: 0; padding: 2px 10px; white-space: normal; overflow-wrap: anywhere; }
  table.wide th::before, table.wide td::before { content: attr(data-label); color: var(--soft); font-weight: 400; text-align: left; flex: none; max-width: 50%; }
}
@media print {
  :root { --ground: #ffffff; --ink: #000000; --soft: #444444; --line: #bbbbbb; --panel: #ffffff; --grid: #dddddd; --s0: #0072b2; --s6: #8c959f; }
  @page { size: A4; margin: 12mm; }
  body { font-size: 9.5pt; line-height: 1.35; }
  main { max-width: none; padding: 0; }
  h1 { font-size: 16pt; }
  h2 { font-size: 11pt; margin: 7pt 0 2pt; padding-top: 3pt; break-after: avoid; }
  table { font-size: 8pt; margin: 4pt 0 6pt; }
  th, td { padding: 2pt 5pt; }
  .approval { break-inside: avoid; }
  tr, figure, .tiles > div { break-inside: avoid; }
  .tiles { gap: 6px; margin: 6pt 0; grid-template-columns: repeat(auto-fit, minmax(100px, 1fr)); }
  .tiles > div { padding: 4pt 6pt; }
  dd.large { font-size: 13pt; }
  p, li { max-width: none; margin: 2pt 0; }
  ul { margin: 2pt 0; }
}
"#;
