// Finds codes, dates, amounts and numbers that the bidi algorithm shows in another order than they are written:
// on one line, each character must stand to the right of the one before it.
() => {
  const tokens = new RegExp([
    "[A-Z]{2}\\d{2}(?: ?[0-9A-Z]{2,4}){3,}", // IBAN
    "[•*]{2,} ?\\d{4}", // masked card
    "\\d{4}-\\d{2}-\\d{2}", // date
    "\\+?\\d{1,4}(?: \\d{2,7})+", // phone
    "[A-Z][A-Z0-9]{1,14}-\\d{2,4}-[0-9A-Z-]{3,}", // reference, receipt number
    "\\d{2,4}(?:[-/][0-9A-Z]{2,})+",
    "[-−]\\d[\\d,.]*",
    "[A-Z]{3}[ \\u00a0][-−]?\\d[\\d,.]*", // amount
    "[\\w.+-]+@[\\w.-]+\\w", // e-mail address
  ].join("|"), "g");
  const wrong = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    if (!node.parentElement || node.parentElement.closest("script,style")) continue;
    for (const match of node.data.matchAll(tokens)) {
      seen += 1;
      let left = null, top = null, right = true;
      for (let at = match.index; at < match.index + match[0].length; at += 1) {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        const box = range.getBoundingClientRect();
        if (box.width === 0) continue;
        if (left !== null && Math.abs(box.top - top) < 2 && box.left < left - 0.5) right = false;
        left = box.left;
        top = box.top;
      }
      if (!right) wrong.push(match[0]);
    }
  }
  return { seen, wrong };
}
