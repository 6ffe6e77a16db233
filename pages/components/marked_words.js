// A sentence in parts [[text, marked], ...], all of them text nodes: whatever they contain is shown, never interpreted.

/** `kind` says what a mark means: another word than elsewhere ("changed"), or one the vocabulary lacks ("unknown"). */
function writeMarked(node, parts, kind = "changed") {
  const wanted = JSON.stringify([kind, parts]);
  if (node.dataset.parts === wanted) return;
  node.dataset.parts = wanted;
  node.replaceChildren();
  set(node, { dir: "auto" });
  node.classList.toggle("blank", parts.every(([text]) => !text.trim()));
  if (node.classList.contains("blank")) return node.append("(empty)");
  for (const [text, isMarked] of parts) {
    if (isMarked) make("mark", { class: kind }, node).append(text);
    else node.append(text);
  }
}
