// Looks at a report page from the outside (the page itself has no script): charts with data, no text that overlaps or is cut.
// Returns a list of complaints and some counts. Called with the page's document.
function checkPage(page) {
  const complaints = [];
  const window_ = page.defaultView;
  const width = page.documentElement.clientWidth;
  const visible = (element) => {
    const box = element.getBoundingClientRect();
    const style = window_.getComputedStyle(element);
    return box.width > 0 && box.height > 0 && style.visibility !== "hidden" && style.display !== "none";
  };
  const name = (element) => (element.textContent || element.tagName).trim().slice(0, 60);
  const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5;

  // Charts.
  const charts = [...page.querySelectorAll("svg")].filter(visible);
  for (const chart of charts) {
    const label = chart.getAttribute("aria-label");
    const marks = [...chart.querySelectorAll("polyline, polygon, rect, circle, path")].filter((mark) => {
      const colour = mark.getAttribute("fill") + mark.getAttribute("stroke");
      return /--s[0-9]|currentColor/.test(colour) && visible(mark);
    });
    const heights = marks.map((mark) => mark.getBoundingClientRect()).filter((box) => box.height >= 3 || box.width >= 30);
    if (marks.length === 0 || heights.length === 0) complaints.push(`chart without data: ${label}`);
    const bounds = chart.getBoundingClientRect();
    for (const mark of marks) {
      const box = mark.getBoundingClientRect();
      if (box.left < bounds.left - 1 || box.right > bounds.right + 1 || box.top < bounds.top - 1 || box.bottom > bounds.bottom + 1) {
        complaints.push(`data beyond the chart: ${label}`);
        break;
      }
    }
    const texts = [...chart.querySelectorAll("text")].filter(visible).map((text) => [text, text.getBoundingClientRect()]);
    if (texts.length < 4) complaints.push(`chart without labels: ${label}`);
    texts.forEach(([text, box], index) => {
      if (box.left < bounds.left - 0.5 || box.right > bounds.right + 0.5 || box.top < bounds.top - 0.5 || box.bottom > bounds.bottom + 0.5)
        complaints.push(`text cut at the edge of “${label}”: ${name(text)}`);
      const size = parseFloat(window_.getComputedStyle(text).fontSize) * (bounds.width / chart.viewBox.baseVal.width);
      if (size < 9) complaints.push(`text of ${size.toFixed(1)} pixels in “${label}”: ${name(text)}`);
      for (const [other, otherBox] of texts.slice(index + 1))
        if (overlap(box, otherBox)) complaints.push(`texts overlap in “${label}”: ${name(text)} / ${name(other)}`);
    });
  }

  // Texts of the page: the boxes of their lines.
  const lines = [];
  const walker = page.createTreeWalker(page.body, window_.NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.textContent.trim() || !visible(node.parentElement) || node.parentElement.closest("svg")) continue;
    const range = page.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1) lines.push([node, box]);
  }
  for (const [node, box] of lines)
    if (box.right > width + 0.5 || box.left < -0.5) complaints.push(`text cut at the edge of the page: ${name(node.parentElement)}`);
  lines.sort((a, b) => a[1].top - b[1].top);
  lines.forEach(([node, box], index) => {
    for (let next = index + 1; next < lines.length && lines[next][1].top < box.bottom; next++) {
      const [other, otherBox] = lines[next];
      const depth = Math.min(box.bottom, otherBox.bottom) - Math.max(box.top, otherBox.top);
      if (other !== node && overlap(box, otherBox) && depth > 3) complaints.push(`texts overlap: ${name(node.parentElement)} / ${name(other.parentElement)}`);
    }
  });
  for (const element of page.querySelectorAll("body *")) {
    const style = window_.getComputedStyle(element);
    if (!visible(element) || element.closest("svg") || style.display === "inline") continue;
    if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0) complaints.push(`wider than its box: ${element.tagName} ${name(element)}`);
  }
  if (page.documentElement.scrollWidth > width) complaints.push(`the page is ${page.documentElement.scrollWidth} pixels wide`);

  // Contrast of the text with the ground.
  const luminance = (colour) => {
    const [red, green, blue] = colour.match(/[0-9.]+/g).slice(0, 3).map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = luminance(window_.getComputedStyle(page.body).backgroundColor);
  for (const element of page.querySelectorAll("p, td, th, dt, dd, li, figcaption, caption")) {
    if (!visible(element)) continue;
    const ink = luminance(window_.getComputedStyle(element).color);
    const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    if (contrast < 4.5) { complaints.push(`contrast ${contrast.toFixed(1)} to 1: ${name(element)}`); break; }
  }
  const isDark = ground < 0.2;
  return { complaints: [...new Set(complaints)], charts: charts.length, texts: lines.length, height: page.documentElement.scrollHeight, isDark };
}
