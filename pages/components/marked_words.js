// A sentence in parts [[text, changed], ...], all of them text nodes: whatever they contain is shown, never interpreted.

function writeMarked(node, parts) {
  const wanted = JSON.stringify(parts);
  if (node.dataset.parts === wanted) return;
  node.dataset.parts = wanted;
  node.replaceChildren();
  set(node, { dir: "auto" });
  node.classList.toggle("blank", parts.every(([text]) => !text.trim()));
  if (node.classList.contains("blank")) return node.append("(empty)");
  for (const [text, changed] of parts) {
    if (changed) make("mark", {}, node).append(text);
    else node.append(text);
  }
}
